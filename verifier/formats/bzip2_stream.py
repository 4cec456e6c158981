"""Unfold bzip2 streams: each stream's content; the stream follows from it where libbz2 gives it back at its level."""

from __future__ import annotations

import bz2
from dataclasses import replace
from typing import Final

from verifier.formats.deflate import Budget, run_machine
from verifier.formats.field import Node
from verifier.formats.limits import MAX_MEMBERS, MIB
from verifier.formats.spans import Cutter
from verifier.formats.tar_archive import Unfolder

_BLOCK: Final = bytes.fromhex("314159265359")
"""What the first block of a stream begins with, and …"""

_END: Final = bytes.fromhex("177245385090")
"""… the end of a stream of no blocks."""

_MAX_TRIED_BYTES: Final = 16 * MIB
"""Of a content that is compressed again."""


def is_bzip2(data: bytes) -> bool:
    """Tell by the magic, a level, and what a stream begins with."""
    return data[:3] == b"BZh" and data[3:4].isdigit() and data[3:4] != b"0" and data[4:10] in (_BLOCK, _END)


def unfold_bzip2(data: bytes, name: str, offset: int, unfold: Unfolder, budget: Budget) -> Node:
    """Unfold every stream. Raises ValueError for damage, and for more bytes than the budget allows."""
    cutter = Cutter(data)
    for _ in range(MAX_MEMBERS):
        if not is_bzip2(cutter.peek(10)):
            break
        inflated = run_machine(bz2.BZ2Decompressor(), data, cutter.position, budget, OSError)
        if inflated is None:
            raise ValueError("damaged, or too large")
        content, used = inflated
        stream, level = cutter.peek(used), int(cutter.peek(4)[3:])
        is_given_back = len(content) <= _MAX_TRIED_BYTES and bz2.compress(content, level) == stream
        node = unfold(content, "content", cutter.position)
        encoder = f"libbz2 level {level}" if is_given_back else None
        cutter.nest(replace(node, encoder=encoder, stream=None if is_given_back else stream), used)
    return cutter.finish(name, "bzip2", offset)
