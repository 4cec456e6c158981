"""Read one page of a SQLite tree: its cells, and the fields that it is cut into.

Source: https://www.sqlite.org/fileformat2.html, section 1.6, "B-tree Pages".
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from verifier.formats.deflate import Budget
from verifier.formats.field import Field, Node
from verifier.formats.sqlite_record import Value, local_bytes, read_record, read_varint
from verifier.formats.tar_archive import Unfolder
from verifier.formats.text import is_text

_INTERIOR_INDEX, _INTERIOR_TABLE, _LEAF_INDEX, LEAF_TABLE = 2, 5, 10, 13
INTERIOR: Final = (_INTERIOR_INDEX, _INTERIOR_TABLE)
_KINDS: Final = (*INTERIOR, _LEAF_INDEX, LEAF_TABLE)
_ENCODINGS: Final = {2: "utf-16-le", 3: "utf-16-be"}
_SHORT: Final = {"integer": 4, "real": 8, "text": 8, "blob": 4}
"""Values of fewer bytes are not told from what surrounds them."""


class Geometry(NamedTuple):
    """What is the same for all pages of a database: sizes in bytes, the encoding of texts."""

    size: int
    usable: int
    encoding: str


class Owner(NamedTuple):
    """The table or index that a page is of."""

    name: str
    columns: tuple[str, ...]


class Cell(NamedTuple):
    """One cell: where it and its payload begin, where it ends, the payload's bytes in the page and in all, its row."""

    start: int
    payload: int
    end: int
    local: int
    size: int
    row: str


def geometry(header: bytes) -> Geometry:
    """Read a database's header (section 1.3). Raises ValueError for sizes that there are not."""
    size = int.from_bytes(header[16:18], "big")
    size = 65536 if size == 1 else size
    usable = size - header[20]
    if not 512 <= size <= 65536 or size & (size - 1) or usable < 480:
        raise ValueError("a page size that there is not")
    encoding = _ENCODINGS.get(int.from_bytes(header[56:60], "big"), "utf-8")
    return Geometry(size, usable, encoding)


@dataclass(slots=True)
class Pieces:
    """Cuts bytes into fields: what is named, and runs of bytes between that."""

    data: bytes
    run: int
    parts: list[Field | Node] = field(default_factory=list)

    def flush(self, end: int, following: int) -> None:
        """End the run of bytes at `end`; the next one begins at `following`."""
        if end > self.run:
            self.parts.append(Field(name="", kind="bytes", value=self.data[self.run : end], offset=self.run))
        self.run = following

    def add(self, part: Field | Node, start: int, end: int) -> None:
        """Put a part in place of the bytes from `start` to `end`."""
        self.flush(start, end)
        self.parts.append(part)

    def add_free(self, name: str, start: int, end: int) -> None:
        """Name a stretch that is not in use, where it is not all zeros."""
        value = self.data[start:end]
        if value.strip(b"\0"):
            self.add(Field(name=name, kind="sqlite-free", value=value, offset=start), start, end)


@dataclass(frozen=True, slots=True)
class Page:
    """A page at `base` of `data`; the header of a tree's page stands at `start`. Every offset is one in `data`."""

    data: bytes
    base: int
    start: int
    shape: Geometry

    @property
    def kind(self) -> int:
        """The type of the page. Raises ValueError where it is none of a tree."""
        kind = self.data[self.start]
        if kind not in _KINDS:
            raise ValueError("a page that is none of a tree")
        return kind

    def pointers(self) -> tuple[int, list[int]]:
        """Give the end of the page's header and pointers, and where its cells begin."""
        count = int.from_bytes(self.data[self.start + 3 : self.start + 5], "big")
        first = self.start + (12 if self.kind in INTERIOR else 8)
        end, limit = first + 2 * count, self.base + self.shape.usable
        if end > limit:
            raise ValueError("more cells than fit a page")
        raw = self.data[first:end]
        cells = [self.base + int.from_bytes(raw[at : at + 2], "big") for at in range(0, len(raw), 2)]
        if any(not end <= cell < limit for cell in cells):
            raise ValueError("a cell outside of its page")
        return end, cells

    def children(self) -> list[int]:
        """List the pages below an inner one."""
        places = [self.start + 8, *self.pointers()[1]]
        return [int.from_bytes(self.data[place : place + 4], "big") for place in places]

    def cells(self) -> list[Cell]:
        """Read the cells, in the order of their bytes. Raises ValueError where they overlap or leave the page."""
        kind, end = self.kind, 0
        cells = sorted(self._cell(kind, start) for start in self.pointers()[1])
        for cell in cells:
            if cell.start < end or cell.end > self.base + self.shape.usable:
                raise ValueError("cells that overlap or leave their page")
            end = cell.end
        return cells

    def _cell(self, kind: int, start: int) -> Cell:
        position = start + (4 if kind in INTERIOR else 0)
        if kind == _INTERIOR_TABLE:
            position = read_varint(self.data, position)[1]
            return Cell(start, position, position, 0, 0, "")
        size, position = read_varint(self.data, position)
        row = ""
        if kind == LEAF_TABLE:
            number, position = read_varint(self.data, position)
            row = f" {number}"
        local = local_bytes(size, self.shape.usable, is_table_leaf=kind == LEAF_TABLE)
        end = position + local + (4 if local < size else 0)
        return Cell(start, position, end, local, size, row)


def values_of(
    payload: bytes, cell: Cell, owner: Owner, encoding: str, unfold: Unfolder, budget: Budget
) -> Iterator[tuple[int, int, Field | Node]]:
    """Yield the values that are long enough to be looked at, with where they lie in the payload.

    Raises ValueError where there are more values than the budget has left.
    """
    values = read_record(payload)
    budget.left -= len(values)
    if budget.left < 0:
        raise ValueError("too many values")
    for position, value in enumerate(values):
        if value.end - value.start >= _SHORT[value.kind]:
            column = owner.columns[position] if position < len(owner.columns) else str(position)
            raw = payload[value.start : value.end]
            label = f"{owner.name}{cell.row}: {column}"
            yield value.start, value.end, _part(raw, value, label, cell.payload + value.start, encoding, unfold)


def _part(raw: bytes, value: Value, label: str, offset: int, encoding: str, unfold: Unfolder) -> Field | Node:
    kind = f"sqlite-{value.kind}"
    if value.kind == "blob":
        node = unfold(raw, label, offset)
        if node.format != "bytes":
            return node
    elif value.kind == "text":
        # nearly every text is of printable letters, which is quick to tell
        is_plain = raw.isascii() and raw.decode("ascii").isprintable()
        kind = "text" if encoding == "utf-8" and (is_plain or is_text(raw)) else "bytes"
    return Field(name=label, kind=kind, value=raw, offset=offset)
