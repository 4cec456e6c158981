"""Times as programs print them: where they stand in a text, which moment they mean, and how exact they are.

Values without a zone are read as UTC, which is what a build container has unless it is told otherwise.
"""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Final, NamedTuple

from verifier.formats.month_names import MONTHS, WEEKDAYS
from verifier.formats.time_forms import FORMS
from verifier.formats.time_readings import FILE_TIME, TICKS, Around, Match, Meaning


class FoundTime(NamedTuple):
    """One time: offsets in the text, how it is written, the moment in seconds since 1970, its step in seconds.

    `zoned` says that the zone is written, or that it was counted from 1970: else it may be a local time.
    """

    start: int
    end: int
    form: str
    moment: float
    precision: float
    zoned: bool = True


_SMALL: Final = 4096
"""Texts of so many bytes are searched whole."""

_MARGIN: Final = 80
"""No form is longer, in bytes."""

_FARTHEST: Final = 15 * 3600
"""No zone is further from Greenwich, in seconds."""

Holds = Callable[[float, float], bool]
"""Tells whether a moment, counted in steps of so many seconds, is one that is looked for."""

_DAY_NAMES: Final = frozenset(form for name in WEEKDAYS for form in (name, name[:3]))


def find_times(text: bytes, holds: Holds | None = None, around: Around | None = None) -> Iterator[FoundTime]:
    """Yield every time in `text`, ascending and without overlap; of two at one place, the longer form.

    Where a match may mean several moments, the first that `holds` counts; where none does, the match is passed over.
    What leaves out the year or the day is read as near `around`, the ends of a window, and not at all without one.
    """
    found: dict[tuple[int, int], list[tuple[str, Match, list[Meaning]]]] = {}
    for form, (start, stop) in itertools.product(FORMS, _stretches(text, around)):
        for match in form.pattern.finditer(text, start, stop):
            meanings = list(form.read(match, around))
            if meanings:
                found.setdefault(match.span(), []).append((form.name, match, meanings))
    end = 0
    for span in sorted(found, key=lambda span: (span[0], -span[1])):
        if span[0] < end:
            continue
        end = span[1]
        for name, match, meanings in found[span]:
            meant = next((one for one in meanings if holds is None or holds(*one)), None)
            if meant is not None:
                groups = match.groupdict()
                yield FoundTime(
                    *span, f"{name} {_shape(match)}", *meant, zoned="zone" not in groups or groups["zone"] is not None
                )
                break


def _stretches(text: bytes, around: Around | None) -> list[tuple[int, int]]:
    """Choose where a time of the window can stand: near its year, its hour, or the first figures of its count."""
    if around is None or len(text) <= _SMALL:
        return [(0, len(text))]
    stretches: list[tuple[int, int]] = []
    for match in _needles(around).finditer(text):
        start, end = max(0, match.start() - _MARGIN), min(len(text), match.end() + _MARGIN)
        if stretches and start <= stretches[-1][1]:
            stretches[-1] = (stretches[-1][0], end)
        else:
            stretches.append((start, end))
    return stretches


@functools.lru_cache(maxsize=16)
def _needles(around: Around) -> re.Pattern[bytes]:
    """Say what stands in every time of a window, however it is written."""
    first, last = (datetime.fromtimestamp(moment, UTC) for moment in (around[0] - _FARTHEST, around[1] + _FARTHEST))
    needles = {f"{year}" for year in range(first.year, min(last.year, first.year + 9) + 1)}
    needles |= {f"-{moment:%y} " for moment in (first, last)} | {f"{moment:%y%m}" for moment in (first, last)}
    hours = {int(moment // 3600 % 24) for moment in (around[0] - 1, around[1])}
    if around[1] - around[0] > _FARTHEST / 12:
        hours = set(range(24))
    needles |= {f"{hour % 12 or 12}:" for hour in hours} | {f"{hour}:" for hour in hours} | {f"{h:02}:" for h in hours}
    for scale, origin in ((1, 0), (10**7, FILE_TIME), (10**7, TICKS)):
        ends = [int((moment + origin) * scale) for moment in (around[0] - 2, around[1] + 1)]
        forms = ("d", "x", "X") if scale == 1 else ("d",)
        needles |= {_same_start(format(ends[0], form), format(ends[1], form)) for form in forms}
    return re.compile(b"|".join(re.escape(needle.encode()) for needle in sorted(needles)))


def _same_start(first: str, second: str) -> str:
    pairs = enumerate(zip(first, second, strict=False))
    return first[: next((position for position, (one, other) in pairs if one != other), len(first))]


def _shape(match: Match) -> str:
    """Tell one way of writing from another: figures by their place holders, names of months and days by one word."""
    text = match[0].decode("utf-8", "replace")
    # nanoseconds may be printed without their last zeros, and Go's monotonic clock is a figure of its own
    if match.groupdict().get("fraction"):
        text = re.sub(r"([.,])\d+", r"\1", text, count=1)
    if match.groupdict().get("monotonic"):
        text = re.sub(r"m=[+-][\d.]+", "m=", text)
    if match.groupdict().get("micro"):
        return re.sub(r"\d+", "0", text) if "(" in text else "0" * len(text)
    if match.re.groupindex.keys() <= {"digits", "micro"}:
        return "0" * len(text)
    text = re.sub(r"[^\W\d_]+", _word, text)
    # days and hours may be padded by a zero, by a space, or not
    return re.sub(r"\d+", lambda digits: "0" * max(2, len(digits[0])), re.sub(r"(?<=M\b)  (?=\d)", " ", text))


def _word(found: re.Match[str]) -> str:
    word = found[0].lower()
    if word in MONTHS:
        return "M"
    if word in ("am", "pm"):
        return "half"
    return "D" if word in _DAY_NAMES else found[0]


def parse_rfc3339(text: bytes) -> tuple[float, float] | None:
    """Read one RFC 3339 time, whole; give moment and step in seconds."""
    found = list(find_times(text))
    if len(found) == 1 and (found[0].start, found[0].end) == (0, len(text)) and found[0].form.startswith("ISO 8601 0"):
        return found[0].moment, found[0].precision
    return None


def day_of(moment: float) -> int:
    """Count the days since 1970, as /etc/shadow does."""
    return int(datetime.fromtimestamp(moment, UTC).timestamp() // 86400)
