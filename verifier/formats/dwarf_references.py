"""Find where DWARF's sections refer to tables of strings (DWARF 5, sections 6.2.4, 7.5 and 7.26; versions 2 to 5).

What comes out are positions alone, as (position, width, table): nothing else of the debugging information is kept.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final, NamedTuple

STR, LINE_STR = ".debug_str", ".debug_line_str"
"""The tables."""

_MAX_STEPS: Final = 10_000_000
"""Values of one file's entries that are read, neighbours of fixed sizes as one: about ten seconds' worth."""

_STRP, _LINE_STRP, _INDIRECT, _IMPLICIT = 0x0E, 0x1F, 0x16, 0x21
_FIXED: Final = {
    0x05: 2, 0x06: 4, 0x07: 8, 0x0B: 1, 0x0C: 1, 0x11: 1, 0x12: 2, 0x13: 4, 0x14: 8, 0x19: 0, 0x1C: 4, 0x1E: 16,
    0x20: 8, 0x21: 0, 0x24: 8, 0x25: 1, 0x26: 2, 0x27: 3, 0x28: 4, 0x29: 1, 0x2A: 2, 0x2B: 3, 0x2C: 4,
}  # fmt: skip
_SECTION_OFFSET: Final = 0x17
_OF_OFFSET_SIZE: Final = (_SECTION_OFFSET, 0x1D, 0x1F20, 0x1F21)
_LEB: Final = (0x0D, 0x0F, 0x15, 0x1A, 0x1B, 0x22, 0x23, 0x1F01, 0x1F02)
_BLOCKS: Final = {0x0A: 1, 0x03: 2, 0x04: 4}
_LEB_BLOCKS: Final = (0x09, 0x18)
_ADDRESS, _REF_ADDRESS, _STRING = 0x01, 0x10, 0x08

_TYPE_UNIT, _SKELETON, _SPLIT_COMPILE, _SPLIT_TYPE = 2, 4, 5, 6


class Reference(NamedTuple):
    """One offset into a table: where it stands, how many bytes it has, the table's name."""

    position: int
    width: int
    table: str


class _Unit(NamedTuple):
    """What the size of forms depends on."""

    version: int
    offset_size: int
    address_size: int


class _Reader:
    """Reads numbers off a section. Raises ValueError and IndexError at its end."""

    def __init__(self, data: bytes, little: bool, position: int = 0) -> None:
        self.data = data
        self.order = "little" if little else "big"
        self.position = position

    def number(self, size: int) -> int:
        self.position += size
        if self.position > len(self.data):
            raise ValueError("debugging information is cut off")
        return int.from_bytes(self.data[self.position - size : self.position], self.order)  # type: ignore[arg-type]

    def leb(self) -> int:
        value = shift = 0
        while True:
            byte = self.data[self.position]
            self.position += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value
            if shift > 63:
                raise ValueError("a number of too many bytes")

    def initial_length(self) -> tuple[int, int]:
        """Give a unit's end, and the size of its offsets."""
        length, size = self.number(4), 4
        if length == 0xFFFFFFFF:
            length, size = self.number(8), 8
        end = self.position + length
        if end > len(self.data):
            raise ValueError("a unit is cut off")
        return end, size

    def pass_over(self, size: int) -> None:
        """Leave out so many bytes: a call, since its argument moves the position too."""
        self.position += size

    def skip(self, form: int, unit: _Unit) -> None:
        """Step over a value."""
        if form in _FIXED:
            self.position += _FIXED[form]
        elif form in _LEB:
            self.leb()
        elif form in _BLOCKS:
            self.pass_over(self.number(_BLOCKS[form]))
        elif form in _LEB_BLOCKS:
            self.pass_over(self.leb())
        elif form == _STRING:
            self.position = self.data.index(b"\0", self.position) + 1
        elif form == _ADDRESS or (form == _REF_ADDRESS and unit.version == 2):
            self.position += unit.address_size
        elif form in _OF_OFFSET_SIZE or form in (_REF_ADDRESS, _STRP, _LINE_STRP):
            self.position += unit.offset_size
        elif form == _INDIRECT and (real := self.leb()) != _INDIRECT:
            self.skip(real, unit)
        else:
            raise ValueError("a form that is not known")


def references_of(sections: Mapping[str, bytes], *, little: bool) -> dict[str, list[Reference]]:
    """Find the references of each section that has some, by its name. Raises ValueError and IndexError for damage."""
    finders: dict[str, Callable[[_Reader], Iterator[Reference]]] = {
        ".debug_info": _Information(sections.get(".debug_abbrev", b""), little=little).references,
        ".debug_line": _line_references,
        ".debug_str_offsets": _offset_references,
    }
    return {name: list(find(_Reader(sections[name], little))) for name, find in finders.items() if sections.get(name)}


class _Information:
    """Walks the entries of .debug_info, unit by unit."""

    def __init__(self, abbreviations: bytes, *, little: bool) -> None:
        self._abbreviations = abbreviations
        self._little = little
        self._tables: dict[tuple[int, _Unit], dict[int, tuple[int, ...]]] = {}
        self._left = _MAX_STEPS

    def references(self, reader: _Reader) -> Iterator[Reference]:
        while reader.position < len(reader.data):
            end, size = reader.initial_length()
            version = reader.number(2)
            kind = 0
            if version >= 5:
                kind, address_size, table = reader.number(1), reader.number(1), reader.number(size)
            else:
                table, address_size = reader.number(size), reader.number(1)
            if kind in (_SKELETON, _SPLIT_COMPILE):
                reader.position += 8
            elif kind in (_TYPE_UNIT, _SPLIT_TYPE):
                reader.position += 8 + size
            unit = _Unit(version, size, address_size)
            yield from self._entries(reader, end, unit, self._table(table, unit))

    def _entries(
        self, reader: _Reader, end: int, unit: _Unit, table: Mapping[int, tuple[int, ...]]
    ) -> Iterator[Reference]:
        while reader.position < end:
            code = reader.leb()
            if not code:
                continue
            steps = table.get(code)
            if steps is None:
                raise ValueError("an abbreviation that is not there")
            self._left -= 1 + len(steps)
            if self._left < 0:
                raise ValueError("too much debugging information")
            for step in steps:
                if step < 0:
                    reader.position -= step
                    continue
                if step in (_STRP, _LINE_STRP):
                    yield Reference(reader.position, unit.offset_size, STR if step == _STRP else LINE_STR)
                reader.skip(step, unit)
        if reader.position != end:
            raise ValueError("an entry reaches beyond its unit")

    def _table(self, offset: int, unit: _Unit) -> dict[int, tuple[int, ...]]:
        """Give the steps of each abbreviation: forms, and below 0 how many bytes to leave out."""
        key = offset, unit
        if key not in self._tables:
            self._tables[key] = {code: tuple(_steps(forms, unit)) for code, forms in self._read_table(offset)}
        return self._tables[key]

    def _read_table(self, offset: int) -> Iterator[tuple[int, tuple[int, ...]]]:
        reader = _Reader(self._abbreviations, self._little, offset)
        while code := reader.leb():
            reader.leb()
            reader.position += 1
            forms = []
            while (pair := (reader.leb(), reader.leb())) != (0, 0):
                forms.append(pair[1])
                if pair[1] == _IMPLICIT:
                    reader.leb()
            yield code, tuple(forms)


def _steps(forms: Iterable[int], unit: _Unit) -> Iterator[int]:
    """Join neighbouring values of fixed sizes to one step."""
    joined = 0
    for form in forms:
        size = (
            unit.address_size if form == _ADDRESS else unit.offset_size if form == _SECTION_OFFSET else _FIXED.get(form)
        )
        if size is not None:
            joined -= size
            continue
        if joined:
            yield joined
            joined = 0
        yield form
    if joined:
        yield joined


def _line_references(reader: _Reader) -> Iterator[Reference]:
    """Find those of the line tables' headers; before version 5 the names stand there themselves."""
    while reader.position < len(reader.data):
        end, size = reader.initial_length()
        version = reader.number(2)
        if version >= 5:
            unit = _Unit(version, size, reader.number(1))
            reader.position += 1 + size + 5
            reader.pass_over(reader.number(1) - 1)
            for _ in ("directories", "files"):
                yield from _names(reader, unit)
        reader.position = end


def _names(reader: _Reader, unit: _Unit) -> Iterator[Reference]:
    forms = []
    for _ in range(reader.number(1)):
        reader.leb()
        forms.append(reader.leb())
    for _ in range(reader.leb() if forms else 0):
        start = reader.position
        for form in forms:
            if form in (_STRP, _LINE_STRP):
                yield Reference(reader.position, unit.offset_size, STR if form == _STRP else LINE_STR)
            reader.skip(form, unit)
        if reader.position == start or start > len(reader.data):
            raise ValueError("names without bytes")


def _offset_references(reader: _Reader) -> Iterator[Reference]:
    while reader.position < len(reader.data):
        end, size = reader.initial_length()
        reader.position += 4
        while reader.position + size <= end:
            yield Reference(reader.position, size, STR)
            reader.position += size
        reader.position = end


def relocated_references(entries: bytes, tables: Mapping[int, str], *, wide: bool, little: bool) -> list[Reference]:
    """Find those of a section's relocations with addends, by the numbers of the symbols that stand for tables."""
    order = "<" if little else ">"
    layout = struct.Struct(order + ("8xQ8x" if wide else "4xI4x"))
    shift, at, width = (32, 16, 8) if wide else (8, 8, 4)
    whole = len(entries) - len(entries) % layout.size
    found = []
    for number, (info,) in enumerate(layout.iter_unpack(entries[:whole])):
        table = tables.get(info >> shift)
        if table is not None:
            found.append(Reference(number * layout.size + at, width, table))
    return found
