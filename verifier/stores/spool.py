"""Whole archives that are compressed (`docker save … | gzip`): inflated into the workspace, within limits."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from verifier.errors import MalformedImageError, StoreError
from verifier.oci.inflate import inflate, sniff_compression
from verifier.oci.limits import MAX_EXPANSION, MAX_EXPANSION_FLOOR, MIB
from verifier.oci.media_types import Compression
from verifier.stores.workspace import new_file, room_in

_REFUSED: Final = {b"BZh": "bzip2", b"\xfd7zXZ\x00": "xz", b"\x04\x22\x4d\x18": "lz4"}
_TAR_MAGIC: Final = b"ustar"
_TAR_MAGIC_OFFSET: Final = 257


def compression_of(descriptor: int, offset: int = 0) -> Compression:
    """Tell how the stretch of an open file that begins at `offset` is compressed, by its first bytes.

    Raises StoreError for a compression that is not inflated here.
    """
    start = os.pread(descriptor, 512, offset)
    if start[_TAR_MAGIC_OFFSET:].startswith(_TAR_MAGIC):
        return "none"  # a tar may begin with a name that looks like a magic number
    for magic, name in _REFUSED.items():
        if start.startswith(magic):
            raise StoreError(f"{name} compression is not read here", f"decompress it first: {name} -d")
    return sniff_compression(start)


def spool(descriptor: int, workspace: Path) -> Path:
    """Inflate an open file into a new file of the workspace, whose path is given back.

    Raises MalformedImageError for a corrupt or truncated stream and for one that expands beyond MAX_EXPANSION,
    ResourceError when the disk has too little room.
    """
    size = os.fstat(descriptor).st_size
    limit = max(size * MAX_EXPANSION, MAX_EXPANSION_FLOOR)
    position = 0

    def read() -> bytes:
        nonlocal position
        chunk = os.pread(descriptor, MIB, position)
        position += len(chunk)
        return chunk

    with new_file(workspace, "archive-") as path, path.open("wb") as target:
        written = 0
        for piece in inflate(read, "the archive"):
            written += len(piece)
            if written > limit:
                raise MalformedImageError(f"the archive expands from {size} bytes to more than {limit}")
            room_in(workspace)
            target.write(piece)
    return path
