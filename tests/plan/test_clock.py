from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from verifier.plan import seconds_until_apart

START = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("lasted", "since_the_end", "wait"),
    [
        (0.0, 0.0, 2.2),
        (0.5, 0.2, 1.5),
        (1.6, 0.0, 1.1),
        (60.0, 0.0, 1.1),
        (60.0, 0.4, 0.7),
        (60.0, 1.1, 0.0),
        (0.1, 2.2, 0.0),
        (1.0, 100.0, 0.0),
        (1.0, -3600.0, 2.2),
    ],
)
def test_builds_are_far_enough_apart(lasted: float, since_the_end: float, wait: float) -> None:
    finished = START + timedelta(seconds=lasted)
    assert seconds_until_apart(START, finished, finished + timedelta(seconds=since_the_end)) == pytest.approx(wait)
