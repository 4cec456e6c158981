"""Unfold a Berkeley DB file (dbinc/db_page.h): the identifier in its first page, and the values of hash tables.

The identifier is made of the file's inode number, its device and a serial number that starts at random
(os/os_fid.c). Pages that were made from the first one's memory hold a copy of it.
"""

from __future__ import annotations

import struct
from typing import Final

from verifier.formats.field import Node
from verifier.formats.limits import MAX_CELLS
from verifier.formats.spans import Cutter
from verifier.formats.text import is_text

_ORDERS: Final = {struct.pack(f"{order}I", magic): order for magic in (0x053162, 0x061561, 0x042253) for order in "<>"}
_META_TYPES: Final = (7, 8, 9, 10)
_HASH_TYPES: Final = (2, 13)
_META_BYTES, _PAGE_HEADER_BYTES = 512, 26
_IDENTIFIER: Final = slice(52, 72)
_ON_PAGE: Final = 1


def is_berkeley_database(data: bytes) -> bool:
    """Tell by the magic of btree, hash or queue, the type of the page, and a file of whole pages."""
    if len(data) < _META_BYTES or data[12:16] not in _ORDERS or data[25] not in _META_TYPES:
        return False
    size = _page_size(data)
    return 512 <= size <= 65536 and not size & (size - 1) and len(data) % size == 0


def _page_size(data: bytes) -> int:
    return int(struct.unpack_from(f"{_ORDERS[data[12:16]]}I", data, 20)[0])


def unfold_berkeley_database(data: bytes, name: str, offset: int) -> Node:
    """Unfold a database. Raises ValueError where it is damaged."""
    order, size = _ORDERS[data[12:16]], _page_size(data)
    cutter = Cutter(data)
    cutter.take("start of the header", "bytes", _IDENTIFIER.start)
    identifier = cutter.take("file identifier", "berkeley-identifier", _IDENTIFIER.stop - _IDENTIFIER.start)
    cutter.take("rest of the first page", "bytes", size - cutter.position)
    left = MAX_CELLS
    while cutter.left:
        page = cutter.peek(size)
        count = int(struct.unpack_from(f"{order}H", page, 20)[0])
        left -= count
        if left < 0:
            raise ValueError("too many values")
        if page[25] in _HASH_TYPES and count:
            _take_values(cutter, page, struct.unpack_from(f"{order}{count}H", page, _PAGE_HEADER_BYTES), identifier)
        elif page[_IDENTIFIER] == identifier:
            cutter.take("", "bytes", _IDENTIFIER.start)
            cutter.take("copy of the file identifier", "bytes", len(identifier), derived=True)
            cutter.take("", "bytes", size - _IDENTIFIER.stop)
        else:
            cutter.take("", "bytes", size)
    return cutter.finish(name, "berkeley db", offset)


def _take_values(cutter: Cutter, page: bytes, places: tuple[int, ...], identifier: bytes) -> None:
    """Take a page of a hash table: keys and values by turns lie from its end to its start.

    What lies between their list and the last of them is free, and may hold what the memory held before.
    """
    base, ends, free = cutter.position, (len(page), *places), _PAGE_HEADER_BYTES + 2 * len(places)
    if list(ends) != sorted(ends, reverse=True) or places[-1] < free:
        raise ValueError("values that overlap or leave their page")
    if free <= _IDENTIFIER.start and _IDENTIFIER.stop <= places[-1] and page[_IDENTIFIER] == identifier:
        cutter.take("", "bytes", _IDENTIFIER.start)
        cutter.take("copy of the file identifier", "bytes", len(identifier), derived=True)
    for position in range(len(places) - 1, 0, -1):
        start, end = ends[position + 1], ends[position]
        if position % 2 and page[start : start + 1] == bytes((_ON_PAGE,)):
            key = page[ends[position] + 1 : ends[position - 1]].decode("utf-8", "backslashreplace")
            cutter.take("", "bytes", base + start + 1 - cutter.position)
            value = page[start + 1 : end]
            cutter.take(f"value of {key}", "text" if is_text(value) else "bytes", len(value))
    cutter.take("", "bytes", base + len(page) - cutter.position)
