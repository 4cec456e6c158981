"""dnf keeps a history of what it did, and when.

What varies: `dt_begin` and `dt_end` of the table `trans` in `/var/lib/dnf/history.sqlite` (dnf5:
`transaction_history.sqlite`), also where these stand in the write-ahead log beside it, and in what the database no
longer uses.

Why it matters: every `dnf install` adds a transaction.

How it is recognised: by the format, in any path: a SQLite database with that table and these columns; in its log, which
names no columns, by path. Each time is a number of 32 bits that lies within its own build's window.

Remedy: remove it in the same RUN: `rm -rf /var/lib/dnf/history.sqlite*`. `ARG SOURCE_DATE_EPOCH` helps with dnf5 alone,
where that is new enough.

Source: libdnf, libdnf/transaction/sql/create.sql; https://www.sqlite.org/fileformat2.html.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from verifier.causes.cause import Cause, Claim, Place, SideContext
from verifier.causes.moments import is_of_build
from verifier.formats.field import Field

__all__ = ["cause"]

_COLUMN: Final = re.compile(r"trans \d+: dt_(?:begin|end)")
_IN_LOG: Final = re.compile(r"page \d+ \d+: [12]")
_PATH: Final = re.compile(rb"/(?:.*/)?(?:transaction_)?history\.sqlite(-wal)?")


def _normalise(field: Field, place: Place, side: SideContext) -> Iterator[Claim]:
    if field.kind not in {"sqlite-integer", "sqlite-free"}:
        return
    path = _PATH.fullmatch(place.path or b"")
    if field.kind == "sqlite-free":
        if path is not None and side.window is not None:
            yield from _stale(field, side)
        return
    is_time = _COLUMN.fullmatch(field.name) or (path is not None and path[1] and _IN_LOG.fullmatch(field.name))
    if is_time and len(field.value) == 4 and is_of_build(side, int.from_bytes(field.value, "big")):
        yield Claim(0, 4, "seconds")


def _stale(field: Field, side: SideContext) -> Iterator[Claim]:
    """Find the times of rows that were replaced: four bytes that are a moment of the build are hardly anything else."""
    position = 0
    while position + 4 <= len(field.value):
        if is_of_build(side, int.from_bytes(field.value[position : position + 4], "big")):
            yield Claim(position, position + 4, "seconds")
            position += 3
        position += 1


cause = Cause(
    slug="dnf-history",
    page=__doc__ or "",
    remedy="remove the history in the same RUN: rm -rf /var/lib/dnf/history.sqlite*",
    timed=True,
    normalise=_normalise,
)
