"""Choose SOURCE_DATE_EPOCH for a reproducible build (reproducible-builds.org, "SOURCE_DATE_EPOCH")."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from verifier.errors import UsageError

DEFAULT_EPOCH: Final = 315_532_800
"""1980-01-01T00:00:00Z: ZIP cannot count from earlier."""

MAX_EPOCH: Final = 253_402_300_799
"""9999-12-31T23:59:59Z, the last second that the image specification's times can name."""


def choose_epoch(explicit: str | None, environment: Mapping[str, str], context: Path) -> int:
    """Choose the epoch in seconds since 1970.

    The first that there is of:
    1. `explicit`: seconds, or `git` for the commit time of the checkout around `context`, clean or not;
    2. SOURCE_DATE_EPOCH in `environment`;
    3. the commit time of a clean checkout around `context`;
    4. DEFAULT_EPOCH.

    Raises UsageError for what is no such number, and for `git` where there is no commit.
    """
    from verifier.clients.git import Checkout  # noqa: PLC0415 - subprocess costs start-up time

    if explicit == "git":
        committed = Checkout(context, environment).commit_time()
        if committed is None:
            raise UsageError(f"{context}: git knows no commit here", "give --source-date-epoch in seconds")
        return committed
    if explicit is not None:
        return _seconds(explicit, "--source-date-epoch")
    if environment.get("SOURCE_DATE_EPOCH"):
        return _seconds(environment["SOURCE_DATE_EPOCH"], "SOURCE_DATE_EPOCH")
    checkout = Checkout(context, environment)
    committed = checkout.commit_time()
    return committed if committed is not None and checkout.is_clean() else DEFAULT_EPOCH


def _seconds(text: str, name: str) -> int:
    if text.isascii() and text.isdigit() and len(text) <= 12 and int(text) <= MAX_EPOCH:
        return int(text)
    raise UsageError(f"{name} {text[:40]!r} is not a number of seconds since 1970")
