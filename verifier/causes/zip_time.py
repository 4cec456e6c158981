"""Zip archives, jars and wheels record a time for every member.

What varies: the DOS time of each member, in its local header and in the central directory (in steps of two seconds),
and the extended timestamps behind its name.

Why it matters: a jar or wheel made by a build never comes out the same, though all its members do.

How it is recognised: by the format, in any path, archives in archives too; each time lies within its own build's
window. Members are compared uncompressed.

Remedy: `jar --date=`, Maven's `project.build.outputTimestamp`, Gradle's `preserveFileTimestamps = false`,
SOURCE_DATE_EPOCH for Python's builders; for others `strip-nondeterminism`.

Source: PKWARE, APPNOTE 6.3, sections 4.3.7 and 4.4.6; Info-ZIP, extrafld.txt, "UT".
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from verifier.causes.cause import Cause, Claim, Place, SideContext
from verifier.causes.moments import is_of_build
from verifier.formats.field import Field

__all__ = ["cause"]


def _normalise(field: Field, place: Place, side: SideContext) -> Iterator[Claim]:  # noqa: ARG001
    if field.kind == "zip-time":
        moment = _dos_time(field.value)
        if moment is not None and is_of_build(side, moment, 2):
            yield Claim(0, 4, "DOS time")
    elif field.kind == "unix-time" and is_of_build(side, int.from_bytes(field.value, "little")):
        yield Claim(0, 4, "extended timestamp")


def _dos_time(value: bytes) -> float | None:
    time, date = int.from_bytes(value[:2], "little"), int.from_bytes(value[2:], "little")
    try:
        return datetime(
            1980 + (date >> 9),
            date >> 5 & 0x0F,
            date & 0x1F,
            time >> 11,
            time >> 5 & 0x3F,
            2 * (time & 0x1F),
            tzinfo=UTC,
        ).timestamp()
    except ValueError:
        return None


cause = Cause(
    slug="zip-time",
    page=__doc__ or "",
    remedy="give the archiver a fixed time (jar --date=, project.build.outputTimestamp, SOURCE_DATE_EPOCH)",
    timed=True,
    normalise=_normalise,
)
