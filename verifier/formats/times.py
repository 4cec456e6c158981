"""Times as programs print them: where they stand in a text, which moment they mean, and how exact they are.

Values without a zone are read as UTC, which is what a build container has unless it is told otherwise.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta, timezone
from typing import Final, NamedTuple

_MONTHS: Final = {
    name: number
    for number, name in enumerate(
        (b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec"), 1
    )
}
_WEEKDAYS: Final = (b"Mon", b"Tue", b"Wed", b"Thu", b"Fri", b"Sat", b"Sun")
_DAY: Final = rb"(?P<weekday>Mon|Tue|Wed|Thu|Fri|Sat|Sun)"
_MONTH: Final = rb"(?P<month>Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"
_CLOCK: Final = rb"(?P<hour>[01]\d|2[0-3]):(?P<minute>[0-5]\d):(?P<second>[0-5]\d)"
_ZONE: Final = rb"(?P<zone>Z|UTC|GMT|[+-]\d\d:?\d\d)"


class FoundTime(NamedTuple):
    """One time: offsets in the text, how it is written, the moment in seconds since 1970, its step in seconds."""

    start: int
    end: int
    form: str
    moment: float
    precision: float


_Match = re.Match[bytes]


def _seconds_of(zone: bytes | None) -> int | None:
    if zone is None or zone in (b"Z", b"UTC", b"GMT"):
        return 0
    digits = zone[1:].replace(b":", b"")
    seconds = int(digits[:2]) * 3600 + int(digits[2:]) * 60
    if seconds > 14 * 3600:
        return None
    return -seconds if zone[:1] == b"-" else seconds


def _moment(match: _Match, month: int) -> tuple[float, float] | None:
    """Join the groups of a calendar time; None for a day that no calendar has."""
    groups = match.groupdict()
    offset = _seconds_of(groups.get("zone"))
    if offset is None:
        return None
    precision = 1.0 if groups.get("second") else 60.0 if groups.get("minute") else 86400.0
    try:
        calendar = datetime(
            int(groups["year"]),
            month,
            int(groups["day"]),
            int(groups.get("hour") or 0),
            int(groups.get("minute") or 0),
            int(groups.get("second") or 0),
            tzinfo=timezone(timedelta(seconds=offset)),
        )
    except ValueError:
        return None
    if groups.get("weekday") not in (None, _WEEKDAYS[calendar.weekday()]):
        return None
    moment = calendar.timestamp()
    fraction = groups.get("fraction")
    if fraction:
        moment += float(b"0." + fraction)
        precision = 10.0 ** -len(fraction)
    return moment, precision


def _numeric(match: _Match) -> tuple[float, float] | None:
    return _moment(match, int(match["month"]))


def _named(match: _Match) -> tuple[float, float] | None:
    return _moment(match, _MONTHS[match["month"]])


def _counted(match: _Match) -> tuple[float, float]:
    """Read seconds, milli-, micro- or nanoseconds since 1970, told apart by their digits."""
    digits, fraction = match["digits"], match["fraction"] or b""
    if len(digits) == 10:
        return float(digits + b"." + (fraction or b"0")), 10.0 ** -len(fraction)
    scale = 10 ** (len(digits) - 10)
    return int(digits) / scale, 1 / scale


_Reader = Callable[[_Match], tuple[float, float] | None]

_FORMS: Final[tuple[tuple[str, re.Pattern[bytes], _Reader], ...]] = (
    (
        "RFC 2822",
        re.compile(
            rb"(?<![A-Za-z])"
            + _DAY
            + rb", (?P<day>\d{1,2}) "
            + _MONTH
            + rb" (?P<year>\d{4}) "
            + _CLOCK
            + rb" "
            + _ZONE
            + rb"(?![\w])"
        ),
        _named,
    ),
    (
        "ctime",
        re.compile(
            rb"(?<![A-Za-z])"
            + _DAY
            + rb" "
            + _MONTH
            + rb" (?P<day>[ \d]\d) "
            + _CLOCK
            + rb"(?: (?P<zone>UTC|GMT))? (?P<year>\d{4})(?!\d)"
        ),
        _named,
    ),
    (
        "date",
        re.compile(
            rb"(?<![A-Za-z])"
            + _DAY
            + rb" (?P<day>[ \d]?\d) "
            + _MONTH
            + rb" (?P<year>\d{4}) "
            + _CLOCK
            + rb" (?P<zone>UTC|GMT)(?!\w)"
        ),
        _named,
    ),
    (
        "common log",
        re.compile(
            rb"(?<!\d)(?P<day>\d\d)/" + _MONTH + rb"/(?P<year>\d{4}):" + _CLOCK + rb" (?P<zone>[+-]\d{4})(?!\d)"
        ),
        _named,
    ),
    (
        "ISO 8601",
        re.compile(
            rb"(?<![\d.-])(?P<year>\d{4})(?P<separator>[-/])(?P<month>0[1-9]|1[0-2])(?P=separator)(?P<day>[0-3]\d)"
            rb"(?P<between>T| {1,2})(?P<hour>[01]\d|2[0-3]):(?P<minute>[0-5]\d)"
            rb"(?::(?P<second>[0-5]\d)(?:[.,](?P<fraction>\d{1,9}))?)?(?:(?P<gap> ?)" + _ZONE + rb")?(?![\d:])"
        ),
        _numeric,
    ),
    (
        "ISO 8601 basic",
        re.compile(
            rb"(?<!\d)(?P<year>[12]\d{3})(?P<month>0[1-9]|1[0-2])(?P<day>[0-3]\d)(?P<between>T|-|_|)"
            rb"(?P<hour>[01]\d|2[0-3])(?P<minute>[0-5]\d)(?P<second>[0-5]\d)(?P<zone>Z)?(?!\d)"
        ),
        _numeric,
    ),
    (
        "ISO 8601 date",
        re.compile(rb"(?<![\w.-])(?P<year>\d{4})-(?P<month>0[1-9]|1[0-2])-(?P<day>[0-3]\d)(?![\w-]|\.\d)"),
        _numeric,
    ),
    (
        "seconds since 1970",
        re.compile(
            rb"(?<![\w.])(?P<digits>[1-9](?:\d{9}|\d{12}|\d{15}|\d{18}))(?:\.(?P<fraction>\d{1,9}))?(?![\w]|\.\d)"
        ),
        _counted,
    ),
)


def find_times(text: bytes) -> Iterator[FoundTime]:
    """Yield every time in `text`, ascending and without overlap; of two at one place, the longer form."""
    found: list[FoundTime] = []
    for name, pattern, read in _FORMS:
        for match in pattern.finditer(text):
            time = read(match)
            if time is not None:
                found.append(FoundTime(match.start(), match.end(), f"{name} {_shape(match)}", *time))
    end = 0
    for item in sorted(found, key=lambda time: (time.start, -time.end)):
        if item.start >= end:
            end = item.end
            yield item


def _shape(match: _Match) -> str:
    """Tell one way of writing from another: digits by their place holders, names of months and days by one word."""
    text = re.sub(
        b"|".join(_WEEKDAYS), b"D", re.sub(rb"Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec", b"M", match[0])
    )
    # a day of the month may be padded by a space
    text = re.sub(rb"(?<=M )( \d)(?= )", b"00", text)
    fraction = match.groupdict().get("fraction")
    if fraction:
        # nanoseconds may be printed without their last zeros
        text = re.sub(rb"([.,])\d+", rb"\1", text, count=1)
    return re.sub(rb"\d", b"0", text).decode("ascii")


def parse_rfc3339(text: bytes) -> tuple[float, float] | None:
    """Read one RFC 3339 time, whole; give moment and step in seconds."""
    found = list(find_times(text))
    if len(found) == 1 and (found[0].start, found[0].end) == (0, len(text)) and found[0].form.startswith("ISO 8601 0"):
        return found[0].moment, found[0].precision
    return None


def day_of(moment: float) -> int:
    """Count the days since 1970, as /etc/shadow does."""
    return int(datetime.fromtimestamp(moment, UTC).timestamp() // 86400)
