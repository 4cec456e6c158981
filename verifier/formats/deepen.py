"""Unfold further what is dear to unfold: tried where the cheap unfolding did not explain a difference."""

from __future__ import annotations

from dataclasses import replace

from verifier.formats.elf_debug import deepen_elf
from verifier.formats.field import Node
from verifier.formats.go_embedded import deepen_embedded
from verifier.formats.python_bytecode import deepen_bytecode
from verifier.formats.tar_archive import deepen_tar
from verifier.formats.zip_archive import deepen_zip


def _deepen_program(node: Node) -> Node:
    return deepen_embedded(deepen_elf(node))


_DEEPER = {"elf": _deepen_program, "pyc": deepen_bytecode, "tar": deepen_tar, "zip": deepen_zip}


def deepen(node: Node) -> Node:
    """Unfold bytecode and debugging information in a tree, and archives by name; the very node where there are none.

    Injective as the unfolding is: whatever comes out the same was the same.
    """
    parts = tuple(deepen(part) if isinstance(part, Node) else part for part in node.parts)
    if any(part is not before for part, before in zip(parts, node.parts, strict=True)):
        node = replace(node, parts=parts)
    deeper = _DEEPER.get(node.format)
    return node if deeper is None else deeper(node)
