"""Tell a Go program's data without the digests of the files that are embedded in it.

`embed.FS` is a table of files, and so is what the compiler writes for it: of each the name and the content, both by
address and length, and 16 bytes of the content's SHA-256 (up to Go 1.23 with every bit inverted). Where the digest is
that of what the table refers to, it follows from the rest, and does not count.

Source: Go, embed/embed.go, `type file`; cmd/compile/internal/staticdata, `WriteEmbed`; cmd/internal/notsha256.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from verifier.formats.elf_strings import GO_STRINGS
from verifier.formats.field import Field, Node

_DATA: Final = ".rodata"
_DIGEST_BYTES: Final = 16
_MAX_NAME_BYTES: Final = 4096
_MAX_DIGESTED_BYTES: Final = 256 * 1024 * 1024
_WIDE: Final = 2
_INVERTED: Final = bytes(range(255, -1, -1))


def deepen_embedded(node: Node) -> Node:
    """Tell a program's data anew; the very node where no files are embedded, or where it cannot be read."""
    fields = {part.name: part for part in node.parts if isinstance(part, Field)}
    data = fields.get(_DATA)
    if data is None or data.kind != GO_STRINGS or any(field not in fields for field in ("ELF header", ".shstrtab")):
        return node
    try:
        identity = bytes.fromhex(fields["ELF header"].value.partition(b"\n")[0].decode())
        address = _address(fields["section headers"].value, fields[".shstrtab"].value)
        found = dict(_digests(data.value, address, wide=identity[4] == _WIDE, little=identity[5] == 1))
    except (KeyError, ValueError, IndexError):
        return node
    if not found:
        return node
    value = bytearray(data.value)
    for position in found:
        value[position : position + _DIGEST_BYTES] = bytes(_DIGEST_BYTES)
    told = (
        replace(data, value=bytes(value)),
        replace(data, name=f"{_DATA}: digests", kind="elf", value=b" ".join(b"%d%b" % each for each in found.items())),
    )
    return replace(node, parts=tuple(each for part in node.parts for each in (told if part is data else (part,))))


def _address(headers: bytes, names: bytes) -> int:
    """Find where in memory the data will be. Raises ValueError where no section has that name."""
    strings = names.split(b"\0")
    for line in headers.split(b"\n"):
        number = line.partition(b" ")[0]
        if number.isdigit() and int(number) < len(strings) and strings[int(number)] == _DATA.encode():
            return int(line.split(b" ")[-5])
    raise ValueError("no section of that name")


def _digests(data: bytes, address: int, *, wide: bool, little: bool) -> Iterator[tuple[int, bytes]]:
    """Yield where digests stand that are right, behind a name's address and length and a content's, and their form."""
    size = 8 if wide else 4
    count = len(data) // size
    words = struct.unpack_from(("<" if little else ">") + f"{count}{'Q' if wide else 'I'}", data)
    end, left = address + len(data), _MAX_DIGESTED_BYTES
    last = count - 4 - _DIGEST_BYTES // size
    for number in [number for number, word in enumerate(words) if address <= word < end and number <= last]:
        name, name_size, start, length = words[number : number + 4]
        is_name = 0 < name_size <= min(_MAX_NAME_BYTES, end - name)
        if not (is_name and address <= start < end and 0 < length <= end - start):
            continue
        left -= length
        if left < 0:
            return
        position = (number + 4) * size
        digest = data[position : position + _DIGEST_BYTES]
        whole = hashlib.sha256(data[start - address : start - address + length]).digest()[:_DIGEST_BYTES]
        if digest in (whole, whole.translate(_INVERTED)):
            yield position, b"" if digest == whole else b" inverted"
