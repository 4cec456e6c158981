"""Unfold gzip members (RFC 1952): MTIME, OS and name beside the inflated content."""

from __future__ import annotations

import struct
import zlib
from dataclasses import replace
from typing import Final

from verifier.formats.deflate import LEVELS, Budget, inflate_raw
from verifier.formats.field import Node
from verifier.formats.limits import MAX_MEMBERS
from verifier.formats.spans import Cutter
from verifier.formats.tar_archive import Unfolder

_FHCRC, _FEXTRA, _FNAME, _FCOMMENT = 2, 4, 8, 16
_LEVELS: Final = {2: (9, 8), 4: (1,)}
"""Levels that an XFL tells of (RFC 1952, 2.3.1), as zlib writes it: short contents come out alike at several."""

_HEADER: Final = (("magic", "bytes", 2), ("method", "bytes", 1), ("flags", "bytes", 1), ("MTIME", "gzip-mtime", 4))


def is_gzip(data: bytes) -> bool:
    """Tell by the magic, the one method there is, and flags that are defined."""
    return len(data) >= 18 and data[:3] == b"\x1f\x8b\x08" and not data[3] & 0xE0


def unfold_gzip(data: bytes, name: str, offset: int, unfold: Unfolder, budget: Budget) -> Node:
    """Unfold every member. Raises ValueError for damage, and for more bytes than the budget allows."""
    cutter = Cutter(data)
    members = 0
    while is_gzip(cutter.peek(18)):
        members += 1
        if members > MAX_MEMBERS:
            raise ValueError("too many members")
        _take_member(cutter, unfold, budget)
    if not members:
        raise ValueError("no gzip member")
    return cutter.finish(name, "gzip", offset)


def _take_member(cutter: Cutter, unfold: Unfolder, budget: Budget) -> None:
    flags = cutter.peek(4)[3]
    for part, kind, size in _HEADER:
        cutter.take(part, kind, size)
    levels = _LEVELS.get(cutter.peek(1)[0], ())
    cutter.take("XFL", "bytes", 1)
    cutter.take("OS", "bytes", 1)
    if flags & _FEXTRA:
        cutter.take("extra", "bytes", 2 + int.from_bytes(cutter.peek(2), "little"))
    for bit, part in ((_FNAME, "name"), (_FCOMMENT, "comment")):
        if flags & bit:
            cutter.take(part, "bytes", cutter.data.index(b"\0", cutter.position) + 1 - cutter.position)
    if flags & _FHCRC:
        cutter.take("header checksum", "bytes", 2)
    found = inflate_raw(cutter.data, cutter.position, budget, sorted(LEVELS, key=lambda level: level not in levels))
    if found is None:
        raise ValueError("damaged, or too large")
    node = unfold(found.content, "content", cutter.position)
    stream = None if found.encoder else cutter.peek(found.used)
    cutter.nest(replace(node, encoder=found.encoder, stream=stream), found.used)
    trailer = struct.pack("<II", zlib.crc32(found.content), len(found.content) & 0xFFFFFFFF)
    cutter.take("checksum and size", "bytes", 8, derived=cutter.peek(8) == trailer)
