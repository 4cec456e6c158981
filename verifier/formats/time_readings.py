"""What a match of a form of time may mean: which moments, and how exact.

A form may be ambiguous (`11/12/2026`, `CST`), and some leave out the year or the day: then a match means several
moments, of which its reader yields each. Values without a zone are read as UTC.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Final

from verifier.formats.month_names import is_weekday, month_of

ZONES: Final[dict[bytes, tuple[int, ...]]] = {
    name: minutes
    for names, minutes in (
        (b"Z UTC GMT WET", (0,)),
        (b"CET WEST", (60,)),
        (b"CEST EET", (120,)),
        (b"EEST MSK", (180,)),
        (b"BST", (60, 360)),
        (b"IST", (330, 120, 60)),
        (b"SGT HKT", (480,)),
        (b"JST KST", (540,)),
        (b"AEST", (600,)),
        (b"AEDT", (660,)),
        (b"NZST", (720,)),
        (b"EDT", (-240,)),
        (b"EST CDT", (-300,)),
        (b"CST", (-360, 480)),
        (b"MDT", (-360,)),
        (b"MST PDT", (-420,)),
        (b"PST", (-480,)),
    )
    for name in names.split()
}
"""Minutes east of Greenwich; several where one abbreviation stands for several zones."""

_LAST_ZONE: Final = 14 * 60
_DAYS_OF_WINDOW: Final = 3
_SHORT_WINDOW: Final = 3600
FILE_TIME: Final = 11_644_473_600
"""Seconds from 1601, where Windows counts from, to 1970 …"""

TICKS: Final = 62_135_596_800
"""… and from the year 1, where .NET does."""

Match = re.Match[bytes]
Around = tuple[float, float]
Meaning = tuple[float, float]
"""A moment in seconds since 1970, and its step in seconds."""


def _zones(zone: bytes | None) -> tuple[int, ...]:
    """Give the minutes east of Greenwich that a zone may mean; none for what is no zone."""
    if zone is None:
        return (0,)
    if zone in ZONES:
        return ZONES[zone]
    digits = re.sub(rb"\D", b"", zone).ljust(4, b"0")
    minutes = int(digits[:2]) * 60 + int(digits[2:])
    if minutes > _LAST_ZONE or int(digits[2:]) > 59:
        return ()
    return (-minutes if zone[:1] == b"-" else minutes,)


def _seconds_of_day(groups: dict[str, bytes | None]) -> Meaning | None:
    """Join the groups of a clock; None for an hour that its half of the day has not."""
    hour = int(groups.get("hour") or 0)
    half = groups.get("half")
    if half:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if half[:1] in b"Pp" else 0)
    seconds = float(hour * 3600 + int(groups.get("minute") or 0) * 60 + int(groups.get("second") or 0))
    step = 1.0 if groups.get("second") else 60.0 if groups.get("minute") else 3600.0 if groups.get("hour") else 86400.0
    fraction = groups.get("fraction")
    if fraction:
        return seconds + float(b"0." + fraction), 10.0 ** -len(fraction)
    return seconds, step


def _joined(match: Match, days: Iterable[tuple[int, int, int]]) -> Iterator[Meaning]:
    """Join each day (year, month, day) with the match's clock and zone; skip days that no calendar has."""
    groups = match.groupdict()
    clock = _seconds_of_day(groups)
    if clock is None:
        return
    for year, month, day in days:
        try:
            calendar = datetime(year, month, day, tzinfo=UTC)
        except ValueError:
            continue
        weekday = groups.get("weekday")
        if weekday and not is_weekday(weekday, calendar.weekday()):
            continue
        for minutes in _zones(groups.get("zone")):
            yield calendar.timestamp() + clock[0] - minutes * 60, clock[1]


def read_numeric(match: Match, around: Around | None) -> Iterator[Meaning]:  # noqa: ARG001
    """Read year, month and day in figures."""
    yield from _joined(match, [(int(match["year"]), int(match["month"]), int(match["day"]))])


def read_two_digit_year(match: Match, around: Around | None) -> Iterator[Meaning]:  # noqa: ARG001
    """Read a year of two figures."""
    # RFC 5280, section 4.1.2.5.1: 50 to 99 belong to the last century
    year = int(match["year"])
    century = 1900 if year >= 50 else 2000
    month = int(match["month"]) if match["month"].isdigit() else month_of(match["month"])
    if month is not None:
        yield from _joined(match, [(century + year, month, int(match["day"]))])


def read_either(match: Match, around: Around | None) -> Iterator[Meaning]:  # noqa: ARG001
    """Read day and month in either order."""
    first, second, year = int(match["one"]), int(match["two"]), int(match["year"])
    yield from _joined(match, dict.fromkeys([(year, second, first), (year, first, second)]))


def read_named(match: Match, around: Around | None) -> Iterator[Meaning]:
    """Read a month's name; without a year, in each year of the window."""
    month, day = month_of(match["month"]), int(match["day"])
    year = match.groupdict().get("year")
    if month is None:
        return
    yield from _joined(match, [(int(year), month, day)] if year else [(y, month, day) for y in _years(around)])


def read_month_alone(match: Match, around: Around | None) -> Iterator[Meaning]:  # noqa: ARG001
    """Read a month as the moment of its first day."""
    month = month_of(match["month"])
    if month is None:
        return
    first = date(int(match["year"]), month, 1)
    following = (first + timedelta(days=31)).replace(day=1)
    start = datetime(first.year, first.month, 1, tzinfo=UTC).timestamp()
    yield start, (following - first).days * 86400.0


def _years(around: Around | None) -> range:
    if around is None:
        return range(0)
    first, last = (datetime.fromtimestamp(moment, UTC).year for moment in around)
    return range(first, min(last, first + 1) + 1)


def read_ordinal(match: Match, around: Around | None) -> Iterator[Meaning]:  # noqa: ARG001
    """Read the number of a day in its year."""
    year, number = int(match["year"]), int(match["ordinal"])
    if 1 <= number <= 366:
        day = date(year, 1, 1) + timedelta(days=number - 1)
        yield from _joined(match, [(day.year, day.month, day.day)])


def read_week(match: Match, around: Around | None) -> Iterator[Meaning]:  # noqa: ARG001
    """Read the number of a week, and of a day in it (ISO 8601)."""
    try:
        day = date.fromisocalendar(int(match["year"]), int(match["week"]), int(match["weekday"] or 1))
    except ValueError:
        return
    moment = datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()
    yield moment, 86400.0 if match["weekday"] else 7 * 86400.0


def read_clock_alone(match: Match, around: Around | None) -> Iterator[Meaning]:
    """Read a time of day on each day of a short window: in a long one any would fit."""
    if around is None or around[1] - around[0] > _SHORT_WINDOW:
        return
    first = datetime.fromtimestamp(around[0] - 86400, UTC).date()
    days = (first + timedelta(days=count) for count in range(_DAYS_OF_WINDOW))
    yield from _joined(match, [(day.year, day.month, day.day) for day in days])


def read_counted(match: Match, around: Around | None) -> Iterator[Meaning]:  # noqa: ARG001
    """Read seconds, milli-, micro- or nanoseconds since 1970, told apart by their digits."""
    digits, fraction = match["digits"], match["fraction"] or b""
    if len(digits) == 10:
        yield float(digits + b"." + (fraction or b"0")), 10.0 ** -len(fraction)
    else:
        scale = 10 ** (len(digits) - 10)
        yield int(digits) / scale, 1 / scale


def read_tenths_of_microseconds(match: Match, around: Around | None) -> Iterator[Meaning]:  # noqa: ARG001
    """Count from where Windows does, or .NET."""
    for origin in (FILE_TIME, TICKS):
        yield int(match["digits"]) / 10**7 - origin, 1e-7


def read_hexadecimal(match: Match, around: Around | None) -> Iterator[Meaning]:  # noqa: ARG001
    """Read seconds, and microseconds behind them, as PHP's `uniqid` writes them."""
    microseconds = int(match["micro"] or b"0", 16)
    if microseconds < 1_000_000:
        yield int(match["digits"], 16) + microseconds / 10**6, 1e-6 if match["micro"] else 1.0


def read_python(match: Match, around: Around | None) -> Iterator[Meaning]:  # noqa: ARG001
    """Read what Python's `repr` writes of a datetime."""
    for moment, step in _joined(match, [(int(match["year"]), int(match["month"]), int(match["day"]))]):
        micro = match["micro"]
        yield (moment, step) if micro is None else (moment + int(micro) / 10**6, 1e-6)
