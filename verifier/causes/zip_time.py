"""Zip archives, jars and wheels record a time for every member.

What varies: the DOS time of each member, in its local header and in the central directory (in steps of two seconds),
and the extended timestamps behind its name. Maven says once more when it was, in a comment in `pom.properties`.

Why it matters: a jar or wheel made by a build never comes out the same, though all its members do.

How it is recognised: by the format, in any path, archives in archives too; each time lies within its own build's
window. Members are compared uncompressed.

Remedy: `jar --date=`, Maven's `project.build.outputTimestamp`, Gradle's `preserveFileTimestamps = false`,
SOURCE_DATE_EPOCH for Python's builders; for others `strip-nondeterminism`. Maven's plugins heed the property from
maven-jar-plugin and maven-assembly-plugin 3.2, maven-shade-plugin 3.2.3 and maven-war-plugin 3.3.1 on.

Source: PKWARE, APPNOTE 6.3, sections 4.3.7 and 4.4.6; Info-ZIP, extrafld.txt, "UT"; Maven, "Configuring for
Reproducible Builds"; java.util.Properties, `store`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

from verifier.causes.cause import Cause, Claim, Place, SideContext
from verifier.causes.moments import is_of_build
from verifier.formats.field import Field
from verifier.formats.times import find_times

__all__ = ["cause"]

_POM_PROPERTIES: Final = re.compile(rb"\A#(?:Generated|Created) by (?:Apache )?Maven[^\n]{0,80}\n#([^\n]{1,80})\n")
"""What Maven's archiver has Properties.store write before the coordinates: who, and the date."""


def _normalise(field: Field, place: Place, side: SideContext) -> Iterator[Claim]:
    if field.kind == "zip-time":
        moment = _dos_time(field.value)
        if moment is not None and is_of_build(side, moment, 2):
            yield Claim(0, 4, "DOS time")
    elif field.kind == "unix-time" and is_of_build(side, int.from_bytes(field.value, "little")):
        yield Claim(0, 4, "extended timestamp")
    elif field.kind == "text" and place.field == "content":
        yield from _claim_comment(field.value, side)


def _claim_comment(text: bytes, side: SideContext) -> Iterator[Claim]:
    """Claim the date at the head of a `pom.properties`: the property that gives members one time leaves it out."""
    head = _POM_PROPERTIES.match(text)
    if head is not None:
        for time in find_times(head[1], lambda moment, step: is_of_build(side, moment, step)):
            yield Claim(head.start(1) + time.start, head.start(1) + time.end, time.form)


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
