"""Unfold what SQLite leaves beside a database in WAL mode: the write-ahead log, and the index of it in shared memory.

Both hold two salts, random numbers that a new log gets, and checksums over them. A frame of the log holds one page;
which table it is of is not known here, so that its values have numbers for names.

Source: https://www.sqlite.org/fileformat2.html, section 4, and https://www.sqlite.org/walformat.html, section 2.
"""

from __future__ import annotations

import struct
from typing import Final

from verifier.formats.deflate import Budget
from verifier.formats.field import Node
from verifier.formats.limits import MAX_CELLS, MIB
from verifier.formats.spans import Cutter
from verifier.formats.sqlite_page import Geometry, Owner, Page, Pieces, values_of
from verifier.formats.tar_archive import Unfolder

_MAGICS: Final = {b"\x37\x7f\x06\x82": "<", b"\x37\x7f\x06\x83": ">"}
"""The last bit tells the byte order of the words that the checksums count."""

_VERSION: Final = 3007000
_HEADER_BYTES, _FRAME_BYTES, _FIRST_PAGE_HEADER = 32, 24, 100
_MAX_LOG_BYTES: Final = 16 * MIB
"""Of one log: its checksums are counted word by word."""

_INDEX_HEADER_BYTES: Final = 48
_Sums = tuple[int, int]


def is_log(data: bytes) -> bool:
    """Tell by the magic and the one version there is."""
    return len(data) >= _HEADER_BYTES and data[:4] in _MAGICS and data[4:8] == _VERSION.to_bytes(4, "big")


def unfold_log(data: bytes, name: str, offset: int, unfold: Unfolder) -> Node:
    """Unfold a write-ahead log. Raises ValueError where it is damaged."""
    order = _MAGICS[data[:4]]
    size = int.from_bytes(data[8:12], "big")
    if not 512 <= size <= 65536 or size & (size - 1) or len(data) > _MAX_LOG_BYTES:
        raise ValueError("a page size that there is not, or too large")
    cutter = Cutter(data)
    cutter.take("magic, version, page size, sequence", "bytes", 16)
    salts = cutter.take("salts", "sqlite-salt", 8)
    sums = _checksum(data[:24], (0, 0), order)
    cutter.take("checksum", "bytes", 8, derived=cutter.peek(8) == struct.pack(">II", *sums))
    reader = _Frames(cutter, size, unfold)
    while cutter.left >= _FRAME_BYTES + size and cutter.peek(16)[8:] == salts:
        sums = _checksum(cutter.peek(8) + cutter.peek(_FRAME_BYTES + size)[_FRAME_BYTES:], sums, order)
        reader.take(struct.pack(">II", *sums))
    return cutter.finish(name, "sqlite log", offset)


class _Frames:
    """Takes one frame after the other."""

    def __init__(self, cutter: Cutter, size: int, unfold: Unfolder) -> None:
        self._cutter = cutter
        # a log does not say how much of a page is reserved, nor how texts are encoded: nearly always nothing, and UTF-8
        self._shape = Geometry(size, size, "utf-8")
        self._unfold = unfold
        self._budget = Budget(MAX_CELLS)

    def take(self, sums: bytes) -> None:
        """Take one frame whose salts are the log's and whose checksum should be `sums`."""
        cutter = self._cutter
        number = int.from_bytes(cutter.peek(4), "big")
        label = f"page {number}"
        cutter.take(f"{label}: number, pages after the commit", "bytes", 8)
        cutter.take(f"{label}: salts", "sqlite-salt", 8, derived=True)
        cutter.take(f"{label}: checksum", "bytes", 8, derived=cutter.peek(8) == sums)
        start = cutter.position + (_FIRST_PAGE_HEADER if number == 1 else 0)
        try:
            node = self._page(Page(cutter.data, cutter.position, start, self._shape), label)
        except (ValueError, IndexError):
            # an overflow page, or one that was left unfinished
            cutter.take(label, "bytes", self._shape.size)
        else:
            cutter.nest(node, self._shape.size)

    def _page(self, page: Page, label: str) -> Node:
        pieces = Pieces(page.data, page.base)
        free = page.pointers()[0]
        for cell in page.cells():
            pieces.add_free(f"{label}, not in use", free, cell.start)
            if cell.size and cell.local == cell.size:
                payload = page.data[cell.payload : cell.end]
                owner = Owner(label, ())
                values = values_of(payload, cell, owner, self._shape.encoding, self._unfold, self._budget)
                for start, end, part in values:
                    pieces.add(part, cell.payload + start, cell.payload + end)
            free = cell.end
        end = page.base + page.shape.size
        pieces.add_free(f"{label}, not in use", free, end)
        pieces.flush(end, end)
        return Node(name=label, format="sqlite page", parts=tuple(pieces.parts), offset=page.base)


def is_log_index(data: bytes) -> bool:
    """Tell by the version, at both copies of the header, in the machine's own byte order."""
    return len(data) >= 136 and len(data) % 32768 == 0 and _order_of(data) is not None


def unfold_log_index(data: bytes, name: str, offset: int) -> Node:
    """Unfold the index of a log: both copies of its header; what follows is one field."""
    order = _order_of(data) or "<"
    cutter = Cutter(data)
    first = data[:_INDEX_HEADER_BYTES]
    for copy in ("header", "copy of the header"):
        is_copy = cutter.position > 0 and cutter.peek(_INDEX_HEADER_BYTES) == first
        cutter.take(f"{copy}: version, changes, sizes", "bytes", 24, derived=is_copy)
        cutter.take(f"{copy}: checksum of the last frame", "sqlite-checksum", 8, derived=is_copy)
        cutter.take(f"{copy}: salts", "sqlite-salt", 8, derived=is_copy)
        head = data[cutter.position - 40 : cutter.position]
        sums = struct.pack(f"{order}II", *_checksum(head, (0, 0), order))
        cutter.take(f"{copy}: checksum", "bytes", 8, derived=is_copy or cutter.peek(8) == sums)
    return cutter.finish(name, "sqlite log index", offset)


def _order_of(data: bytes) -> str | None:
    for order in "<>":
        version = struct.pack(f"{order}I", _VERSION)
        if data[:4] == version == data[_INDEX_HEADER_BYTES : _INDEX_HEADER_BYTES + 4]:
            return order
    return None


def _checksum(data: bytes, sums: _Sums, order: str) -> _Sums:
    """Count the log's checksum on, over pairs of words (section 4.2)."""
    first, second = sums
    words = struct.unpack(f"{order}{len(data) // 4}I", data)
    for word, other in zip(words[::2], words[1::2], strict=True):
        first = (first + word + second) & 0xFFFFFFFF
        second = (second + other + first) & 0xFFFFFFFF
    return first, second
