"""Unfold an ELF file (System V ABI, "Object Files"): headers, and sections in the order of their offsets.

What a string of another length moves follows from the rest, and is told so that it does not count: where a section
begins right behind the one before it (at its own alignment, over zeros), its header tells its rank in place of its
offset; a size follows from the section; a name's offset is told by the string's number. A file without section
headers, and one whose sections overlap, is one field.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Final, NamedTuple

from verifier.formats.deflate import Budget
from verifier.formats.elf_header import EXECUTABLE, NO_BITS, RELOCATABLE, SYMBOLS, Section, read_headers
from verifier.formats.elf_sections import SectionReader
from verifier.formats.elf_strings import StringTable, strings_of
from verifier.formats.field import Node
from verifier.formats.spans import Cutter

_MAX_ALIGNMENT: Final = 4096
_RANDOM_NAME: Final = re.compile(rb"(\.gnu\.(?:debug)?lto_.+)\.[0-9a-f]{1,16}", re.DOTALL)

_HEADER, _TABLE, _PROGRAMS = -1, -2, -3
"""What is no section, among sections' numbers."""


class _Region(NamedTuple):
    start: int
    end: int
    alignment: int
    number: int


def unfold_elf(data: bytes, name: str, offset: int, budget: Budget) -> Node:
    """Unfold a file. Raises ValueError and struct.error where it is damaged or of a form that is not read."""
    return _File(data, budget).unfold(name, offset)


class _File:
    def __init__(self, data: bytes, budget: Budget) -> None:
        self._data = data
        self._headers = read_headers(data)
        self._sections = self._headers.sections
        self._names = self._table(self._headers.names)
        self._reader = SectionReader(
            self._headers.layout,
            strings_of(data),
            budget,
            separate=any(part.flags & EXECUTABLE and part.type == NO_BITS for part in self._sections),
        )
        self._regions = self._planned()
        self._ranks = {region.number: rank for rank, region in enumerate(self._regions)}
        self._following = frozenset(
            region.number for before, region in pairwise(self._regions) if self._follows(region, before.end)
        )

    def _table(self, number: int) -> StringTable:
        section = self._sections[number]
        return StringTable(self._data[section.offset : section.offset + section.size])

    def _planned(self) -> list[_Region]:
        """List what takes up bytes, by its offset. Raises ValueError where two overlap."""
        headers = self._headers
        found = [
            _Region(0, headers.size, 1, _HEADER),
            _Region(headers.table_offset, headers.table_offset + headers.table_size, headers.layout.word, _TABLE),
        ]
        if headers.program_size:
            end = headers.program_offset + headers.program_size
            found.append(_Region(headers.program_offset, end, 1, _PROGRAMS))
        for number, section in enumerate(self._sections):
            if section.is_stored:
                end = section.offset + section.size
                found.append(_Region(section.offset, end, max(1, section.alignment), number))
        found.sort()
        if any(before.end > after.start for before, after in pairwise(found)):
            raise ValueError("sections overlap")
        if found[-1].end > len(self._data):
            raise ValueError("a section is cut off")
        return found

    def _follows(self, region: _Region, end: int) -> bool:
        """Tell whether a region begins where it must, behind one that ends at `end`."""
        gap = region.start - end
        is_next = region.alignment <= _MAX_ALIGNMENT and gap == -end % region.alignment
        return is_next and not self._data[end : region.start].strip(b"\0")

    def unfold(self, name: str, offset: int) -> Node:
        cutter = Cutter(self._data)
        for region in self._regions:
            gap = region.start - cutter.position
            if region.number in self._following:
                cutter.tell("padding", "elf", bytes(gap), gap, derived=True)
            else:
                cutter.take("between sections", "elf", gap)
            size = region.end - region.start
            if region.number == _HEADER:
                cutter.tell("ELF header", "elf", self._told_header(), size)
            elif region.number == _TABLE:
                cutter.tell("section headers", "elf", self._told_sections(), size)
            elif region.number == _PROGRAMS:
                cutter.take("program headers", "elf", size)
            else:
                self._take_section(cutter, region.number)
        return cutter.finish(name, "elf", offset)

    def _take_section(self, cutter: Cutter, number: int) -> None:
        section, label = self._sections[number], self._label(number)
        if number == self._headers.names:
            cutter.take(label, "section-names", section.size)
        elif section.type == SYMBOLS and self._headers.type == RELOCATABLE and section.link < len(self._sections):
            cutter.tell(label, "elf", self._told_symbols(section), section.size)
        else:
            self._reader.take(cutter, label, section)

    def _label(self, number: int) -> str:
        name = self._names.at(self._sections[number].name)
        # gcc's names for what it leaves to the linker end in a random number
        told = _RANDOM_NAME.fullmatch(name)
        return (told[1] if told else name).decode("utf-8", "backslashreplace") or "section"

    def _told_header(self) -> bytes:
        header = self._data[: self._headers.size]
        at, word = (40, 8) if self._headers.layout.wide else (32, 4)
        place = b"follows" if _TABLE in self._following else header[at : at + word].hex().encode()
        return b"\n".join((header[:at].hex().encode(), place, header[at + word :].hex().encode()))

    def _told_sections(self) -> bytes:
        """Tell a size where a section has no content: of others it is their content's."""
        lines, end = [], 0
        for number, section in enumerate(self._sections):
            if section.is_stored:
                place = b"%d" % self._ranks[number]
                if number not in self._following:
                    place += b" at %d" % section.offset
                end = section.offset + section.size
            else:
                # an empty section stands where the one before it in the table ends
                place = b"%d behind, %d" % (section.offset - end, section.size)
                end = section.offset
            name = self._names.tell(section.name)
            rest = (section.type, section.flags, section.address, section.link, section.info)
            more = (section.alignment, section.entry_size)
            lines.append(b" ".join((name, place, *(b"%d" % value for value in (*rest, *more)))))
        return b"\n".join(lines)

    def _told_symbols(self, section: Section) -> bytes:
        names = self._table(section.link)
        content = self._data[section.offset : section.offset + section.size]
        symbol = self._headers.layout.symbol
        whole = len(content) - len(content) % symbol.size
        told = [names.tell(name) + b":" + rest.hex().encode() for name, rest in symbol.iter_unpack(content[:whole])]
        return b"\n".join((*told, content[whole:].hex().encode()))
