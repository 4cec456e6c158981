"""How far apart two builds are, so that clocks of whole seconds differ between them."""

from __future__ import annotations

from datetime import datetime
from typing import Final

SECONDS_APART: Final = 2.2
"""Between two starts. ZIP counts two seconds at a time; the rest is for a builder's clock being read later."""

SECONDS_BETWEEN: Final = 1.1
"""Between an end and the next start. Tar and most programs count whole seconds, and a build that has to wait at first
does its work late: without this, the next one could do the same work within the same second."""


def seconds_until_apart(started: datetime, finished: datetime, now: datetime) -> float:
    """Give the seconds to wait before a build may begin; 0 when the one before began and ended long enough ago.

    All times have a zone. Never more than SECONDS_APART: a clock that was set back must not hold the run up.
    """
    since_start = (now - started).total_seconds()
    since_end = (now - finished).total_seconds()
    return min(SECONDS_APART, max(0.0, SECONDS_APART - since_start, SECONDS_BETWEEN - since_end))
