"""A C or C++ program holds the date of its compilation.

What varies: what `__DATE__` (`Nov 23 2026`) and `__TIME__` (`08:29:14`) stand for, and with it the build ID that the
linker makes of the whole. Other compilers give the same: Ada's package `GNAT.Source_Info`, Free Pascal's `{$I %TIME%}`,
Nim's `CompileTime`.

Why it matters: one `printf("built on " __DATE__)` makes another program every day, or every second.

How it is recognised: in the strings of an ELF file, in any path, in archives too: text of one of these forms that lies
within its own build's window. Where an optimiser turned a short string into instructions nothing is claimed: that is
not read. A build ID that differs along with a date is put down to the date; since it cannot be made again, such a
finding is never called proven. `__TIMESTAMP__`, the source's own time, looks like what ctime() prints, and is left to
`embedded-timestamp`.

Remedy: `ARG SOURCE_DATE_EPOCH` in the stage: gcc 7 and clang 16 take the date from it; Nim 1.6 does too, Free Pascal
3.2 the date and not the time, GNAT 12 neither. Better, leave the macros out (`-Wdate-time` finds them), or define them:
`-Wno-builtin-macro-redefined -D__DATE__= -D__TIME__=`.

Source: GCC, "Environment Variables Affecting GCC", SOURCE_DATE_EPOCH; C17, 6.10.8.1.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

from verifier.causes.cause import Cause, Claim, Place, SideContext
from verifier.causes.moments import is_of_build
from verifier.formats.elf_strings import RUST_STRINGS, STRINGS
from verifier.formats.field import Field

__all__ = ["cause"]

_DAY: Final = 86400
_SHORT: Final = 3600
"""Seconds of a build whose minutes are looked for one by one."""

_Pattern = re.Pattern[bytes]
_MONTHS: Final = (b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec")
_MONTH: Final = rb"(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"
_CLOCK: Final = rb"([01]\d|2[0-3]):([0-5]\d):([0-5]\d)"
_DATE: Final = re.compile(
    rb"(?<![A-Za-z])(?<!(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) )" + _MONTH + rb" ([ \d]\d) (\d{4})(?!\d)"
)
_DATE_BYTES: Final = 11
_TIME: Final = re.compile(rb"(?<![\d:])" + _CLOCK + rb"(?![\d:])")

_CONTEXT_BYTES: Final = 16
_DATE_BEFORE: Final = re.compile(rb"\d(?:T| {1,2}|:)\Z")
_MACRO_BEFORE: Final = re.compile(_MONTH + rb" [ \d]\d \d{4} {1,2}\Z")
_IN_DATE: Final = re.compile(rb"[.,]\d|Z(?![A-Za-z])| ?[+-]\d\d| (?:[A-Z]{2,5} )?\d{4}(?!\d)| (?:UTC|GMT)")
"""What follows a time of day in other forms: a fraction, a zone, a year."""


def _normalise(field: Field, place: Place, side: SideContext) -> Iterator[Claim]:
    if place.field != "content" or field.kind not in (STRINGS, RUST_STRINGS):
        return
    found = [*_dates(field.value, side), *_times(field.value, side)]
    end = 0
    for claim in sorted(found):
        if claim.start >= end:
            end = claim.end
            yield claim


def _dates(value: bytes, side: SideContext) -> Iterator[Claim]:
    for match in _before_years(_DATE, _DATE_BYTES, value, side):
        month, day, year = match.groups()
        midnight = _midnight(year, month, day)
        if midnight is not None and is_of_build(side, midnight, _DAY):
            yield Claim(match.start(), match.end(), "__DATE__")


def _before_years(pattern: _Pattern, size: int, value: bytes, side: SideContext) -> Iterator[re.Match[bytes]]:
    """Match a pattern of so many bytes that ends in a year: around the years of the build, which are quickly found."""
    if side.window is None:
        yield from pattern.finditer(value)
        return
    years = {datetime.fromtimestamp(moment, UTC).year for moment in (side.window.start - _DAY, side.window.end)}
    for year in sorted(years):
        for position in _positions(value, b" %d" % year):
            match = pattern.match(value, max(0, position + 5 - size))
            if match:
                yield match


def _times(value: bytes, side: SideContext) -> Iterator[Claim]:
    """Claim times of day that a day of the build's window had while the build ran."""
    for match in _clocks(value, side):
        if not _stands_alone(value, match):
            continue
        moment = _seconds(*match.groups())
        if side.window is not None:
            moment += int(side.window.start // _DAY) * _DAY
        if side.window is None or any(is_of_build(side, moment + days * _DAY) for days in (0, 1)):
            yield Claim(match.start(), match.end(), "__TIME__")


def _stands_alone(value: bytes, match: re.Match[bytes]) -> bool:
    """Tell a time of day from the end of a date in another form: only what `__DATE__` stands for may come before it."""
    if _IN_DATE.match(value, match.end()):
        return False
    before = value[max(0, match.start() - _CONTEXT_BYTES) : match.start()]
    return not _DATE_BEFORE.search(before) or _MACRO_BEFORE.search(before) is not None


def _clocks(value: bytes, side: SideContext) -> Iterator[re.Match[bytes]]:
    """Match times of day: those of a short build minute by minute, which is quickly done."""
    window = side.window
    if window is None or window.end - window.start > _SHORT:
        yield from _TIME.finditer(value)
        return
    first, last = int(window.start - 2) // 60, int(window.end) // 60
    for minute in range(first, last + 1):
        for position in _positions(value, b"%02d:%02d:" % (minute // 60 % 24, minute % 60)):
            match = _TIME.match(value, position)
            if match:
                yield match


def _positions(value: bytes, part: bytes) -> Iterator[int]:
    position = value.find(part)
    while position >= 0:
        yield position
        position = value.find(part, position + 1)


def _seconds(hour: bytes, minute: bytes, second: bytes) -> int:
    return int(hour) * 3600 + int(minute) * 60 + int(second)


def _midnight(year: bytes, month: bytes, day: bytes) -> float | None:
    try:
        return datetime(int(year), _MONTHS.index(month) + 1, int(day), tzinfo=UTC).timestamp()
    except ValueError:
        return None


cause = Cause(
    slug="c-date-macro",
    page=__doc__ or "",
    remedy="declare ARG SOURCE_DATE_EPOCH in the stage, which gcc and clang heed, or leave __DATE__ and __TIME__ out",
    timed=True,
    normalise=_normalise,
)
