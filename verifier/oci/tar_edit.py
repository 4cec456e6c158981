"""Write other values into an entry's header blocks, and leave every other byte as it is."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from verifier.errors import MalformedImageError
from verifier.oci.tar_entry import BLOCK
from verifier.oci.tar_header import (
    EXTENSIONS,
    PAX_HEADER,
    PAX_HEADER_SOLARIS,
    parse_pax_records,
    split_headers,
)

_MODE, _SIZE, _MTIME, _CHECKSUM = (100, 108), (124, 136), (136, 148), (148, 156)
"""Start and end of a field in the header block."""

_OCTAL: Final = re.compile(rb"( *)([0-7]+)([ \0]*)")

_Numbers = Mapping[tuple[int, int], int]


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryEdit:
    """What is to be other in one entry: values of its header, and a function of its content (which may raise)."""

    mtime: str | None = None
    mode: int | None = None
    content: Callable[[bytes], bytes] | None = None


Edits = Mapping[tuple[bytes, int], EntryEdit]
"""By path and occurrence."""


def edit_header(raw: bytes, *, mtime: str | None = None, mode: int | None = None, size: int | None = None) -> bytes:
    """Give header blocks (as `TarReader.next_header` gives them) with other values in them; None leaves one as it is.

    `mtime` is a decimal number of seconds, with a fraction where a pax record holds it; `mode` the permission bits;
    `size` the content's in bytes. Checksums are made right again. Raises MalformedImageError where a value is not
    written in octal digits, or does not fit the digits that are there.
    """
    edited = bytearray()
    records: set[bytes] = set()
    for flag, block, payload, padding in split_headers(raw):
        if flag not in EXTENSIONS:
            edited += _edit_own_block(block, records, mtime, mode, size) + payload
        elif flag in (PAX_HEADER, PAX_HEADER_SOLARIS):
            pairs = parse_pax_records(payload)
            records = {key for key, _ in pairs}
            if mtime is not None and b"mtime" in records:
                pairs = [(key, mtime.encode() if key == b"mtime" else value) for key, value in pairs]
                payload = b"".join(pax_record(key, value) for key, value in pairs)  # noqa: PLW2901
                padding = bytes(-len(payload) % BLOCK)  # noqa: PLW2901
                block = _with_numbers(block, {_SIZE: len(payload)})  # noqa: PLW2901
            edited += block + payload + padding
        else:
            edited += block + payload + padding
    return bytes(edited)


def _edit_own_block(block: bytes, records: set[bytes], mtime: str | None, mode: int | None, size: int | None) -> bytes:
    numbers: dict[tuple[int, int], int] = {}
    if mtime is not None:
        whole, _, fraction = mtime.partition(".")
        if fraction and b"mtime" not in records:
            raise MalformedImageError("an mtime with a fraction has no pax record")
        numbers[_MTIME] = int(whole)
    if mode is not None:
        numbers[_MODE] = mode
    if size is not None:
        if b"size" in records:
            raise MalformedImageError("a pax record holds the size")
        numbers[_SIZE] = size
    return _with_numbers(block, numbers) if numbers else block


def _with_numbers(block: bytes, numbers: _Numbers) -> bytes:
    """Put numbers into fields of octal digits, as many digits as there were, and make the checksum right."""
    edited = bytearray(block)
    for (start, end), number in numbers.items():
        edited[start:end] = _octal(block[start:end], number)
    start, end = _CHECKSUM
    total = sum(edited) - sum(edited[start:end]) + (end - start) * 0x20
    edited[start:end] = _octal(block[start:end], total)
    return bytes(edited)


def _octal(field: bytes, number: int) -> bytes:
    match = _OCTAL.fullmatch(field)
    digits = b"" if match is None else b"%0*o" % (len(match[2]), number)
    if match is None or len(digits) != len(match[2]):
        raise MalformedImageError(f"the tar number {field.hex()} is not octal, or {number} does not fit it")
    return match[1] + digits + match[3]


def pax_record(key: bytes, value: bytes) -> bytes:
    """Write one pax record; its length counts its own digits."""
    bare = len(key) + len(value) + 3
    length = bare + len(str(bare))
    if len(str(length)) != len(str(bare)):
        length = bare + len(str(length))
    return b"%d %s=%s\n" % (length, key, value)
