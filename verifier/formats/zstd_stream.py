"""Unfold Zstandard frames (RFC 8878): each frame's content, skippable frames as they are.

A frame's bytes follow from its content where one of libzstd's levels gives them back.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final

from verifier.formats.deflate import Budget, Inflated, run_machine
from verifier.formats.field import Node
from verifier.formats.limits import MAX_MEMBERS, MIB
from verifier.formats.spans import Cutter
from verifier.formats.tar_archive import Unfolder

MAGIC: Final = b"\x28\xb5\x2f\xfd"
_SKIPPABLE: Final = tuple(bytes((number, 0x2A, 0x4D, 0x18)) for number in range(0x50, 0x60))
_HAS_CHECKSUM: Final = 0x04
_SIZE_BITS: Final = 0xE0
"""Of the frame header's first byte: a content size stands there, or the frame is one segment, which says it too."""

_FAST_LEVELS, _SLOW_LEVELS = (3, 1, 2, 4, 5, 6, 7, 8, 9), (19, 10, 12, 15, 22)
_MAX_TRIED_BYTES, _MAX_SLOW_BYTES = 16 * MIB, 2 * MIB
"""Of a content that is compressed again, at a fast and at a slow level."""


def is_zstd(data: bytes) -> bool:
    """Tell by the magic."""
    return data.startswith(MAGIC)


def unfold_zstd(data: bytes, name: str, offset: int, unfold: Unfolder, budget: Budget) -> Node:
    """Unfold every frame. Raises ValueError for damage, and for more bytes than the budget allows."""
    cutter = Cutter(data)
    for _ in range(MAX_MEMBERS):
        if cutter.peek(4) in _SKIPPABLE:
            cutter.take("skippable frame", "bytes", 8 + int.from_bytes(cutter.peek(8)[4:], "little"))
        elif is_zstd(cutter.peek(4)):
            found = inflate_frame(data, cutter.position, budget)
            if found is None:
                raise ValueError("damaged, or too large")
            node = unfold(found.content, "content", cutter.position)
            stream = None if found.encoder else cutter.peek(found.used)
            cutter.nest(replace(node, encoder=found.encoder, stream=stream), found.used)
        else:
            break
    return cutter.finish(name, "zstd", offset)


def inflate_frame(data: bytes, start: int, budget: Budget) -> Inflated | None:
    """Inflate the frame at `start`; None when it is damaged or holds more than the budget allows."""
    zstd = _library()
    machine = zstd.ZstdDecompressor()
    inflated = run_machine(machine, data, start, budget, zstd.ZstdError)
    if inflated is None:
        return None
    content, used = inflated
    return Inflated(content, used, _encoder_of(content, data[start : start + used]))


def _encoder_of(content: bytes, frame: bytes) -> str | None:
    zstd, said = _library(), frame[4]
    options: dict[Any, int] = {
        zstd.CompressionParameter.checksum_flag: bool(said & _HAS_CHECKSUM),
        zstd.CompressionParameter.content_size_flag: bool(said & _SIZE_BITS),
    }
    for level in _levels(len(content)):
        options[zstd.CompressionParameter.compression_level] = level
        if zstd.compress(content, options=options) == frame:
            return f"zstd level {level}"
    return None


def _levels(size: int) -> Iterator[int]:
    if size <= _MAX_TRIED_BYTES:
        yield from _FAST_LEVELS
    if size <= _MAX_SLOW_BYTES:
        yield from _SLOW_LEVELS


def _library() -> Any:
    try:
        return importlib.import_module("compression.zstd")
    except ImportError:
        return importlib.import_module("backports.zstd")
