"""ELF files built in memory by the specification: any class, byte order and sections."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

PROGRAM_BITS, SYMBOLS, STRINGS, RELOCATIONS, NOTE, NO_BITS = 1, 2, 3, 4, 7, 8
WRITABLE, LOADED, EXECUTABLE, COMPRESSED = 1, 2, 4, 0x800
OBJECT, PROGRAM = 1, 2


@dataclass(frozen=True, slots=True)
class Part:
    """One section."""

    name: str
    content: bytes
    type: int = PROGRAM_BITS
    flags: int = LOADED
    alignment: int = 1
    link: int = 0


def code(content: bytes = b"\x90\xc3") -> Part:
    """Give a section of instructions."""
    return Part(".text", content, flags=LOADED | EXECUTABLE, alignment=16)


def strings(*texts: bytes, name: str = ".rodata") -> Part:
    """Give a section of strings."""
    return Part(name, b"".join(text + b"\0" for text in texts), alignment=8)


def note(identity: bytes, *, owner: bytes = b"GNU\0", kind: int = 3, order: str = "<") -> Part:
    """Give a section of one note."""
    head = struct.pack(order + "III", len(owner), len(identity), kind)
    return Part(".note.gnu.build-id", head + owner + identity, NOTE, alignment=4)


def compressed(part: Part, *, wide: bool = True, order: str = "<", level: int = 6) -> Part:
    """Compress a section by zlib."""
    head = struct.pack(order + ("I4xQQ" if wide else "III"), 1, len(part.content), 1)
    content = head + zlib.compress(part.content, level)
    return Part(part.name, content, part.type, COMPRESSED, 8 if wide else 4)


def elf(parts: Iterable[Part], *, wide: bool = True, order: str = "<", kind: int = PROGRAM) -> bytes:
    """Write a file whose sections lie one behind the other, and the names and headers behind them."""
    sections = [Part("", b"", 0), *parts]
    names = b"\0" + b"".join(part.name.encode() + b"\0" for part in [*sections[1:], Part(".shstrtab", b"")])
    sections.append(Part(".shstrtab", names, STRINGS, 0))
    head = 64 if wide else 52
    body, headers = b"", b""
    at = 1
    for part in sections:
        if part.type == 0:
            headers += bytes(64 if wide else 40)
            continue
        body += bytes(-(head + len(body)) % part.alignment)
        size = len(part.content)
        fields = (at, part.type, part.flags, 0, head + len(body), size, part.link, 0, part.alignment, 0)
        headers += struct.pack(order + ("IIQQQQIIQQ" if wide else "IIIIIIIIII"), *fields)
        at += len(part.name) + 1
        body += b"" if part.type == NO_BITS else part.content
    body += bytes(-(head + len(body)) % (8 if wide else 4))
    identity = b"\x7fELF" + bytes((2 if wide else 1, 1 if order == "<" else 2, 1)) + bytes(9)
    said = (kind, 62, 1, 0, 0, head + len(body), 0, head, 0, 0, 64 if wide else 40, len(sections), len(sections) - 1)
    return identity + struct.pack(order + ("HHIQQQIHHHHHH" if wide else "HHIIIIIHHHHHH"), *said) + body + headers


def debugging(texts: Sequence[bytes], layout: Sequence[int], *, order: str = "<", version: int = 5) -> list[Part]:
    """Write one compilation unit that names `texts` in their order, over a table that holds them in `layout`."""
    table, offsets = b"", {}
    for number in layout:
        offsets[number] = len(table)
        table += texts[number] + b"\0"
    # DW_TAG_compile_unit without children, DW_AT_name by DW_FORM_line_strp (strp before version 5), so often
    form = b"\x1f" if version == 5 else b"\x0e"
    abbreviations = b"\x01\x11\x00" + (b"\x03" + form) * len(texts) + b"\x0a\x0a\0\0\0"
    values = b"\1" + b"".join(struct.pack(order + "I", offsets[number]) for number in range(len(texts))) + b"\x02ab"
    head = struct.pack(order + "HBBI", 5, 1, 8, 0) if version == 5 else struct.pack(order + "HIB", version, 0, 8)
    unit = struct.pack(order + "I", len(head + values)) + head + values
    return [
        Part(".debug_info", unit, flags=0),
        Part(".debug_abbrev", abbreviations, flags=0),
        Part(".debug_line_str" if version == 5 else ".debug_str", table, flags=0x30),
    ]
