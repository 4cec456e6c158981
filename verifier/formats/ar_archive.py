"""Unfold an ar archive (ar(5)): static libraries and Debian packages."""

from __future__ import annotations

from typing import Final

from verifier.formats.field import Node
from verifier.formats.limits import MAX_MEMBERS
from verifier.formats.spans import Cutter
from verifier.formats.tar_archive import Unfolder

MAGIC: Final = b"!<arch>\n"
_HEADER: Final = (
    ("name", "bytes", 16),
    ("time", "ar-time", 12),
    ("uid", "bytes", 6),
    ("gid", "bytes", 6),
    ("mode", "bytes", 8),
    ("size", "bytes", 10),
    ("end of the header", "bytes", 2),
)


def is_ar(data: bytes) -> bool:
    """Tell by the magic."""
    return data.startswith(MAGIC)


def unfold_ar(data: bytes, name: str, offset: int, unfold: Unfolder) -> Node:
    """Unfold an archive. Raises ValueError where it is none."""
    cutter = Cutter(data)
    cutter.take("magic", "bytes", len(MAGIC))
    members = 0
    while cutter.left >= 60:
        members += 1
        if members > MAX_MEMBERS:
            raise ValueError("too many members")
        header = cutter.peek(60)
        if header[58:] != b"`\n" or not header[48:58].strip(b" ").isdigit():
            raise ValueError("a member's header is damaged")
        label = header[:16].rstrip(b" ").rstrip(b"/").decode("utf-8", "backslashreplace") or "symbols"
        for part, kind, size in _HEADER:
            cutter.take(f"{label}: {part}", kind, size)
        size = int(header[48:58].strip(b" "))
        if size > cutter.left:
            raise ValueError("a member is cut off")
        if size:
            cutter.nest(unfold(cutter.peek(size), label, cutter.position), size)
        if size % 2 and cutter.left:
            cutter.take(f"{label}: padding", "bytes", 1)
    return cutter.finish(name, "ar", offset)
