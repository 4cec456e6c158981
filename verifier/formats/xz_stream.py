"""Unfold xz streams (The .xz File Format 1.1): each stream's content, and padding between them.

The bytes of a stream follow from its content where one of liblzma's presets gives them back, as with `xz -6`; streams
of several blocks with their sizes (`xz -T0`, dpkg-deb) are kept beside what is in them.
"""

from __future__ import annotations

import lzma
from dataclasses import replace
from typing import Final

from verifier.formats.deflate import Budget, Inflated, run_machine
from verifier.formats.field import Node
from verifier.formats.limits import MAX_MEMBERS, MIB
from verifier.formats.spans import Cutter
from verifier.formats.tar_archive import Unfolder

MAGIC: Final = b"\xfd7zXZ\0"
_HEADER_BYTES: Final = 12
_MEMORY_LIMIT: Final = 128 * MIB
"""What a stream may ask for as dictionary: preset 9 takes 65 MiB."""

_MAX_TRIED_BYTES: Final = 8 * MIB
"""Of a content that is compressed again: LZMA takes seconds for more."""

_PROBE_BYTES: Final = 256 * 1024
_ONE_LZMA2_FILTER: Final = b"\0\x21\x01"
"""Flags of a block without sizes and with one filter, that filter's number, the length of its properties."""

_PRESETS: Final = {12: (0,), 16: (1,), 18: (2,), 20: (3, 4), 22: (6, 5), 24: (7,), 26: (8,), 28: (9,)}
"""Presets by the dictionary size that a block's header holds (section 5.3.1)."""


def is_xz(data: bytes) -> bool:
    """Tell by the magic."""
    return data.startswith(MAGIC)


def unfold_xz(data: bytes, name: str, offset: int, unfold: Unfolder, budget: Budget) -> Node:
    """Unfold every stream. Raises ValueError for damage, and for more bytes than the budget allows."""
    cutter = Cutter(data)
    for _ in range(MAX_MEMBERS):
        if not is_xz(cutter.peek(_HEADER_BYTES)):
            break
        found = _inflate(data, cutter.position, budget)
        if found is None:
            raise ValueError("damaged, or too large")
        node = unfold(found.content, "content", cutter.position)
        stream = None if found.encoder else cutter.peek(found.used)
        cutter.nest(replace(node, encoder=found.encoder, stream=stream), found.used)
    return cutter.finish(name, "xz", offset)


def _inflate(data: bytes, start: int, budget: Budget) -> Inflated | None:
    machine = lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_MEMORY_LIMIT)
    inflated = run_machine(machine, data, start, budget, lzma.LZMAError)
    if inflated is None:
        return None
    content, used = inflated
    return Inflated(content, used, _encoder_of(content, data[start : start + used]))


def _encoder_of(content: bytes, stream: bytes) -> str | None:
    block = stream[_HEADER_BYTES : _HEADER_BYTES + 5]
    if len(content) > _MAX_TRIED_BYTES or block[1:4] != _ONE_LZMA2_FILTER:
        return None
    for level in _PRESETS.get(block[4], ()):
        for extreme in (0, lzma.PRESET_EXTREME):
            try:
                machine = lzma.LZMACompressor(lzma.FORMAT_XZ, check=stream[7], preset=level | extreme)
            except lzma.LZMAError:
                return None
            head = machine.compress(content[:_PROBE_BYTES])
            if stream.startswith(head) and head + machine.compress(content[_PROBE_BYTES:]) + machine.flush() == stream:
                return f"xz preset {level}{'e' if extreme else ''} check {stream[7]}"
    return None
