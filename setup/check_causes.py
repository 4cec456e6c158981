#!/usr/bin/env python3
"""Hold docs/causes/ against the catalogue: one page a cause, made of its docstring and its fixture, and the list.

usage: check_causes.py [--write] FOLDER

In FOLDER/README.md the list stands between the comments `catalogue: begin` and `catalogue: end`.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from verifier.causes import CAUSES
from verifier.reports.catalogue import catalogue_table, cause_document

BLOCK = re.compile(r"(<!-- catalogue: begin -->\n).*?(<!-- catalogue: end -->)", re.DOTALL)


def right(folder: Path) -> dict[Path, str]:
    """Give every file as it should be."""
    pages = {folder / f"{cause.slug}.md": cause_document(cause) for cause in CAUSES}
    index = folder / "README.md"
    return {index: BLOCK.sub(lambda match: match[1] + catalogue_table() + match[2], index.read_text("utf-8")), **pages}


def main(arguments: list[str]) -> int:
    """Run the command line: 0 they agree (or were written), 1 they do not, 2 bad usage or no comments."""
    write = "--write" in arguments
    folders = [Path(name) for name in arguments if name != "--write"]
    if len(folders) != 1 or not BLOCK.search((folders[0] / "README.md").read_text("utf-8")):
        print(__doc__, file=sys.stderr)
        return 2
    expected = right(folders[0])
    stray = set(folders[0].glob("*.md")) - expected.keys()
    wrong = [path for path, text in expected.items() if not path.exists() or path.read_text("utf-8") != text]
    for path in stray if write else ():
        path.unlink()
    for path in wrong if write else ():
        path.write_text(expected[path], "utf-8")
    if write or not (wrong or stray):
        return 0
    names = sorted(path.name for path in [*wrong, *stray])
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    shown = f"{', '.join(names[:3])}{more}"
    print(f"error: {folders[0]} does not show the catalogue as it is: {shown}\nhint: make docs", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
