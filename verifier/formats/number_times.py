"""Times among the numbers of a program's data: what a pickle holds one by one, and arrays of NumPy's."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

from verifier.formats.binary_times import BinaryTime, find_binary_times
from verifier.formats.time_readings import Around

_UNITS: Final = (("seconds", 1), ("milliseconds", 10**3), ("microseconds", 10**6), ("nanoseconds", 10**9))
_MICROSECONDS: Final = 10**6
_MONTH: Final = 0x7F
"""The month's highest bit is the fold (PEP 495)."""

_WORD: Final = 8
_MAX_ARRAY: Final = 1024 * 1024
"""A longer array is not looked through."""


def packed_date(value: bytes) -> float | None:
    """Read what a `datetime` is pickled as, ten bytes, as if it were UTC; None where it is no date."""
    year = int.from_bytes(value[:2], "big")
    month, day, hour, minute, second = value[2] & _MONTH, *value[3:7]
    microsecond = int.from_bytes(value[7:10], "big")
    try:
        moment = datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    except ValueError:
        return None
    return moment.timestamp() + microsecond / _MICROSECONDS if microsecond < _MICROSECONDS else None


def integer_readings(value: bytes) -> Iterator[tuple[float, float, str]]:
    """Yield what a little-endian integer may mean: seconds since 1970, how large its steps are, and its unit."""
    number = int.from_bytes(value, "little", signed=True)
    for name, unit in _UNITS:
        yield number / unit, 1 / unit, name


def double(value: bytes) -> float:
    """Read a double in big-endian order, as a pickle has it."""
    number: float = struct.unpack(">d", value)[0]
    return number


def times_in_array(data: bytes, around: Around) -> Iterator[BinaryTime]:
    """Yield the times in an array of 64-bit counts, as `datetime64` is; none where its bytes are no such items."""
    if len(data) % _WORD or len(data) > _MAX_ARRAY:
        return
    for time in find_binary_times(data, around):
        if time.end - time.start == _WORD and time.start % _WORD == 0 and "little" in time.form:
            yield time
