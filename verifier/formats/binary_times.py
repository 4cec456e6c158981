"""Times in bytes of no known format: counts in 32 and 64 bits, in either byte order, within one build's window.

Four bytes say little: a window of a minute is one value in seventy million, and a large content has as many places. So
32-bit counts are looked for only where less than one in a hundred is to be expected by accident: places, times the
ways to read each, times the length of the window, over 2^32. In 64 bits the chance is none to speak of: there seconds
are looked for in contents of any size.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Final, NamedTuple

from verifier.formats.time_readings import FILE_TIME, Around

MAX_ACCIDENTS: Final = 0.01
"""How many 32-bit counts within the window a content of chance may be expected to have."""

_MAX_PREFIXES: Final = 3
_NANOSECONDS: Final = 10**9


class BinaryTime(NamedTuple):
    """One time: offsets, and how it is counted."""

    start: int
    end: int
    form: str


class _Count(NamedTuple):
    """One way to count: its name, its width in bytes, and the count of a moment; a later moment has a larger one."""

    name: str
    width: int
    count: Callable[[float], int]


def _double(moment: float) -> int:
    return int.from_bytes(struct.pack(">d", moment), "big")


def _dos(moment: float) -> int:
    """Count as MS-DOS does: years from 1980, steps of two seconds."""
    time = datetime.fromtimestamp(moment, UTC)
    day = (time.year - 1980) << 9 | time.month << 5 | time.day
    return day << 16 | time.hour << 11 | time.minute << 5 | time.second // 2


_SHORT: Final = (_Count("seconds", 4, int), _Count("MS-DOS time", 4, _dos))
_WIDE_SECONDS: Final = _Count("seconds alone", 8, int)
_LONG: Final = (
    _Count("milliseconds", 8, lambda moment: int(moment * 10**3)),
    _Count("microseconds", 8, lambda moment: int(moment * 10**6)),
    _Count("nanoseconds", 8, lambda moment: int(moment * 10**9)),
    _Count("FILETIME", 8, lambda moment: int((moment + FILE_TIME) * 10**7)),
    _Count("seconds as a double", 8, _double),
)


def find_binary_times(data: bytes, around: Around) -> Iterator[BinaryTime]:
    """Yield the counts in `data` that lie within `around`, ascending, without overlap; of two at one place the longer.

    Behind a 64-bit count of seconds its 64-bit fraction is a time as well (`struct timespec`, `struct timeval`).
    """
    found = [time for count in _LONG for time in _find(data, count, around)]
    if _accidents(len(data), around) < MAX_ACCIDENTS:
        for count in _SHORT:
            for time in _find(data, count, around):
                found.append(time)
                found += _fraction(data, time)
    else:
        # compilers and writers of memory put it at a multiple of its size
        found += (time for time in _find(data, _WIDE_SECONDS, around) if time.start % _WIDE_SECONDS.width == 0)
    end = 0
    for time in sorted(found, key=lambda time: (time.start, -time.end)):
        if time.start >= end:
            end = time.end
            yield time


def _accidents(size: int, around: Around) -> float:
    """Count the 32-bit values within the window that chance puts into so many bytes, read in four ways."""
    return size * 2 * len(_SHORT) * (around[1] - around[0] + 1) / 2**32


def _find(data: bytes, count: _Count, around: Around) -> Iterator[BinaryTime]:
    if not 315_532_800 <= around[0] <= around[1] < 2**32:
        return
    low, high = count.count(around[0]), count.count(around[1])
    dropped = 0
    while (high >> 8 * dropped) - (low >> 8 * dropped) >= _MAX_PREFIXES:
        dropped += 1
    for prefix in range(low >> 8 * dropped, (high >> 8 * dropped) + 1):
        for order, before in (("big", 0), ("little", dropped)):
            key = prefix.to_bytes(count.width - dropped, "big")
            for position in _places(data, key if order == "big" else key[::-1]):
                start = position - before
                value = data[max(start, 0) : start + count.width]
                if start < 0 or len(value) < count.width:
                    continue
                if low <= int.from_bytes(value if order == "big" else value[::-1], "big") <= high:
                    form = f"{count.name}, {count.width * 8} bits, {order} endian"
                    yield BinaryTime(start, start + count.width, form)


def _places(data: bytes, key: bytes) -> Iterator[int]:
    position = data.find(key)
    while position >= 0:
        yield position
        position = data.find(key, position + 1)


def _fraction(data: bytes, time: BinaryTime) -> Iterator[BinaryTime]:
    """Find what follows a count of seconds that has 64 bits, if it can be a fraction of a second."""
    if not time.form.startswith("seconds,"):
        return
    is_little = time.form.endswith("little endian")
    zeros = data[time.end : time.end + 4] if is_little else data[max(time.start - 4, 0) : time.start]
    start = time.end + 4 if is_little else time.end
    value = data[start : start + 8]
    if zeros != b"\0\0\0\0" or len(value) < 8:
        return
    if 0 < int.from_bytes(value, "little" if is_little else "big") < _NANOSECONDS:
        yield BinaryTime(start, start + 8, "fraction of a second, 64 bits")
