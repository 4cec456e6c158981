"""Unfold a cpio archive: headers, data and padding.

The headers are newc and crc (Linux, Documentation/driver-api/early-userspace/buffer-format.rst) and odc (POSIX.1-2001,
pax, "cpio Interchange Format").
"""

from __future__ import annotations

from typing import Final

from verifier.formats.field import Node
from verifier.formats.limits import MAX_MEMBERS
from verifier.formats.spans import Cutter
from verifier.formats.tar_archive import Unfolder

_NEWC: Final = (
    ("inode", "cpio-inode", 8),
    *((name, "bytes", 8) for name in ("mode", "uid", "gid", "links")),
    ("mtime", "cpio-mtime", 8),
    ("size", "bytes", 8),
    ("device, major", "cpio-device", 8),
    ("device, minor", "cpio-device", 8),
    *((name, "bytes", 8) for name in ("special", "special", "name size", "checksum")),
)
_ODC: Final = (
    ("device", "cpio-device", 6),
    ("inode", "cpio-inode", 6),
    *((name, "bytes", 6) for name in ("mode", "uid", "gid", "links", "special")),
    ("mtime", "cpio-mtime-odc", 11),
    ("name size", "bytes", 6),
    ("size", "bytes", 11),
)
_NEWC_MAGICS: Final = (b"070701", b"070702")
_ODC_MAGIC: Final = b"070707"
_MAGIC_BYTES: Final = 6
_TRAILER: Final = b"TRAILER!!!\0"

_Groups = dict[tuple[bytes, bytes], str]
"""The first member of each device and inode number, by name."""


def is_cpio(data: bytes) -> bool:
    """Tell by the magic and the digits that follow it."""
    if data.startswith(_NEWC_MAGICS):
        return _is_digits(data[6:110], 104, b"0123456789abcdefABCDEF")
    return data.startswith(_ODC_MAGIC) and _is_digits(data[6:76], 70, b"01234567")


def _is_digits(field: bytes, size: int, digits: bytes) -> bool:
    return len(field) == size and not field.strip(digits)


def unfold_cpio(data: bytes, name: str, offset: int, unfold: Unfolder) -> Node:
    """Unfold one archive, and those that follow it: an initrd has several, the last one compressed.

    Raises ValueError where it is damaged.
    """
    cutter = Cutter(data)
    members = 0
    groups: _Groups = {}
    while is_cpio(cutter.peek(110)):
        members += 1
        if members > MAX_MEMBERS:
            raise ValueError("too many members")
        if _take_member(cutter, unfold, groups):
            groups.clear()
            _take_gap(cutter)
    if cutter.left:
        cutter.nest(unfold(cutter.peek(cutter.left), "what follows", cutter.position), cutter.left)
    return cutter.finish(name, "cpio", offset)


def _take_member(cutter: Cutter, unfold: Unfolder, groups: _Groups) -> bool:
    """Take one member; tell whether it is the last one of its archive.

    The field of an inode number is named after the first member that has it: links stay what they are, whatever the
    numbers.
    """
    is_odc = cutter.peek(_MAGIC_BYTES) == _ODC_MAGIC
    base, block, header = (8, 1, 76) if is_odc else (16, 4, 110)
    head = cutter.peek(header)
    name_at, name_end, size_at, size_end = (59, 65, 65, 76) if is_odc else (94, 102, 54, 62)
    name_size, size = int(head[name_at:name_end], base), int(head[size_at:size_end], base)
    name = cutter.peek(header + name_size)[header:]
    label = name.rstrip(b"\0").decode("utf-8", "backslashreplace")
    cutter.take(f"{label}: magic", "bytes", _MAGIC_BYTES)
    inode = (head[6:12], head[12:18]) if is_odc else (head[62:78], head[6:14])
    first = groups.setdefault(inode, label)
    for part, kind, width in _ODC if is_odc else _NEWC:
        cutter.take(f"{first if part == 'inode' else label}: {part}", kind, width)
    cutter.take(f"{label}: name", "bytes", name_size + -(header + name_size) % block)
    if size > cutter.left:
        raise ValueError("a member is cut off")
    if size:
        cutter.nest(unfold(cutter.peek(size), label, cutter.position), size)
    cutter.take(f"{label}: padding", "bytes", min(-size % block, cutter.left))
    return name == _TRAILER


def _take_gap(cutter: Cutter) -> None:
    """Take the zeros between two archives."""
    position = cutter.position
    while cutter.data[position : position + 4096].count(0) == 4096:
        position += 4096
    rest = cutter.data[position : position + 4096]
    position += len(rest) - len(rest.lstrip(b"\0"))
    cutter.take("between archives", "bytes", position - cutter.position)
