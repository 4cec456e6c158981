"""How far apart two builds begin, so that clocks of whole seconds differ between them."""

from __future__ import annotations

from datetime import datetime
from typing import Final

SECONDS_APART: Final = 2.2
"""Tar counts whole seconds, ZIP two at a time; the rest is for the builder's clock being read a little later."""


def seconds_until_apart(previous_start: datetime, now: datetime) -> float:
    """Give the seconds to wait before a build may begin; 0 when the one before began long enough ago.

    Both times have a zone. Never more than SECONDS_APART: a clock that was set back must not hold the run up.
    """
    passed = (now - previous_start).total_seconds()
    return min(SECONDS_APART, max(0.0, SECONDS_APART - passed))
