"""Unfold a zlib stream (RFC 1950), as joblib and git's objects have it: the inflated content and its checksum."""

from __future__ import annotations

import zlib
from dataclasses import replace
from typing import Final

from verifier.formats.deflate import LEVELS, Budget, inflate_raw
from verifier.formats.field import Node
from verifier.formats.spans import Cutter
from verifier.formats.tar_archive import Unfolder

_METHOD: Final = 0x78
"""Deflate with a window of 32 KiB, which everybody asks for."""

_DICTIONARY: Final = 0x20
_LEVELS: Final = ((1,), (3, 5, 4, 2), (6,), (9, 7, 8))
"""Levels that each FLEVEL tells of (RFC 1950, 2.2), as zlib writes it."""


def is_zlib(data: bytes) -> bool:
    """Tell by the method, the check bits, and that no dictionary is asked for."""
    is_header = len(data) > 6 and data[0] == _METHOD and int.from_bytes(data[:2], "big") % 31 == 0
    return is_header and not data[1] & _DICTIONARY


def unfold_zlib(data: bytes, name: str, offset: int, unfold: Unfolder, budget: Budget) -> Node:
    """Unfold one stream that is the whole content. Raises ValueError for damage, and for what is too large."""
    cutter = Cutter(data)
    levels = _LEVELS[cutter.take("header", "bytes", 2)[1] >> 6]
    found = inflate_raw(data, 2, budget, [*levels, *(level for level in LEVELS if level not in levels)])
    if found is None or found.used + 6 != len(data):
        raise ValueError("damaged, too large, or not the whole content")
    node = unfold(found.content, "content", 2)
    stream = None if found.encoder else data[2 : 2 + found.used]
    cutter.nest(replace(node, encoder=found.encoder, stream=stream), found.used)
    checksum = zlib.adler32(found.content).to_bytes(4, "big")
    cutter.take("checksum", "bytes", 4, derived=cutter.peek(4) == checksum)
    return cutter.finish(name, "zlib", offset)
