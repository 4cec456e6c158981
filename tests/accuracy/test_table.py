"""What is kept of a run, and the table that is made of it."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from accuracy import cases
from accuracy.cases import FIXTURES, Case, read_cases
from accuracy.outcome import Outcome
from accuracy.results import Results
from accuracy.table import Outcomes, render_table, summarise

GOOD = Outcome(found=True, wrong=(), residue=(), level="files", faults=(), builder="docker 20.10")


@pytest.fixture
def case(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Case:
    shutil.copytree(FIXTURES / "file-mtime", tmp_path / "file-mtime")
    monkeypatch.setattr(cases, "FIXTURES", tmp_path)
    return next(case for case in read_cases(tmp_path) if case.builder == "docker")


def test_a_result_counts_until_the_fixture_changes(case: Case, tmp_path: Path) -> None:
    results = Results(folder=tmp_path / "kept")
    assert results.read(case) is None
    results.write(case, GOOD)
    assert results.read(case) == GOOD
    (case.folder / "Dockerfile").chmod(0o755)
    assert results.read(case) is None


def test_a_result_of_an_earlier_tool_is_shown_and_marked(
    case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    results = Results(folder=tmp_path / "kept")
    results.write(case, GOOD)
    monkeypatch.setattr("accuracy.results._tool", lambda: "another tool")
    assert results.read(case) is None
    assert results.read(case, earlier=True) == GOOD
    kept = outcomes(case, GOOD, MENDED)
    assert "| - | found° | - |" in render_table(kept, {case})
    assert summarise(kept, {case}).endswith(" 1 results° are of the tool before its last change.\n")
    (case.folder / "Dockerfile").chmod(0o755)
    assert results.read(case, earlier=True) is None


def outcomes(case: Case, shown: Outcome | None, mended: Outcome | None) -> Outcomes:
    return {case: shown, replace(case, remedied=True, builder="buildkit"): mended}


MENDED = replace(GOOD, found=False, level="manifest", builder="buildkit 28.5")


def test_a_row_tells_what_was_found_and_what_was_reached(case: Case) -> None:
    table = render_table(outcomes(case, GOOD, MENDED))
    assert "\n- buildkit 28.5\n- docker 20.10\n" in table
    row = table.splitlines()[-1]
    assert row == "| [`file-mtime`](causes/file-mtime.md) | - | found | - | - | - | manifest | - | - | - | - |"
    assert summarise(outcomes(case, GOOD, MENDED)) == (
        "The cause is found at its line in 1 of 1 cases, 1 of 1 causes in all of theirs. A wrong cause is named in "
        "none, and residue is left in none. 1 of 1 remedied forms are without it, and as equal as they must be.\n"
    )


@pytest.mark.parametrize(
    ("shown", "cell"),
    [
        (None, "**no result**"),
        (replace(GOOD, found=False, faults=("…",)), "**missed**"),
        (replace(GOOD, wrong=("random-value",), faults=("…",)), "**wrong: random-value**"),
        (replace(GOOD, residue=("layer mtime /a",), faults=("…",)), "**residue: 1**"),
        (replace(GOOD, faults=("file-mtime is likely, not proven",)), "**file-mtime is likely, not proven**"),
    ],
)
def test_whatever_is_not_as_it_should_be_stands_out(shown: Outcome | None, cell: str, case: Case) -> None:
    assert f"| - | {cell} |" in render_table(outcomes(case, shown, MENDED))


def test_a_remedy_that_does_not_help_stands_out(case: Case) -> None:
    still = replace(MENDED, found=True, faults=("file-mtime is still found",))
    assert "| **still found** |" in render_table(outcomes(case, GOOD, still))
    assert "0 of 1 remedied forms" in summarise(outcomes(case, GOOD, still))
