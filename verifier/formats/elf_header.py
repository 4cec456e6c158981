"""Read the headers of an ELF file (System V ABI, "Object Files"): 32 and 64 bit, both byte orders."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final, NamedTuple

from verifier.formats.limits import MAX_MEMBERS

MAGIC: Final = b"\x7fELF"

NULL, SYMBOLS, STRINGS, NOTE, NO_BITS = 0, 2, 3, 7, 8
"""Types of sections (`sh_type`)."""

EXECUTABLE, WITH_STRINGS, COMPRESSED = 0x4, 0x20, 0x800
"""What is said of a section (`sh_flags`)."""

RELOCATABLE: Final = 1
"""The type of a file (`e_type`) that a linker has not seen yet."""

_IDENTITY_BYTES: Final = 16


@dataclass(frozen=True, slots=True)
class Layout:
    """How a file writes its numbers: 64 or 32 bit, and the byte order as `struct` has it."""

    wide: bool
    order: str

    @property
    def header(self) -> struct.Struct:
        """The file's header behind `e_ident`."""
        return struct.Struct(self.order + ("HHIQQQIHHHHHH" if self.wide else "HHIIIIIHHHHHH"))

    @property
    def section(self) -> struct.Struct:
        """One section's header."""
        return struct.Struct(self.order + ("IIQQQQIIQQ" if self.wide else "IIIIIIIIII"))

    @property
    def symbol(self) -> struct.Struct:
        """One symbol: the offset of its name, and the rest."""
        return struct.Struct(self.order + ("I20s" if self.wide else "I12s"))

    @property
    def compression(self) -> struct.Struct:
        """What a compressed section begins with: method, size, alignment."""
        return struct.Struct(self.order + ("I4xQQ" if self.wide else "III"))

    @property
    def word(self) -> int:
        """Bytes of an address."""
        return 8 if self.wide else 4


class Section(NamedTuple):
    """One section header (`sh_name` to `sh_entsize`)."""

    name: int
    type: int
    flags: int
    address: int
    offset: int
    size: int
    link: int
    info: int
    alignment: int
    entry_size: int

    @property
    def is_stored(self) -> bool:
        """Whether it takes up bytes of the file."""
        return self.type not in (NULL, NO_BITS) and self.size > 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Headers:
    """What the headers say; offsets and sizes in bytes. `names` is the number of the section with the names."""

    layout: Layout
    type: int
    size: int
    program_offset: int
    program_size: int
    table_offset: int
    table_size: int
    sections: tuple[Section, ...]
    names: int


def is_elf(data: bytes) -> bool:
    """Tell by the magic, a class and a byte order that there are, and the one version."""
    return data.startswith(MAGIC) and data[4:5] in (b"\1", b"\2") and data[5:6] in (b"\1", b"\2") and data[6:7] == b"\1"


def read_headers(data: bytes) -> Headers:
    """Read the file's header and its sections'. Raises ValueError and struct.error for what is no usual file."""
    layout = Layout(wide=data[4] == 2, order="<" if data[5] == 1 else ">")
    fields = layout.header.unpack_from(data, _IDENTITY_BYTES)
    kind, _, _, _, program_offset, table_offset, _, size, program_entry, programs, entry, count, names = fields
    if size != _IDENTITY_BYTES + layout.header.size or entry != layout.section.size:
        raise ValueError("headers of an unknown size")
    if not 0 < count <= MAX_MEMBERS or names >= count:
        raise ValueError("no section headers, or too many")
    if table_offset + count * entry > len(data) or program_offset + program_entry * programs > len(data):
        raise ValueError("headers beyond the file's end")
    return Headers(
        layout=layout,
        type=kind,
        size=size,
        program_offset=program_offset,
        program_size=program_entry * programs,
        table_offset=table_offset,
        table_size=count * entry,
        sections=tuple(Section(*layout.section.unpack_from(data, table_offset + k * entry)) for k in range(count)),
        names=names,
    )
