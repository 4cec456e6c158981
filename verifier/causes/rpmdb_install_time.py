"""rpm records when a package was installed.

What varies: INSTALLTIME and INSTALLTID in the header of every package in `rpmdb.sqlite`, and the index of the latter.

Why it matters: every `dnf install` writes both, each with the second of its transaction.

How it is recognised: by the formats, in any path: a SQLite database, in it rpm's headers, in these tags 1008 and 1128;
the table `Installtid` and its index. The times lie within their own build's window.

Remedy: `ARG SOURCE_DATE_EPOCH` in the stage with rpm 4.18 and later, which takes it for both; for what SQLite leaves
beside the database, see `sqlite-wal`.

Source: rpm, docs/manual/tags.md and docs/manual/format_header.md; lib/backend/sqlite.c.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from typing import Final

from verifier.causes.cause import Cause, Claim, Place, SideContext
from verifier.causes.moments import is_of_build
from verifier.formats.field import Field

__all__ = ["cause"]

_INDEX: Final = re.compile(r"Installtid(?:_key_idx)?(?: \d+)?: key")


def _normalise(field: Field, place: Place, side: SideContext) -> Iterator[Claim]:  # noqa: ARG001
    if field.kind == "rpm-install":
        moments = struct.unpack(f">{len(field.value) // 4}I", field.value)
        if all(is_of_build(side, moment) for moment in moments):
            yield Claim(0, len(field.value), "seconds")
    elif field.kind == "sqlite-blob" and len(field.value) == 4 and _INDEX.fullmatch(field.name):
        # in the order of the machine
        for order in "<>":
            if is_of_build(side, struct.unpack(f"{order}I", field.value)[0]):
                yield Claim(0, 4, f"seconds {order}")
                return


cause = Cause(
    slug="rpmdb-install-time",
    page=__doc__ or "",
    remedy="declare ARG SOURCE_DATE_EPOCH in the stage, with an rpm that takes it for the time of the installation",
    timed=True,
    normalise=_normalise,
)
