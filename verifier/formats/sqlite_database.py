"""Unfold a SQLite database by its file format, without SQLite: every page, every cell, every value with its column.

The pages stay in their order. In a page of a table or an index the values are cut out by their records; between them
lie headers and short values, and what is not in use (`sqlite-free`), which holds what was deleted. A record that
continues in overflow pages is put together where it begins. Values that are too short to hold a time or an identifier
are left with their neighbours.

Source: https://www.sqlite.org/fileformat2.html.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Final

from verifier.formats.deflate import Budget
from verifier.formats.field import Field, Node
from verifier.formats.limits import MAX_CELLS
from verifier.formats.sqlite_page import INTERIOR, LEAF_TABLE, Cell, Owner, Page, Pieces, geometry, values_of
from verifier.formats.sqlite_record import number_of, read_record
from verifier.formats.sqlite_schema import column_names
from verifier.formats.tar_archive import Unfolder

_MAGIC: Final = b"SQLite format 3\0"
HEADER_BYTES: Final = 100
_HEADER: Final = (
    ("magic", "bytes", 16),
    ("page size, versions, fractions", "bytes", 8),
    ("change counter", "sqlite-counter", 4),
    ("pages, freelist, schema, encoding, user version", "bytes", 64),
    ("version-valid-for", "sqlite-counter", 4),
    ("version of the library", "bytes", 4),
)
_SCHEMA: Final = Owner("sqlite_schema", ("type", "name", "tbl_name", "rootpage", "sql"))


def is_database(data: bytes) -> bool:
    """Tell by the magic."""
    return data.startswith(_MAGIC) and len(data) >= 512


def unfold_database(data: bytes, name: str, offset: int, unfold: Unfolder) -> Node:
    """Unfold a database; blobs are unfolded further by `unfold`.

    Raises ValueError, IndexError and struct.error where it is damaged.
    """
    database = _Database(data, unfold)
    database.find_pages()
    return Node(name=name, format="sqlite", parts=tuple(database.parts()), offset=offset)


class _Database:
    """One database while it is taken apart; every page belongs to one owner, one record, or nobody."""

    def __init__(self, data: bytes, unfold: Unfolder) -> None:
        self._data = data
        self._unfold = unfold
        self._shape = geometry(data)
        if len(data) % self._shape.size:
            raise ValueError("not whole pages")
        self._count = len(data) // self._shape.size
        self._owners: dict[int, Owner] = {}
        self._continued: set[int] = set()
        self._budget = Budget(MAX_CELLS)
        self._bytes_left = 2 * len(data)
        """Records read, the schema's twice: none is larger than the file, and no two share a page."""

    def find_pages(self) -> None:
        """Find out whose each page is, from the schema."""
        self._claim(1, _SCHEMA)
        for number in list(self._owners):
            page = self._page(number)
            if page.kind == LEAF_TABLE:
                for cell in page.cells():
                    self._claim_object(self._payload(cell)[0])

    def _claim_object(self, payload: bytes) -> None:
        values = read_record(payload)
        if len(values) != len(_SCHEMA.columns):
            raise ValueError("a schema of another form")
        texts = [payload[value.start : value.end] for value in values]
        # a view or a virtual table has no page: 0, which has no bytes
        if texts[3]:
            name, sql = (texts[position].decode(self._shape.encoding, "backslashreplace") for position in (1, 4))
            self._claim(number_of(texts[3]), Owner(name, column_names(sql)))

    def _claim(self, root: int, owner: Owner) -> None:
        """Walk one tree of pages."""
        waiting = [root]
        while waiting:
            number = waiting.pop()
            if not 1 <= number <= self._count or number in self._owners:
                raise ValueError("a page that does not exist or belongs to two")
            self._owners[number] = owner
            page = self._page(number)
            if page.kind in INTERIOR:
                waiting += page.children()

    def _page(self, number: int) -> Page:
        base = (number - 1) * self._shape.size
        return Page(self._data, base, base + (HEADER_BYTES if number == 1 else 0), self._shape)

    def _payload(self, cell: Cell) -> tuple[bytes, list[int], bytes]:
        """Put a payload together: its bytes, the overflow pages, and what these hold beside it."""
        self._bytes_left -= cell.size
        if self._bytes_left < 0:
            raise ValueError("records that share their pages")
        size, usable = self._shape.size, self._shape.usable
        pieces = [self._data[cell.payload : cell.payload + cell.local]]
        left, pages, rest = cell.size - cell.local, [], []
        following = self._data[cell.end - 4 : cell.end]
        while left > 0:
            number = int.from_bytes(following, "big")
            if not 1 < number <= self._count:
                raise ValueError("an overflow page that does not exist")
            pages.append(number)
            base = (number - 1) * size
            following = self._data[base : base + 4]
            taken = min(left, usable - 4)
            pieces.append(self._data[base + 4 : base + 4 + taken])
            rest.append(self._data[base + 4 + taken : base + size])
            left -= taken
        return b"".join(pieces), pages, following + b"".join(rest)

    def parts(self) -> Iterator[Field | Node]:
        """Unfold the header, then page by page; overflow pages stand with their records."""
        position = 0
        for name, kind, size in _HEADER:
            yield Field(name=name, kind=kind, value=self._data[position : position + size], offset=position)
            position += size
        pages = {number: self._unfold_page(number) for number in sorted(self._owners)}
        free = self._free_pages()
        for number in range(1, self._count + 1):
            if number in pages:
                yield pages[number]
            elif number not in self._continued:
                base = (number - 1) * self._shape.size
                value = self._data[base : base + self._shape.size]
                kind = "sqlite-free" if number in free else "bytes"
                yield Field(name=f"page {number}, of no table", kind=kind, value=value, offset=base)

    def _free_pages(self) -> set[int]:
        """List the pages of the freelist (section 1.5)."""
        found: set[int] = set()
        trunk = int.from_bytes(self._data[32:36], "big")
        while 1 < trunk <= self._count and trunk not in found:
            base = (trunk - 1) * self._shape.size
            following, count = struct.unpack_from(">II", self._data, base)
            if count > self._shape.usable // 4 - 2:
                break
            found.add(trunk)
            found.update(struct.unpack_from(f">{count}I", self._data, base + 8))
            trunk = following
        return found

    def _unfold_page(self, number: int) -> Node:
        page, name = self._page(number), f"page {number}"
        pieces = Pieces(self._data, page.start)
        free = page.pointers()[0]
        for cell in page.cells():
            pieces.add_free(f"{name}, not in use", free, cell.start)
            if cell.size:
                self._add_record(pieces, cell, self._owners[number])
            free = cell.end
        end = number * self._shape.size
        pieces.add_free(f"{name}, not in use", free, end)
        pieces.flush(end, end)
        return Node(name=name, format="sqlite page", parts=tuple(pieces.parts), offset=page.start)

    def _add_record(self, pieces: Pieces, cell: Cell, owner: Owner) -> None:
        payload, pages, rest = self._payload(cell)
        values = values_of(payload, cell, owner, self._shape.encoding, self._unfold, self._budget)
        if not pages:
            for start, end, part in values:
                pieces.add(part, cell.payload + start, cell.payload + end)
            return
        mine = set(pages)
        if len(mine) < len(pages) or self._continued & mine or self._owners.keys() & mine:
            raise ValueError("an overflow page of two records")
        self._continued |= mine
        inner = Pieces(payload, 0)
        for start, end, part in values:
            inner.add(part, start, end)
        inner.flush(len(payload), len(payload))
        chain = b"".join(page.to_bytes(4, "big") for page in pages)
        inner.parts.append(Field(name="overflow pages", kind="bytes", value=chain, offset=cell.end - 4))
        inner.parts.append(Field(name="rest of the overflow pages", kind="sqlite-free", value=rest, offset=cell.end))
        record = Node(name="", format="sqlite record", parts=tuple(inner.parts), offset=cell.payload)
        pieces.add(record, cell.payload, cell.end)
