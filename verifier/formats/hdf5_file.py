"""Unfold an HDF5 file (HDF5 File Format Specification, version 3): times of its objects, and checksums over them.

An object header of version 1 holds a message "Object Modification Time" (IV.A.2.s); one of version 2 (IV.A.1.b) four
times behind its flags, and a checksum at its end (Bob Jenkins' lookup3), which follows from the rest. Headers are found
by what they begin with: the tree that leads to them says nothing more of them. One of version 2 counts where its
checksum is right.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from verifier.formats.field import Node
from verifier.formats.limits import MAX_MEMBERS
from verifier.formats.spans import Cutter

_SIGNATURE: Final = b"\x89HDF\r\n\x1a\n"
_MESSAGE: Final = re.compile(rb"[\x00\x12]\x00\x08\x00[\x00-\x07]\x00\x00\x00\x01\x00\x00\x00(?=.{4})", re.DOTALL)
"""Type, size and flags of the message, its version, and what is reserved; seconds since 1970 follow.

Where such a message was dropped, its type says NIL (IV.A.2.a), and its bytes stay.
"""

_HEADER: Final = re.compile(rb"OHDR\x02")
_STORES_TIMES: Final = 0x20
_STORES_PHASES: Final = 0x10
_SIZE_BITS: Final = 0x03
_TIMES: Final = ("access", "modification", "change", "birth")
_MAX_HEADER: Final = 64 * 1024
"""Of a header of version 2, in bytes; a checksum over more is not looked at."""

_MAX_CHECKED: Final = 1024 * 1024
"""Of all such headers of one file."""

_WORD: Final = 0xFFFFFFFF

_Span = tuple[int, int, str, bool]
"""Start and end of a field, its name, and whether it follows from the rest."""


def is_hdf5(data: bytes) -> bool:
    """Tell by the signature at the file's start."""
    return data.startswith(_SIGNATURE)


def unfold_hdf5(data: bytes, name: str, offset: int) -> Node:
    """Unfold times and checksums; all else is data between them. Raises ValueError where there are too many."""
    cutter = Cutter(data)
    spans = sorted([*_messages(data), *_headers(data)])
    if len(spans) > MAX_MEMBERS:
        raise ValueError("too many objects")
    for start, end, part, derived in spans:
        if start >= cutter.position:
            cutter.take("data", "hdf5-data", start - cutter.position)
            cutter.take(part, "bytes" if derived else "hdf5-time", end - start, derived=derived)
    cutter.take("data", "hdf5-data", cutter.left)
    return cutter.finish(name, "hdf5", offset)


def _messages(data: bytes) -> Iterator[_Span]:
    for match in _MESSAGE.finditer(data):
        yield match.end(), match.end() + 4, "modification time", False


def _headers(data: bytes) -> Iterator[_Span]:
    """Yield checksum and times, if it has any, of each header of version 2 whose checksum is right."""
    checked = 0
    for match in _HEADER.finditer(data):
        start = match.start()
        flags = data[start + 5] if start + 5 < len(data) else 0
        times = start + 6
        position = times + 16 * bool(flags & _STORES_TIMES) + 4 * bool(flags & _STORES_PHASES)
        width = 1 << (flags & _SIZE_BITS)
        end = position + width + int.from_bytes(data[position : position + width], "little")
        checked += max(0, min(end, len(data)) - start)
        if end - start > _MAX_HEADER or end + 4 > len(data) or checked > _MAX_CHECKED:
            continue
        if lookup3(data[start:end]) == int.from_bytes(data[end : end + 4], "little"):
            for number, kind in enumerate(_TIMES if flags & _STORES_TIMES else ()):
                yield times + 4 * number, times + 4 * number + 4, f"{kind} time", False
            yield end, end + 4, "checksum", True


def lookup3(data: bytes) -> int:
    """Digest bytes as Bob Jenkins' lookup3 (`hashlittle`) does, which HDF5 calls its checksum."""
    first = second = third = (0xDEADBEEF + len(data)) & _WORD
    whole = max(0, (len(data) - 1) // 12) * 12
    for start in range(0, whole, 12):
        first = (first + int.from_bytes(data[start : start + 4], "little")) & _WORD
        second = (second + int.from_bytes(data[start + 4 : start + 8], "little")) & _WORD
        third = (third + int.from_bytes(data[start + 8 : start + 12], "little")) & _WORD
        first, second, third = _mix(first, second, third)
    rest = data[whole:].ljust(12, b"\0")
    if not data:
        return third
    first = (first + int.from_bytes(rest[:4], "little")) & _WORD
    second = (second + int.from_bytes(rest[4:8], "little")) & _WORD
    third = (third + int.from_bytes(rest[8:], "little")) & _WORD
    return _finish(first, second, third)


def _turned(value: int, bits: int) -> int:
    return (value << bits | value >> (32 - bits)) & _WORD


def _mix(first: int, second: int, third: int) -> tuple[int, int, int]:
    for bits in (4, 6, 8, 16, 19, 4):
        first = ((first - third) & _WORD) ^ _turned(third, bits)
        third = (third + second) & _WORD
        first, second, third = second, third, first
    return first, second, third


def _finish(first: int, second: int, third: int) -> int:
    for bits in (14, 11, 25, 16, 4, 14, 24):
        third = ((third ^ second) - _turned(second, bits)) & _WORD
        first, second, third = second, third, first
    return second
