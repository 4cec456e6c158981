"""Unfold a message catalogue of gettext's (`.mo`; GNU gettext manual, "The Format of GNU MO Files"): its header."""

from __future__ import annotations

import struct
from typing import Final

from verifier.formats.field import Node
from verifier.formats.spans import Cutter

_MAGIC: Final = {b"\xde\x12\x04\x95": "<", b"\x95\x04\x12\xde": ">"}
_HEAD_BYTES: Final = 28
_ENTRY_BYTES: Final = 8


def is_message_catalog(data: bytes) -> bool:
    """Tell by the magic in either byte order."""
    return data[:4] in _MAGIC and len(data) >= _HEAD_BYTES


def unfold_message_catalog(data: bytes, name: str, offset: int) -> Node:
    """Unfold the translation of the empty string, which is the header of the `.po` file. Raises ValueError.

    The strings are sorted: the empty one comes first.
    """
    order = _MAGIC[data[:4]]
    revision, count, originals, translations = struct.unpack_from(f"{order}IIII", data, 4)
    if revision >> 16 > 1 or count < 1:
        raise ValueError("another revision, or no strings")
    if max(originals, translations) + _ENTRY_BYTES > len(data):
        raise ValueError("tables beyond the end")
    (length,) = struct.unpack_from(f"{order}I", data, originals)
    size, start = struct.unpack_from(f"{order}II", data, translations)
    if length or start < _HEAD_BYTES or start + size > len(data):
        raise ValueError("no header")
    cutter = Cutter(data)
    cutter.take("tables and strings", "bytes", start)
    cutter.take("header", "text", size)
    return cutter.finish(name, "message catalogue", offset)
