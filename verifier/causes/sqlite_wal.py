"""SQLite leaves its write-ahead log beside a database.

What varies: in `*-wal` and `*-shm` two salts, random numbers that SQLite gives every new log, and in `*-shm` the
checksum of the log's last frame, which counts them in.

Why it matters: a database in WAL mode that a program does not close, rpm's and dnf's among them, leaves both in the
image; they hold nothing that the database will not hold as well once it is closed.

How it is recognised: by the formats, in any path. The log's own checksums are checked. The salts are random: hence this
is never called proven.

Remedy: close the log in the same RUN, `sqlite3 FILE 'PRAGMA journal_mode=DELETE'`, which removes both files.

Source: https://www.sqlite.org/fileformat2.html, section 4.1; https://www.sqlite.org/walformat.html, section 2.1.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from verifier.causes.cause import Cause, Claim, Place, SideContext
from verifier.formats.field import Field

__all__ = ["cause"]

_FORMS: Final = {"sqlite-salt": "salts", "sqlite-checksum": "checksum"}


def _normalise(field: Field, place: Place, side: SideContext) -> Iterator[Claim]:  # noqa: ARG001
    form = _FORMS.get(field.kind)
    if form is not None:
        yield Claim(0, len(field.value), form)


cause = Cause(
    slug="sqlite-wal",
    page=__doc__ or "",
    remedy="close the log in the same RUN: sqlite3 FILE 'PRAGMA journal_mode=DELETE'",
    opaque=True,
    normalise=_normalise,
)
