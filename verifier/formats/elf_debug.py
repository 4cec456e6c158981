"""Tell an ELF file's debugging information without the order of its strings.

Compilers and linkers lay the strings of `.debug_str` and `.debug_line_str` out by digests of what they say, so that one
string that varies moves all others, and every reference to them. Here strings stand in the order in which they are
first referred to, references hold their numbers, and the order that they had is a field of its own: nothing is lost.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from verifier.formats.dwarf_references import LINE_STR, STR, Reference, references_of, relocated_references
from verifier.formats.elf_strings import StringTable, order_of
from verifier.formats.field import Field, Node

_PREFIXES: Final = ("", ".gnu.debuglto_")
"""Of debugging information, and of what gcc keeps for the linker."""

_REFERRING: Final = (".debug_info", ".debug_line", ".debug_str_offsets")
_SECTION_SYMBOL: Final = 3
_WIDE: Final = 2
_IS_READ: Final = re.compile(
    r"\.debug_(?:info|line|str|line_str|str_offsets|abbrev)$|^ELF header$|^section headers$|^\.s(?:hstr|ym)tab$"
)


class _Strings:
    """One table, whose strings get numbers as they are referred to."""

    def __init__(self, data: bytes) -> None:
        self._strings = data.split(b"\0")
        self._table = StringTable(data)
        self._numbers: dict[int, int] = {}

    def tell(self, offset: int) -> bytes:
        """Give the number of the string at an offset; inside of one, as linkers share ends, what is left of it too."""
        position, _, left = self._table.tell(offset).partition(b"-")
        if not position.isdigit():
            return position
        number = self._number(int(position))
        return b"%d-%b" % (number, left) if left else b"%d" % number

    def _number(self, position: int) -> int:
        return self._numbers.setdefault(position, len(self._numbers))

    def fields(self, field: Field) -> tuple[Field, Field]:
        """Give the strings in the order of their numbers, and the order that they had."""
        for position in range(len(self._strings)):
            self._number(position)
        value = b"\0".join(self._strings[position] for position in self._numbers)
        order = b"".join(position.to_bytes(4, "big") for position in self._numbers)
        name = f"{field.name}: order"
        return replace(field, value=value), replace(field, name=name, kind=order_of(field.kind), value=order)


def deepen_elf(node: Node) -> Node:
    """Tell a file's debugging information anew; the very node where there is none, or none that can be read."""
    named = _named_fields(node.parts)
    fields = dict(named)
    if len(named) > len(fields) or not any(prefix + name in fields for prefix in _PREFIXES for name in (STR, LINE_STR)):
        return node
    told: dict[str, tuple[Field, ...]] = {}
    try:
        identity = bytes.fromhex(fields["ELF header"].value.partition(b"\n")[0].decode())
        for prefix in _PREFIXES:
            told.update(_told(prefix, fields, wide=identity[4] == _WIDE, little=identity[5] == 1))
    except (KeyError, ValueError, IndexError):
        return node
    if not told:
        return node
    parts = tuple(part for before in node.parts for part in _replaced(before, told))
    return replace(node, format="elf, read in depth", parts=parts)


def _named_fields(parts: Sequence[Field | Node]) -> list[tuple[str, Field]]:
    """Name the fields that are read here, those of compressed sections too; nothing is done where two have one name."""
    found = []
    for part in parts:
        if not _IS_READ.search(part.name):
            continue
        if isinstance(part, Field):
            found.append((part.name, part))
        elif part.format == "section" and len(part.parts) == 1 and isinstance(part.parts[0], Field):
            found.append((part.name, part.parts[0]))
    return found


def _replaced(part: Field | Node, told: Mapping[str, tuple[Field, ...]]) -> tuple[Field | Node, ...]:
    instead = told.get(part.name)
    if instead is None:
        return (part,)
    return (replace(part, parts=instead),) if isinstance(part, Node) else instead


def _told(prefix: str, fields: Mapping[str, Field], *, wide: bool, little: bool) -> dict[str, tuple[Field, ...]]:
    tables = {name: _Strings(fields[prefix + name].value) for name in (STR, LINE_STR) if prefix + name in fields}
    sections = {name: fields[prefix + name].value for name in (*_REFERRING, ".debug_abbrev") if prefix + name in fields}
    relocations = {name: f".rela{prefix}{name}" for name in _REFERRING if f".rela{prefix}{name}" in fields}
    found: dict[str, list[Reference]] = {}
    if relocations:
        symbols = _table_symbols(prefix, fields, little=little)
    else:
        found = {prefix + name: items for name, items in references_of(sections, little=little).items()}
    for name in relocations.values():
        found[name] = relocated_references(fields[name].value, symbols, wide=wide, little=little)
    told: dict[str, tuple[Field, ...]] = {
        name: _without_references(fields[name], items, tables, little=little) for name, items in found.items() if items
    }
    if told:
        told.update({prefix + name: table.fields(fields[prefix + name]) for name, table in tables.items()})
    return told


def _without_references(
    field: Field, items: Sequence[Reference], tables: Mapping[str, _Strings], *, little: bool
) -> tuple[Field, ...]:
    value, numbers = bytearray(field.value), []
    for position, width, name in items:
        if name not in tables:
            raise ValueError("a reference to a table that is not there")
        offset = int.from_bytes(value[position : position + width], "little" if little else "big")
        numbers.append(tables[name].tell(offset))
        value[position : position + width] = bytes(width)
    references = replace(field, name=f"{field.name}: references", kind="elf", value=b" ".join(numbers))
    return replace(field, value=bytes(value)), references


def _table_symbols(prefix: str, fields: Mapping[str, Field], *, little: bool) -> dict[int, str]:
    """Find the symbols of an object that stand for its tables of strings, by their numbers."""
    names, headers, symbols = (fields.get(name) for name in (".shstrtab", "section headers", ".symtab"))
    if names is None or headers is None or symbols is None:
        return {}
    strings = names.value.split(b"\0")
    tables = {}
    for number, line in enumerate(headers.value.split(b"\n")):
        told = line.partition(b" ")[0]
        name = strings[int(told)].decode("utf-8", "replace") if told.isdigit() and int(told) < len(strings) else ""
        if name in (prefix + STR, prefix + LINE_STR):
            tables[number] = name.removeprefix(prefix)
    found = {}
    for number, line in enumerate(symbols.value.split(b"\n")):
        rest = bytes.fromhex(line.partition(b":")[2].decode())
        # 64 bit: st_info, st_other, st_shndx come first; 32 bit: behind value and size
        at = 0 if len(rest) > 12 else 8
        if len(rest) > at + 3 and rest[at] & 0x0F == _SECTION_SYMBOL:
            section = int.from_bytes(rest[at + 2 : at + 4], "little" if little else "big")
            if section in tables:
                found[number] = tables[section]
    return found
