"""Write the table of the results that `make accuracy` has kept into docs/accuracy.md, and its sentence into the README.

0 everything is as the labels have it, 1 something is not, or was not tried.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from accuracy.cases import ROOT, read_cases
from accuracy.results import Results
from accuracy.table import Outcomes, render_table, summarise


def main(results: Path) -> int:
    """Write the table, and say what is not as it should be."""
    kept = Results(folder=results)
    outcomes: Outcomes = {case: kept.read(case, earlier=True) for case in read_cases()}
    earlier = frozenset(case for case, outcome in outcomes.items() if outcome and kept.read(case) is None)
    _replace(ROOT / "docs" / "accuracy.md", render_table(outcomes, earlier))
    _replace(ROOT / "README.md", summarise(outcomes, earlier))
    status = 0
    for case, outcome in outcomes.items():
        faults = ("no result",) if outcome is None else outcome.faults
        faults += ("of the tool before its last change",) if case in earlier else ()
        for fault in faults:
            print(f"{case.name}: {fault}", file=sys.stderr)
            status = 1
    return status


def _replace(path: Path, text: str) -> None:
    """Put the text between the page's comments `accuracy: begin` and `accuracy: end`."""
    block = re.compile(r"(<!-- accuracy: begin -->\n).*?(<!-- accuracy: end -->)", re.DOTALL)
    page = path.read_text("utf-8")
    if not block.search(page):
        raise SystemExit(f"error: {path} has no comments `accuracy: begin` and `accuracy: end`")
    path.write_text(block.sub(lambda match: match[1] + text + match[2], page), "utf-8")


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
