"""Unfold a Python bytecode file (PEP 552; importlib's `_bootstrap_external`): flags, source mtime and size, code."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from verifier.formats.field import Field, Node
from verifier.formats.python_marshal import Marshalled
from verifier.formats.spans import Cutter

_CODE_OBJECTS: Final = (0x63, 0xE3)
"""The marshal type of a code object, without and with the reference flag."""

_FORMAT: Final = "pyc"
_CODE: Final = "code"


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
    cutter.take(_CODE, "marshal", cutter.left)
    return cutter.finish(name, _FORMAT, offset)


def deepen_bytecode(node: Node) -> Node:
    """Unfold the code as well, too slow for what differs by its header alone; the very node where it cannot be read."""
    parts = tuple(_deepened(node.parts))
    return node if len(parts) == len(node.parts) else replace(node, parts=parts)


def _deepened(parts: tuple[Field | Node, ...]) -> Iterator[Field | Node]:
    magic = parts[0].value if isinstance(parts[0], Field) else b""
    for part in parts:
        if not isinstance(part, Field) or part.name != _CODE:
            yield part
            continue
        try:
            read = Marshalled(part.value, int.from_bytes(magic[:2], "little"))
        except (ValueError, IndexError):
            yield part
            continue
        yield Field(name="values of the code", kind="marshal", value=read.values, offset=part.offset)
        yield Field(name="sharing of the values", kind="marshal-sharing", value=read.sharing, offset=part.offset)
        yield Field(name="order of the sets", kind="marshal-set-order", value=read.orders, offset=part.offset)
        if part.value[read.used :]:
            yield replace(part, name="rest", value=part.value[read.used :], offset=part.offset + read.used)
