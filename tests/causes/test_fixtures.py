"""Every cause as its fixture shows it: found where it must be, and gone from the remedied form."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from accuracy.cases import BUILDERS, Case, lean, read_cases
from accuracy.outcome import Outcome
from accuracy.results import Results
from accuracy.run import try_case
from tests.machine import MARKS

RESULTS = Results(folder=Path(os.environ["ACCURACY_RESULTS"])) if os.environ.get("ACCURACY_RESULTS") else None
"""Where `make accuracy` keeps what came out; what came out well is not tried again."""

EVERY_BUILDER = bool(os.environ.get("EVERY_BUILDER"))
"""Try the whole matrix, which takes long: `make accuracy` does. Else each cause is tried with one builder, its remedied
form with another, and by turns every builder gets its share."""

CASES = tuple(case for case in read_cases() if EVERY_BUILDER or lean(case))
BUILT = [pytest.param(case, id=case.name, marks=MARKS[case.builder]) for case in CASES if case.builder]
READ = [pytest.param(case, id=case.name) for case in CASES if not case.builder]


@pytest.mark.slow
@pytest.mark.parametrize("case", BUILT)
def test_a_cause_on_a_real_builder(
    case: Case, builder_environment: Callable[[str | None, str | None], Mapping[str, str]], tmp_path: Path
) -> None:
    outcome = keeping(case, lambda: try_case(case, builder_environment(case.builder, None), tmp_path))
    assert not outcome.faults


@pytest.mark.parametrize("case", READ)
def test_a_cause_in_a_text_or_between_two_images(case: Case, tmp_path: Path) -> None:
    assert not keeping(case, lambda: try_case(case, os.environ, tmp_path)).faults


def keeping(case: Case, attempt: Callable[[], Outcome]) -> Outcome:
    """Try the case, or give what came out of it before, where results are kept."""
    if RESULTS is None:
        return attempt()
    outcome = RESULTS.read(case)
    if outcome is None or outcome.faults:
        outcome = attempt()
        RESULTS.write(case, outcome)
    return outcome


def test_every_builder_has_its_share_of_the_short_run() -> None:
    share = Counter(case.builder for case in read_cases() if case.builder and lean(case))
    assert min(share[builder] for builder in BUILDERS) >= 5, share
