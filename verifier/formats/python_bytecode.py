"""Unfold a Python bytecode file (PEP 552; importlib's `_bootstrap_external`): flags, source mtime and size, code."""

from __future__ import annotations

from typing import Final

from verifier.formats.field import Node
from verifier.formats.spans import Cutter

_CODE_OBJECTS: Final = (0x63, 0xE3)
"""The marshal type of a code object, without and with the reference flag."""


def is_bytecode(data: bytes) -> bool:
    """Tell by the magic number's line end, a defined flags word and a code object behind the header."""
    return len(data) > 16 and data[2:4] == b"\r\n" and data[4:8] in _FLAGS and data[16] in _CODE_OBJECTS


_FLAGS: Final = tuple(bytes((flags, 0, 0, 0)) for flags in (0, 1, 3))


def unfold_bytecode(data: bytes, name: str, offset: int) -> Node:
    """Unfold the header; with flags of 0 it holds the source's mtime and size, else its hash."""
    cutter = Cutter(data)
    cutter.take("magic", "bytes", 4)
    if cutter.take("flags", "bytes", 4) == _FLAGS[0]:
        cutter.take("source mtime", "pyc-mtime", 4)
        cutter.take("source size", "bytes", 4)
    else:
        cutter.take("source hash", "bytes", 8)
    cutter.take("code", "bytes", cutter.left)
    return cutter.finish(name, "pyc", offset)
