"""Unfold ldconfig's auxiliary cache (glibc, elf/cache.c, `struct aux_cache_file`): inode, ctime, device of libraries.

The records' order follows from the libraries' inode numbers (they are written slot by slot of a table hashed by
inode), and the table of names follows the records. Both are taken apart here: records in the order of what they say,
and the order that they came in as a field of its own. Each record ends in four bytes of padding, whatever was in
memory.
"""

from __future__ import annotations

import struct
from typing import Final, NamedTuple

from verifier.formats.field import Field, Node
from verifier.formats.limits import MAX_MEMBERS

_MAGICS: Final = (b"glibc-ld.so.auxcache-1.0", b"glibc-ld.so.auxcache-2.0")
_HEADER_BYTES: Final = 32
_RECORD: Final = struct.Struct("<QQQQiII4s")


class _Record(NamedTuple):
    """One library; what tells it from others comes first, for the order."""

    soname: bytes
    size: int
    flags: int
    level: int
    inode: int
    ctime: int
    device: int
    position: int


def is_library_cache(data: bytes) -> bool:
    """Tell by the magic."""
    return data.startswith(_MAGICS) and len(data) >= _HEADER_BYTES


def unfold_library_cache(data: bytes, name: str, offset: int) -> Node:
    """Unfold a cache of a little-endian machine with 64-bit numbers. Raises ValueError for any other form."""
    count, names_size = struct.unpack_from("<II", data, 24)
    names_start = _HEADER_BYTES + count * _RECORD.size
    if count > MAX_MEMBERS or names_start + names_size != len(data):
        raise ValueError("not of the size that its header says")
    records, paddings = _read(data, count, names_start)
    parts = [Field(name="header", kind="bytes", value=data[:_HEADER_BYTES], offset=0)]
    ordered = sorted(records)
    for record in ordered:
        parts += _fields_of(record)
    positions = b"".join(record.position.to_bytes(4, "little") for record in ordered)
    parts.append(Field(name="order of the records", kind="library-order", value=positions, offset=_HEADER_BYTES))
    parts.append(Field(name="padding of the records", kind="library-padding", value=paddings, offset=_HEADER_BYTES))
    return Node(name=name, format="ldconfig cache", parts=tuple(parts), offset=offset)


def _read(data: bytes, count: int, names_start: int) -> tuple[list[_Record], bytes]:
    """Read the records, and check that the names lie in their order, one after the other, once each."""
    records, paddings = [], []
    expected = 1
    for position in range(count):
        at = _HEADER_BYTES + position * _RECORD.size
        inode, ctime, size, device, flags, name_at, level, padding = _RECORD.unpack_from(data, at)
        start = names_start + name_at
        end = data.find(b"\0", start)
        if end < 0 or name_at not in (0, expected) or (name_at and end == start):
            raise ValueError("a name is not where it follows from the records")
        if name_at:
            expected = end + 1 - names_start
        records.append(_Record(data[start:end], size, flags, level, inode, ctime, device, position))
        paddings.append(padding)
    names = data[names_start:]
    if names and (names[:1] != b"\0" or len(names) != expected):
        raise ValueError("the table of names holds more than the records' names")
    return records, b"".join(paddings)


def _fields_of(record: _Record) -> list[Field]:
    at = _HEADER_BYTES + record.position * _RECORD.size
    label = record.soname.decode("utf-8", "backslashreplace") or "no name"
    said = struct.pack("<iI", record.flags, record.level) + record.soname
    size = struct.pack("<Q", record.size)
    return [
        Field(name=f"{label}: flags, name", kind="bytes", value=said, offset=at + 32),
        Field(name=f"{label}: size", kind="library-size", value=size, offset=at + 16),
        Field(name=f"{label}: inode", kind="library-inode", value=struct.pack("<Q", record.inode), offset=at),
        Field(name=f"{label}: ctime", kind="library-ctime", value=struct.pack("<Q", record.ctime), offset=at + 8),
        Field(name=f"{label}: device", kind="library-device", value=struct.pack("<Q", record.device), offset=at + 24),
    ]
