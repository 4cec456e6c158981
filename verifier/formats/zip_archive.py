"""Unfold a zip archive (PKWARE's APPNOTE 6.3): jars, wheels, office documents.

The archive is cut along its central directory: local headers with their data in the order of their offsets, whatever
lies between them, the directory, its end record. Archives over 4 GiB (zip64) are one field. Unfolded further, members
come sorted by name, each with its entry in the directory, and the two orders beside them.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from typing import Final

from verifier.formats.deflate import Budget, inflate_raw
from verifier.formats.field import Field, Node
from verifier.formats.limits import MAX_MEMBERS
from verifier.formats.member_order import Member, order_field, tell_by_name
from verifier.formats.spans import Cutter
from verifier.formats.tar_archive import Unfolder

_LOCAL, _CENTRAL, _END, _DESCRIPTOR = b"PK\3\4", b"PK\1\2", b"PK\5\6", b"PK\7\x08"
_SCRIPT: Final = b"#!"
_MAX_SCRIPT: Final = 512
"""Of the line that names a program, in bytes."""

_END_BYTES: Final = 22
_MAX_COMMENT: Final = 0xFFFF
_UNKNOWN: Final = 0xFFFFFFFF
_ENCRYPTED, _HAS_DESCRIPTOR = 0x1, 0x8
_STORED, _DEFLATED = 0, 8
_EXTENDED_TIMESTAMP: Final = 0x5455
_ZIP64: Final = 1
_ZIP64_SIZES: Final = 16
"""In a local header, the size and what is stored of it, in 64 bits each (4.5.3)."""

_LOCAL_START: Final = ": start of the local header"
_IN_DIRECTORY: Final = " in the directory"
_BEFORE_DIRECTORY: Final = "before the central directory"
_END_RECORD: Final = "end record"


@dataclass(frozen=True, slots=True)
class _Member:
    """What the central directory says of one member."""

    label: str
    flags: int
    method: int
    checksum: int
    stored: int
    size: int
    offset: int


def is_zip(data: bytes) -> bool:
    """Tell by the first local header, or by the end record of an empty archive.

    A line that names the program to run it may stand before, as in Python's applications (PEP 441).
    """
    if data.startswith(_SCRIPT):
        return data.startswith(_LOCAL, data.find(b"\n", 0, _MAX_SCRIPT) + 1)
    return data.startswith((_LOCAL, _END))


def unfold_zip(data: bytes, name: str, offset: int, unfold: Unfolder, budget: Budget) -> Node:
    """Unfold an archive. Raises ValueError where it is damaged; members beyond the budget stay one field."""
    end = _find_end(data)
    directory_size, directory = struct.unpack_from("<II", data, end + 12)
    if directory + directory_size != end:
        raise ValueError("the central directory does not lie before its end record")
    members = _read_directory(data, directory, end)
    cutter = Cutter(data)
    by_offset = sorted(members, key=lambda member: member.offset)
    unfolded = {member.offset for member in by_offset if _take_local(cutter, member, unfold, budget)}
    cutter.take(_BEFORE_DIRECTORY, "bytes", directory - cutter.position)
    _take_directory(cutter, members, unfolded, in_order=members == by_offset)
    cutter.take(_END_RECORD, "bytes", 12)
    # both follow from where the directory was found, right before this record
    cutter.take("size and offset of the central directory", "bytes", 8, derived=True)
    cutter.take("comment", "bytes", cutter.left)
    return cutter.finish(name, "zip", offset)


def _find_end(data: bytes) -> int:
    at = data.rfind(_END, max(0, len(data) - _END_BYTES - _MAX_COMMENT))
    if at < 0 or len(data) - at < _END_BYTES:
        raise ValueError("no end record")
    if at + _END_BYTES + int.from_bytes(data[at + 20 : at + 22], "little") != len(data):
        raise ValueError("bytes behind the end record")
    return at


def _read_directory(data: bytes, start: int, end: int) -> list[_Member]:
    members: list[_Member] = []
    while start < end:
        if data[start : start + 4] != _CENTRAL or end - start < 46 or len(members) > MAX_MEMBERS:
            raise ValueError("the central directory is damaged, or too long")
        flags, method = struct.unpack_from("<HH", data, start + 8)
        checksum, stored, size, name_size, extra_size, comment_size = struct.unpack_from("<IIIHHH", data, start + 16)
        (offset,) = struct.unpack_from("<I", data, start + 42)
        if _UNKNOWN in (stored, size, offset):
            raise ValueError("zip64")
        label = data[start + 46 : start + 46 + name_size].decode("utf-8", "backslashreplace")
        members.append(_Member(label, flags, method, checksum, stored, size, offset))
        start += 46 + name_size + extra_size + comment_size
    if start != end:
        raise ValueError("the central directory is longer than it says")
    return members


def _take_local(cutter: Cutter, member: _Member, unfold: Unfolder, budget: Budget) -> bool:
    """Take a member's header and data; tell whether the data was unfolded, its sizes and checksum being right."""
    cutter.take("between members", "bytes", member.offset - cutter.position)
    header = cutter.peek(30)
    if len(header) < 30 or header[:4] != _LOCAL:
        raise ValueError("no local header where the directory says")
    checksum, stored, size, name_size, extra_size = struct.unpack_from("<IIIHH", header, 14)
    label = member.label
    data_start = cutter.position + 30 + name_size + extra_size
    node = _unfold_data(cutter.data, data_start, member, unfold, budget)
    follows = node is not None
    is_wide = (stored, size) == (_UNKNOWN, _UNKNOWN) and _has_wide_sizes(header, cutter, member)
    cutter.take(f"{label}{_LOCAL_START}", "bytes", 10)
    cutter.take(f"{label}: time", "zip-time", 4)
    given = (member.checksum, member.stored, member.size)
    is_told = (checksum, stored, size) == given or (is_wide and checksum == member.checksum)
    cutter.take(f"{label}: checksum and sizes", "bytes", 12, derived=follows and is_told)
    cutter.take(f"{label}: lengths and name", "bytes", 4 + name_size)
    if is_wide:
        cutter.take(f"{label}: sizes in 64 bits", "bytes", 4)
        cutter.take(f"{label}: sizes in 64 bits", "bytes", _ZIP64_SIZES, derived=follows and is_told)
        extra_size -= 4 + _ZIP64_SIZES
    _take_extra(cutter, label, extra_size)
    if node is None:
        cutter.take(f"{label}: data", "bytes", member.stored)
    elif member.stored:
        cutter.nest(node, member.stored)
    if member.flags & _HAS_DESCRIPTOR:
        plain = struct.pack("<III", *given)
        for descriptor in (_DESCRIPTOR + plain, plain):
            if cutter.peek(len(descriptor)) == descriptor:
                with_signature = len(descriptor) > len(plain)
                if with_signature:
                    cutter.take(f"{label}: signature", "bytes", 4)
                cutter.take(f"{label}: data descriptor", "bytes", 12, derived=follows)
                break
    return follows


def _has_wide_sizes(header: bytes, cutter: Cutter, member: _Member) -> bool:
    """Tell whether the extra field begins with the sizes that the directory has, as Python may write them."""
    start = 30 + int.from_bytes(header[26:28], "little")
    extra = cutter.peek(start + 4 + _ZIP64_SIZES)[start:]
    wide = struct.pack("<HHQQ", _ZIP64, _ZIP64_SIZES, member.size, member.stored)
    return extra == wide and int.from_bytes(header[28:30], "little") >= len(wide)


def _unfold_data(data: bytes, start: int, member: _Member, unfold: Unfolder, budget: Budget) -> Node | None:
    """Unfold a member's content and check what the directory says of it; None where it must stay one field."""
    raw = data[start : start + member.stored]
    if member.flags & _ENCRYPTED or len(raw) < member.stored:
        return None
    content, encoder = raw, None
    if member.method == _DEFLATED:
        found = inflate_raw(raw, 0, budget)
        if found is None or found.used != member.stored:
            return None
        content, encoder = found.content, found.encoder
    elif member.method != _STORED:
        return None
    if len(content) != member.size or zlib.crc32(content) != member.checksum:
        return None
    node = unfold(content, member.label, start)
    if member.method == _DEFLATED:
        return replace(node, encoder=encoder, stream=None if encoder else raw)
    return node


def _take_extra(cutter: Cutter, label: str, size: int) -> None:
    end = cutter.position + size
    while end - cutter.position >= 4:
        kind, length = struct.unpack("<HH", cutter.peek(4))
        if 4 + length > end - cutter.position:
            break
        if kind == _EXTENDED_TIMESTAMP and length % 4 == 1:
            cutter.take(f"{label}: extra", "bytes", 5)
            for _ in range(length // 4):
                cutter.take(f"{label}: extended timestamp", "unix-time", 4)
        else:
            cutter.take(f"{label}: extra", "bytes", 4 + length)
    cutter.take(f"{label}: extra", "bytes", end - cutter.position)


def _take_directory(cutter: Cutter, members: Sequence[_Member], unfolded: AbstractSet[int], *, in_order: bool) -> None:
    for member in members:
        label = f"{member.label}{_IN_DIRECTORY}"
        name_size, extra_size, comment_size = struct.unpack("<HHH", cutter.peek(34)[28:])
        cutter.take(f"{label}: start", "bytes", 12)
        cutter.take(f"{label}: time", "zip-time", 4)
        cutter.take(f"{label}: checksum and sizes", "bytes", 12, derived=member.offset in unfolded)
        cutter.take(f"{label}: lengths and attributes", "bytes", 14)
        # the k-th entry means the k-th member
        cutter.take(f"{label}: offset", "bytes", 4, derived=in_order)
        cutter.take(f"{label}: name", "bytes", name_size)
        _take_extra(cutter, label, extra_size)
        cutter.take(f"{label}: comment", "bytes", comment_size)


def deepen_zip(node: Node) -> Node:
    """Tell members by name, each with its entry in the directory, and beside them the order of both.

    The very node comes back where a name stands there twice and the directory has an order of its own: then it is the
    directory's that decides which one is meant.
    """
    named = [(number, part.name) for number, part in enumerate(node.parts) if isinstance(part, Field)]
    locals_at = [number for number, name in named if name.endswith(_LOCAL_START)]
    entries_at = [number for number, name in named if name.endswith(f"{_IN_DIRECTORY}: start")]
    end = [number for number, name in named if name == _END_RECORD]
    if len(locals_at) < 2 or len(locals_at) != len(entries_at) or len(end) != 1:
        return node
    # what lies between the members and the directory is no member's
    last = next((number for number, name in named if name == _BEFORE_DIRECTORY), entries_at[0])
    locals_ = list(_cut(node.parts, [*locals_at, last]))
    numbers = {run[0].offset: number for number, run in enumerate(locals_)}
    entries = {numbers[_offset_in(entry)]: _without_offset(entry) for entry in _cut(node.parts, [*entries_at, end[0]])}
    names = [str(run[0].name).removesuffix(_LOCAL_START) for run in locals_]
    order = list(entries)
    if order != sorted(order) and len(set(names)) < len(names):
        return node
    members = [
        Member(name, (*run, *entries[number])) for number, (name, run) in enumerate(zip(names, locals_, strict=True))
    ]
    after = (
        order_field("order of the central directory", order),
        *node.parts[last : entries_at[0]],
        *node.parts[end[0] :],
    )
    return tell_by_name(node, node.parts[: locals_at[0]], members, after)


def _cut(parts: Sequence[Field | Node], bounds: Sequence[int]) -> Iterator[tuple[Field | Node, ...]]:
    for number, start in enumerate(bounds[:-1]):
        yield tuple(parts[start : bounds[number + 1]])


def _is_offset(part: Field | Node) -> bool:
    return isinstance(part, Field) and part.name.endswith(f"{_IN_DIRECTORY}: offset")


def _offset_in(entry: Sequence[Field | Node]) -> int:
    """Give the offset of the local header that an entry of the directory means."""
    return next(int.from_bytes(part.value, "little") for part in entry if isinstance(part, Field) and _is_offset(part))


def _without_offset(entry: Sequence[Field | Node]) -> tuple[Field | Node, ...]:
    """Give an entry that stands by its member: where that is follows from the order."""
    return tuple(
        replace(part, derived=True) if isinstance(part, Field) and _is_offset(part) else part for part in entry
    )
