"""Take an ELF file's sections apart: notes, compressed sections, Go's build ID, strings among other bytes."""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Mapping
from typing import Final, Literal

from verifier.formats.deflate import Budget, inflate_raw
from verifier.formats.elf_header import COMPRESSED, EXECUTABLE, NOTE, STRINGS, WITH_STRINGS, Layout, Section
from verifier.formats.elf_strings import GO_STRINGS, RUST_STRINGS
from verifier.formats.field import Field, Node
from verifier.formats.limits import MAX_MEMBERS
from verifier.formats.spans import Cutter
from verifier.formats.zstd_stream import inflate_frame

_PROGRAM_BITS: Final = 1
_ZLIB, _ZSTD = 1, 2
"""Methods of compression."""

_LEVELS: Final = ((1,), (5, 4, 3, 2), (6,), (9, 8, 7))
"""Levels by what a zlib stream's header says of them (RFC 1950, FLEVEL)."""

_ZLIB_HEAD, _ZLIB_CHECKSUM = 2, 4
_CHECKSUM_BYTES: Final = 4
COPIED_BUILD_ID: Final = "copied-build-id"
"""The kind of the field that holds the build ID of another file, the program that this one was taken from."""

BUILD_IDS: Final = frozenset({"build-id", "rust-build-id"})
"""Kinds of the fields that hold a file's own build ID, as the linker wrote it."""

DEBUG_LINKS: Final[Mapping[str, Literal["little", "big"]]] = {
    "debug-link, little endian": "little",
    "debug-link, big endian": "big",
}
"""Kinds of the field that holds the CRC-32 of the file with the debugging information, by its byte order."""

_BUILD_ID_NOTES: Final = ((b"GNU\0", 3), (b"Go\0\0", 4))
_BUILD_ID_KINDS: Final = {GO_STRINGS: "go-build-id", RUST_STRINGS: "rust-build-id"}
_GO_BUILD_ID: Final = re.compile(rb'\xff Go build ID: "([\w/+=.-]{1,200})"\n \xff')
_SEARCHED_BYTES: Final = 64 * 1024
"""Go puts its build ID where its code begins."""


class SectionReader:
    """Takes sections of one file; `kind` is the kind of its strings.

    `separate` says that the file holds debugging information alone: its build ID is the program's.
    """

    def __init__(self, layout: Layout, kind: str, budget: Budget, *, separate: bool = False) -> None:
        self._layout = layout
        self._kind = kind
        self._build_id = COPIED_BUILD_ID if separate else _BUILD_ID_KINDS.get(kind, "build-id")
        self._budget = budget

    def take(self, cutter: Cutter, label: str, section: Section) -> None:
        """Take one section whole. Raises ValueError where it is cut off."""
        end = cutter.position + section.size
        if section.size > cutter.left:
            raise ValueError("a section is cut off")
        if section.flags & COMPRESSED:
            self._take_compressed(cutter, label, section.size)
        elif label == ".gnu_debuglink":
            self._take_debug_link(cutter, label, section.size)
        elif section.type == NOTE:
            self._take_notes(cutter, label, section.size)
        elif section.type == _PROGRAM_BITS and section.flags & EXECUTABLE:
            _take_code(cutter, label, section.size)
        kind = self._kind if _has_strings(section) else "elf"
        cutter.take(label, kind, end - cutter.position)

    def _take_notes(self, cutter: Cutter, label: str, size: int) -> None:
        """Take note by note (System V ABI, "Note Section"), as far as they are well-formed."""
        end = cutter.position + size
        for _ in range(MAX_MEMBERS):
            if end - cutter.position < 12:
                return
            name_size, value_size, kind = struct.unpack(self._layout.order + "III", cutter.peek(12))
            start = 12 + name_size + -name_size % 4
            if start + value_size > end - cutter.position:
                return
            is_build_id = (cutter.peek(start)[12 : 12 + name_size], kind) in _BUILD_ID_NOTES
            known = self._build_id if is_build_id else "elf"
            cutter.take(f"{label}: head", "elf", start)
            cutter.take(label, known, value_size)
            cutter.take(f"{label}: padding", "elf", min(-value_size % 4, end - cutter.position))

    def _take_debug_link(self, cutter: Cutter, label: str, size: int) -> None:
        """Take a file's name and its checksum apart (GDB manual, "Debugging Information in Separate Files")."""
        if size > _CHECKSUM_BYTES and size % _CHECKSUM_BYTES == 0:
            cutter.take(f"{label}: name", "elf", size - _CHECKSUM_BYTES)
            order = "little" if self._layout.order == "<" else "big"
            cutter.take(f"{label}: checksum", f"debug-link, {order} endian", _CHECKSUM_BYTES)

    def _take_compressed(self, cutter: Cutter, label: str, size: int) -> None:
        """Inflate a section (System V ABI, "Section Compression"); what cannot be inflated is left to be taken."""
        width = self._layout.word
        start, end = cutter.position + 3 * width, cutter.position + size
        if start >= end:
            return
        method, inflated_size, _ = self._layout.compression.unpack_from(cutter.data, cutter.position)
        if method not in (_ZLIB, _ZSTD):
            return
        wrapped = method == _ZLIB
        found = (
            inflate_raw(cutter.data, start + _ZLIB_HEAD, self._budget, _LEVELS[cutter.data[start + 1] >> 6])
            if wrapped
            else inflate_frame(cutter.data[:end], start, self._budget)
        )
        if found is None or found.used != end - start - (_ZLIB_HEAD + _ZLIB_CHECKSUM if wrapped else 0):
            return
        content = found.content
        cutter.take(f"{label}: method", "elf", width)
        cutter.take(f"{label}: size", "elf", width, derived=inflated_size == len(content))
        cutter.take(f"{label}: alignment", "elf", width)
        if wrapped:
            cutter.take(f"{label}: head of the stream", "elf", _ZLIB_HEAD)
        stream = None if found.encoder else cutter.peek(found.used)
        parts = (Field(name="", kind=self._kind, value=content, offset=0),) if content else ()
        node = Node(name=label, format="section", parts=parts, offset=0, encoder=found.encoder, stream=stream)
        cutter.nest(node, found.used)
        if wrapped:
            checksum = zlib.adler32(content).to_bytes(_ZLIB_CHECKSUM, "big")
            derived = cutter.peek(_ZLIB_CHECKSUM) == checksum
            cutter.take(f"{label}: checksum", "elf", _ZLIB_CHECKSUM, derived=derived)


def _take_code(cutter: Cutter, label: str, size: int) -> None:
    """Take the build ID that Go writes in front of its code; the code itself is left to be taken."""
    found = _GO_BUILD_ID.search(cutter.peek(min(size, _SEARCHED_BYTES)))
    if found:
        cutter.take(label, "elf", found.start(1))
        cutter.take(f"{label}: build ID", "go-build-id", found.end(1) - found.start(1))


def _has_strings(section: Section) -> bool:
    """Tell whether strings may stand in a section: in tables of them, and in whatever is neither code nor a table."""
    if section.type == STRINGS or section.flags & WITH_STRINGS:
        return True
    return section.type == _PROGRAM_BITS and not section.flags & EXECUTABLE
