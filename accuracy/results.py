"""Results that are kept, so that a run of the whole matrix can be interrupted and goes on where it was."""

from __future__ import annotations

import functools
import hashlib
import json
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from accuracy.cases import ROOT, Case
from accuracy.outcome import Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Results:
    """One file a case below `folder`; it counts as long as neither the fixture nor the tool nor the judging changes."""

    folder: Path

    def read(self, case: Case, *, earlier: bool = False) -> Outcome | None:
        """Give what came out of this case, None when it was not tried, or when something has changed since.

        With `earlier` it may be of an earlier state of the tool, never of another fixture.
        """
        path = self.folder / f"{case.name}.json"
        if not path.is_file():
            return None
        kept = json.loads(path.read_text("utf-8"))
        is_current = kept["key"] == _key(case) or (earlier and kept["key"].split()[0] == _key(case).split()[0])
        return Outcome.from_json(kept["outcome"]) if is_current else None

    def write(self, case: Case, outcome: Outcome) -> None:
        """Keep what came out."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=self.folder, delete=False, encoding="utf-8") as file:
            json.dump({"key": _key(case), "outcome": outcome.to_json()}, file)
        Path(file.name).replace(self.folder / f"{case.name}.json")


def _key(case: Case) -> str:
    fixture = digest_files(case.folder, (path for path in case.folder.rglob("*") if "__pycache__" not in path.parts))
    return f"{fixture} {_tool()}"


@functools.cache
def _tool() -> str:
    """Give one digest over the tool and over what judges it; a page's words change nothing that is judged here."""
    judging = [ROOT / "accuracy" / name for name in ("cases.py", "outcome.py", "run.py")]
    parts = ROOT / "verifier"
    return digest_files(ROOT, [*judging, *(path for path in parts.rglob("*.py") if "reports" not in path.parts)])


def digest_files(root: Path, paths: Iterable[Path]) -> str:
    """Give one digest over files: their names below `root`, who may run them, and what they hold."""
    total = hashlib.sha256()
    for path in sorted(path for path in paths if path.is_file()):
        content = hashlib.sha256(path.read_bytes()).hexdigest()
        total.update(f"{path.relative_to(root)}\0{path.stat().st_mode & 0o111}\0{content}\n".encode())
    return total.hexdigest()
