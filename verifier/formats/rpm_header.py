"""Unfold a header of rpm's database: the index of tags and the values, those of an installation by name.

In the database a header has no magic before it: the number of tags, the size of the values, the index, the values
(rpm, docs/manual/format_header.md; lib/header.c, `headerImport`).
"""

from __future__ import annotations

import struct
from typing import Final, NamedTuple

from verifier.formats.field import Node
from verifier.formats.limits import MAX_MEMBERS
from verifier.formats.spans import Cutter

_ENTRY: Final = struct.Struct(">iIiI")
_START_BYTES: Final = 8
_REGIONS: Final = (61, 62, 63)
_INT32: Final = 4
_INSTALL_TIME, _INSTALL_ID = 1008, 1128
_NAMES: Final = {_INSTALL_TIME: "INSTALLTIME", _INSTALL_ID: "INSTALLTID"}


class _Value(NamedTuple):
    """One tag's value: where it lies among the values."""

    start: int
    end: int
    name: str


def is_rpm_header(data: bytes) -> bool:
    """Tell by the sizes, which give the whole, and by the first tag, which is a region of 16 bytes."""
    if len(data) < _START_BYTES + _ENTRY.size:
        return False
    count, size = struct.unpack_from(">II", data)
    tag, kind, _, length = _ENTRY.unpack_from(data, _START_BYTES)
    whole = _START_BYTES + count * _ENTRY.size + size
    return count > 0 and whole == len(data) and (tag in _REGIONS, kind, length) == (True, 7, 16)


def unfold_rpm_header(data: bytes, name: str, offset: int) -> Node:
    """Unfold a header. Raises ValueError where it is damaged."""
    count, size = struct.unpack_from(">II", data)
    if count > MAX_MEMBERS:
        raise ValueError("too many tags")
    base = _START_BYTES + count * _ENTRY.size
    cutter = Cutter(data)
    for value in sorted(_values(data, count, size)):
        cutter.take("", "bytes", base + value.start - cutter.position)
        cutter.take(value.name, "rpm-install", value.end - value.start)
    return cutter.finish(name, "rpm header", offset)


def _values(data: bytes, count: int, size: int) -> list[_Value]:
    found = []
    for position in range(count):
        tag, kind, start, length = _ENTRY.unpack_from(data, _START_BYTES + position * _ENTRY.size)
        if tag in _NAMES and kind == _INT32 and length:
            if not 0 <= start <= start + 4 * length <= size:
                raise ValueError("a value outside of the header")
            found.append(_Value(start, start + 4 * length, _NAMES[tag]))
    return found
