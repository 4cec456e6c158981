"""Unfold a git index (Git, Documentation/gitformat-index): what it noted of each file, versions 2 to 4."""

from __future__ import annotations

import hashlib
import struct
from typing import Final

from verifier.formats.field import Node
from verifier.formats.limits import MAX_MEMBERS
from verifier.formats.spans import Cutter

_HEADER_BYTES: Final = 12
_FIXED_BYTES: Final = 62
_DIGEST_BYTES: Final = 20
_EXTENDED: Final = 0x4000
_NAME_LENGTH: Final = 0x0FFF
_STAT: Final = (
    ("ctime", "git-index-seconds"),
    ("ctime, nanoseconds", "git-index-nanoseconds"),
    ("mtime", "git-index-seconds"),
    ("mtime, nanoseconds", "git-index-nanoseconds"),
    ("device", "git-index-device"),
    ("inode", "git-index-inode"),
    ("mode", "bytes"),
    ("uid", "bytes"),
    ("gid", "bytes"),
    ("size", "bytes"),
)
"""Four bytes each, big-endian."""


def is_git_index(data: bytes) -> bool:
    """Tell by the signature and a version that is read here."""
    return data[:4] == b"DIRC" and len(data) >= _HEADER_BYTES + _DIGEST_BYTES and data[4:8] in _VERSIONS


_VERSIONS: Final = tuple(struct.pack(">I", version) for version in (2, 3, 4))


def unfold_git_index(data: bytes, name: str, offset: int) -> Node:
    """Unfold entries and extensions; the digest at the end is derived. Raises ValueError where it is no such index."""
    if hashlib.sha1(data[:-_DIGEST_BYTES], usedforsecurity=False).digest() != data[-_DIGEST_BYTES:]:
        raise ValueError("the digest at the end is not that of the index")
    version, count = struct.unpack_from(">II", data, 4)
    if count > MAX_MEMBERS:
        raise ValueError("too many entries")
    cutter = Cutter(data)
    cutter.take("header", "bytes", _HEADER_BYTES)
    for _ in range(count):
        _take_entry(cutter, version)
    if cutter.left < _DIGEST_BYTES:
        raise ValueError("the entries reach into the digest")
    cutter.take("extensions", "bytes", cutter.left - _DIGEST_BYTES)
    cutter.take("digest", "sha1", _DIGEST_BYTES, derived=True)
    return cutter.finish(name, "git index", offset)


def _take_entry(cutter: Cutter, version: int) -> None:
    start = cutter.position
    flags = int.from_bytes(cutter.data[start + 60 : start + _FIXED_BYTES], "big")
    fixed = _FIXED_BYTES + (2 if version >= 3 and flags & _EXTENDED else 0)
    end = cutter.data.find(b"\0", start + fixed)
    if end < 0:
        raise ValueError("a path without an end")
    length = end - start - fixed
    if version < 4:
        if flags & _NAME_LENGTH not in (length, _NAME_LENGTH):
            raise ValueError("a path of another length")
        # one to eight NULs, so that the next entry begins at a multiple of eight
        size = (fixed + length + 8) // 8 * 8
        path = cutter.data[start + fixed : end].decode("utf-8", "backslashreplace")
    else:
        size, path = fixed + length + 1, "entry"
    for field, kind in _STAT:
        cutter.take(f"{path}: {field}", kind, 4)
    cutter.take(f"{path}: object, flags and path", "bytes", size - 40)
