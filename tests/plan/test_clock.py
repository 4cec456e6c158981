from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from verifier.plan import seconds_until_apart

START = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(("passed", "wait"), [(0.0, 2.2), (0.7, 1.5), (2.2, 0.0), (100.0, 0.0), (-3600.0, 2.2)])
def test_builds_begin_far_enough_apart(passed: float, wait: float) -> None:
    assert seconds_until_apart(START, START + timedelta(seconds=passed)) == pytest.approx(wait)
