"""Write our own tar of a context: ustar, with pax records only where a value does not fit (POSIX.1-2017, pax).

The same entries give the same bytes: owners are 0:0 without names, times are whole seconds, as docker's own client
sends them, and the archive ends with two zero blocks and no further padding.
"""

from __future__ import annotations

import hashlib
from typing import IO, Final

from verifier.oci.digest import Digest
from verifier.oci.tar_edit import pax_record

BLOCK: Final = 512

_MAX_OCTAL: Final = 8**11
"""What the eleven octal digits of size and mtime stop before."""


class ArchiveWriter:
    """A tar archive being written; the digest is that of every byte so far."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._sum = hashlib.sha256()

    def begin(self, path: bytes, kind: bytes, *, mode: int, mtime: int, size: int = 0, target: bytes = b"") -> None:
        """Write an entry's header; `size` bytes of content and `end_content` follow where `size` is not 0.

        `kind` is the typeflag, `mtime` in seconds, `target` a symlink's.
        """
        records = []
        if len(path) > 100:
            records.append((b"path", path))
        if len(target) > 100:
            records.append((b"linkpath", target))
        if not 0 <= mtime < _MAX_OCTAL:
            records.append((b"mtime", b"%d" % mtime))
            mtime = 0
        if size >= _MAX_OCTAL:
            records.append((b"size", b"%d" % size))
            size = 0
        if records:
            if any(not _is_utf8(value) for _, value in records):
                records.insert(0, (b"hdrcharset", b"BINARY"))
            body = b"".join(pax_record(key, value) for key, value in records)
            self.write(_header(b"././@PaxHeader", b"x", 0o644, len(body), 0, b""))
            self.write(body)
            self.end_content(len(body))
        self.write(_header(path[:100], kind, mode, size, mtime, target[:100]))

    def write(self, data: bytes | memoryview) -> None:
        """Write a piece of content."""
        self._sum.update(data)
        self._file.write(data)

    def end_content(self, size: int) -> None:
        """Fill the last block of `size` bytes of content."""
        self.write(bytes(-size % BLOCK))

    def finish(self) -> Digest:
        """Write the trailer and give the archive's digest."""
        self.write(bytes(2 * BLOCK))
        return Digest("sha256:" + self._sum.hexdigest())


def _header(path: bytes, kind: bytes, mode: int, size: int, mtime: int, target: bytes) -> bytes:
    block = bytearray(BLOCK)
    block[0 : len(path)] = path
    block[100:124] = b"%07o\0%07o\0%07o\0" % (mode, 0, 0)
    block[124:148] = b"%011o\0%011o\0" % (size, mtime)
    block[148:157] = b"        " + kind
    block[157 : 157 + len(target)] = target
    block[257:265] = b"ustar\x0000"
    block[329:345] = b"%07o\0%07o\0" % (0, 0)
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block)


def _is_utf8(value: bytes) -> bool:
    try:
        value.decode()
    except UnicodeDecodeError:
        return False
    return True
