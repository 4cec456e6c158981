"""Inflate what lies compressed in a content, and find out whether a known compressor gives the same bytes back.

A compressed stream holds more than its content: another level or another program writes other bytes for the same.
Where compressing again gives the very stream, its content and the compressor's name say all; else the stream itself
is kept.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import Final, NamedTuple, Protocol

_PIECE_BYTES: Final = 1024 * 1024
_PROBE_BYTES: Final = 256 * 1024
_FEED_BYTES: Final = 64 * 1024
_MAX_TRIES: Final = 4
"""How often a whole content is compressed again, where its beginning comes out right."""

LEVELS: Final = (6, 9, 1, 5, 4, 3, 2, 7, 8)
"""Levels of zlib, the common ones first."""


class Budget:
    """How many bytes may still come out of one content, all that is nested in it together."""

    def __init__(self, left: int) -> None:
        self.left = left


class Inflated(NamedTuple):
    """What came out, how many bytes of input it took, and the zlib settings that give the stream back (or None)."""

    content: bytes
    used: int
    encoder: str | None


class Machine(Protocol):
    """A decompressor of one stream, as lzma and zstd have them."""

    @property
    def eof(self) -> bool:
        """Whether the stream has ended."""

    @property
    def unused_data(self) -> bytes:
        """What was fed beyond the stream's end."""

    def decompress(self, data: bytes, max_length: int) -> bytes:
        """Take `data`, and give at most `max_length` bytes of content."""


def run_machine(
    machine: Machine, data: bytes, start: int, budget: Budget, damage: type[Exception]
) -> tuple[bytes, int] | None:
    """Inflate the stream at `start`: its content, and how many bytes it took.

    None when it is damaged (the machine raises `damage`) or holds more than the budget allows.
    """
    pieces: list[bytes] = []
    fed = data[start:]
    try:
        while not machine.eof:
            piece = machine.decompress(fed, min(_PIECE_BYTES, budget.left + 1))
            budget.left -= len(piece)
            if budget.left < 0:
                budget.left = 0
                return None
            if not piece and not machine.eof:
                return None
            pieces.append(piece)
            fed = b""
    except (damage, MemoryError):
        return None
    return b"".join(pieces), len(data) - start - len(machine.unused_data)


def inflate_raw(data: bytes, start: int, budget: Budget, levels: Sequence[int] = LEVELS) -> Inflated | None:
    """Inflate the raw deflate stream at `start`; None when it is damaged or holds more than the budget allows.

    `levels` are those of zlib that may have made it.
    """
    machine = zlib.decompressobj(-zlib.MAX_WBITS)
    pieces: list[bytes] = []
    position = start
    try:
        while not machine.eof:
            piece = machine.unconsumed_tail or data[position : position + _FEED_BYTES]
            if not piece:
                return None
            position += 0 if machine.unconsumed_tail else len(piece)
            pieces.append(machine.decompress(piece, budget.left + 1))
            budget.left -= len(pieces[-1])
            if budget.left < 0:
                budget.left = 0
                return None
    except zlib.error:
        return None
    content = b"".join(pieces)
    end = position - len(machine.unused_data)
    return Inflated(content, end - start, _encoder_of(content, data[start:end], levels))


def _encoder_of(content: bytes, stream: bytes, levels: Sequence[int]) -> str | None:
    tries = _MAX_TRIES
    for level in levels:
        for memory in (8, 9):
            machine = zlib.compressobj(level, zlib.DEFLATED, -zlib.MAX_WBITS, memory)
            head = machine.compress(content[:_PROBE_BYTES])
            if not stream.startswith(head):
                continue
            if len(content) > _PROBE_BYTES:
                tries -= 1
            if tries < 0:
                return None
            if head + machine.compress(content[_PROBE_BYTES:]) + machine.flush() == stream:
                return f"zlib level {level} memory {memory}"
    return None
