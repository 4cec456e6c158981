"""Read SQLite's records: variable-length integers, serial types, and how much of a payload stays in its page.

Source: https://www.sqlite.org/fileformat2.html, sections 1.6 ("B-tree Pages") and 2.1 ("Record Format").
"""

from __future__ import annotations

import struct
from typing import Final, NamedTuple

_INTEGER_BYTES: Final = (0, 1, 2, 3, 4, 6, 8)
_REAL, _ZERO, _ONE = 7, 8, 9
_MAX_COLUMNS: Final = 2000
"""SQLite's own default limit is 2000 columns in one table."""


class Value(NamedTuple):
    """One column of a record: its kind (`integer`, `real`, `text`, `blob`) and where it lies in the payload."""

    kind: str
    start: int
    end: int


def read_varint(data: bytes, position: int) -> tuple[int, int]:
    """Read a big-endian integer of one to nine bytes; give it and the position behind it. Raises IndexError."""
    value = 0
    for count in range(8):
        byte = data[position + count]
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            return value, position + count + 1
    return value << 8 | data[position + 8], position + 9


def read_record(payload: bytes) -> list[Value]:
    """Cut a record into its values. Raises ValueError and IndexError where it is none."""
    size, position = read_varint(payload, 0)
    if not position <= size <= len(payload):
        raise ValueError("a record's header is longer than the record")
    values: list[Value] = []
    start = size
    while position < size:
        serial = payload[position]
        if serial < 0x80:
            position += 1
        else:
            serial, position = read_varint(payload, position)
        kind, length = _kind_of(serial)
        values.append(Value(kind, start, start + length))
        start += length
        if len(values) > _MAX_COLUMNS:
            raise ValueError("too many columns")
    if position != size or start != len(payload):
        raise ValueError("a record is not of the size that its header says")
    return values


def _kind_of(serial: int) -> tuple[str, int]:
    if serial < len(_INTEGER_BYTES):
        return "integer", _INTEGER_BYTES[serial]
    if serial == _REAL:
        return "real", 8
    if serial in (_ZERO, _ONE):
        return "integer", 0
    if serial in (10, 11):
        raise ValueError("a serial type that never stands in a file")
    return ("text", (serial - 13) // 2) if serial % 2 else ("blob", (serial - 12) // 2)


def number_of(value: bytes) -> int:
    """Read an integer column: signed, big-endian."""
    return int.from_bytes(value, "big", signed=True)


def real_of(value: bytes) -> float:
    """Read a column of eight bytes that holds a real number."""
    return float(struct.unpack(">d", value)[0])


def local_bytes(payload: int, usable: int, *, is_table_leaf: bool) -> int:
    """Say how many bytes of a payload its page holds; the rest lies in overflow pages (section 1.6)."""
    most = usable - 35 if is_table_leaf else (usable - 12) * 64 // 255 - 23
    if payload <= most:
        return payload
    least = (usable - 12) * 32 // 255 - 23
    some = least + (payload - least) % (usable - 4)
    return some if some <= most else least
