"""Unfold a tar archive inside a content (POSIX.1-2008, "ustar Interchange Format"): header fields, data, padding."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from verifier.formats.field import Node
from verifier.formats.limits import MAX_MEMBERS
from verifier.formats.spans import Cutter

_BLOCK: Final = 512
_HEADER: Final = (
    ("name", "bytes", 100),
    ("mode", "bytes", 8),
    ("uid", "bytes", 8),
    ("gid", "bytes", 8),
    ("size", "bytes", 12),
    ("mtime", "tar-mtime", 12),
    ("checksum", "bytes", 8),
    ("rest of the header", "bytes", 356),
)
_PAX_FLAGS: Final = (0x78, 0x67)
_WITHOUT_DATA: Final = frozenset(b"123456")

Unfolder = Callable[[bytes, str, int], Node]
"""Unfolds a member: its bytes, its name, its offset in the container."""


def is_tar(data: bytes) -> bool:
    """Tell by the first header: the magic, and a checksum that is right."""
    return len(data) >= _BLOCK and data[257:262] == b"ustar" and _has_checksum(data[:_BLOCK])


def unfold_tar(data: bytes, name: str, offset: int, unfold: Unfolder) -> Node:
    """Unfold an archive. Raises ValueError where it is none."""
    cutter = Cutter(data)
    members = 0
    while cutter.left >= _BLOCK and cutter.peek(_BLOCK).strip(b"\0"):
        members += 1
        if members > MAX_MEMBERS:
            raise ValueError("too many members")
        _take_member(cutter, unfold)
    return cutter.finish(name, "tar", offset)


def _take_member(cutter: Cutter, unfold: Unfolder) -> None:
    block = cutter.peek(_BLOCK)
    if not _has_checksum(block):
        raise ValueError("a header's checksum is wrong")
    label = block[:100].rstrip(b"\0").decode("utf-8", "backslashreplace")
    checksum = b"%06o\0 " % _checksum(block)
    for part, kind, size in _HEADER:
        # only the usual way of writing a checksum follows from the rest
        derived = part == "checksum" and block[148:156] == checksum
        cutter.take(f"{label}: {part}", kind, size, derived=derived)
    flag = block[156]
    size = 0 if flag in _WITHOUT_DATA else _number(block[124:136])
    if flag in _PAX_FLAGS:
        cutter.take(f"{label}: pax records", "pax-records", size)
    elif size:
        if size > cutter.left:
            raise ValueError("a member is cut off")
        cutter.nest(unfold(cutter.peek(size), label, cutter.position), size)
    cutter.take(f"{label}: padding", "bytes", min(-size % _BLOCK, cutter.left))


def _number(field: bytes) -> int:
    text = field.strip(b" \0")
    if not text:
        return 0
    if not text.isdigit():
        raise ValueError("a size that is no octal number")
    return int(text, 8)


def _checksum(block: bytes) -> int:
    return sum(block) - sum(block[148:156]) + 8 * 0x20


def _has_checksum(block: bytes) -> bool:
    try:
        return _number(block[148:156]) == _checksum(block)
    except ValueError:
        return False
