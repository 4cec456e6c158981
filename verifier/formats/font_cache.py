"""Unfold a fontconfig cache (fontconfig, src/fcint.h, `struct _FcCache`) of a little-endian 64-bit machine."""

from __future__ import annotations

import struct
from typing import Final

from verifier.formats.field import Node
from verifier.formats.spans import Cutter

_MAGICS: Final = (0xFC02FC04, 0xFC02FC05)
_HEADER_BYTES: Final = 64


def is_font_cache(data: bytes) -> bool:
    """Tell by the magic, a version that has this header, and the size it says of itself."""
    if len(data) < _HEADER_BYTES:
        return False
    magic, version, size = struct.unpack_from("<IIQ", data)
    return magic in _MAGICS and 7 <= version <= 9 and size == len(data)


def unfold_font_cache(data: bytes, name: str, offset: int) -> Node:
    """Unfold the header; what follows it is one field."""
    cutter = Cutter(data)
    cutter.take("start of the header", "bytes", 48)
    cutter.take("directory mtime", "font-cache-time", 4)
    cutter.take("padding", "bytes", 4)
    cutter.take("directory mtime, nanoseconds", "font-cache-nanoseconds", 8)
    return cutter.finish(name, "fontconfig cache", offset)
