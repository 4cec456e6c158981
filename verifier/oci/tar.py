"""Read a tar stream entry by entry, in one pass, raw header blocks included (POSIX.1-2008, "ustar Interchange Format").

Nothing is ever written by an entry's path: a layer is data here. Every read is bounded; what follows the end of the
archive is kept as a fact and not dropped.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from verifier.errors import MalformedImageError
from verifier.oci.digest import Digest
from verifier.oci.limits import MAX_ENTRY_METADATA_BYTES, MAX_EXPANSION_FLOOR, MAX_LAYER_ENTRIES
from verifier.oci.tar_entry import BLOCK, TarEntry
from verifier.oci.tar_header import EXTENSIONS, GNU_SPARSE, PAX_HEADER, PAX_HEADER_SOLARIS, check_block, parse_number
from verifier.oci.tar_header import parse_header as _parse_header
from verifier.oci.tar_sparse import read_map

ZERO_BLOCK: Final = bytes(BLOCK)
ZEROS: Final = bytes(1024 * 1024)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trailer:
    """What follows the last entry: its size in bytes and its digest; usually two or more blocks of zeros."""

    size: int
    digest: Digest


class TarReader:
    """A tar stream, read in this order: `next_header`, `parse`, `begin`, `read` until nothing is left, `end`.

    Header and content are apart because two streams are often compared header by header: equal bytes need one parse.
    `what` names the archive in messages. The holes of its sparse files may come to `hole_limit` bytes together: they
    cost an attacker nothing.
    """

    def __init__(self, pieces: Iterator[bytes], what: str, *, hole_limit: int = MAX_EXPANSION_FLOOR) -> None:
        self._pieces = pieces
        self._what = what
        self._holes_left = hole_limit
        self._piece = b""
        self._position = 0
        self._stored = 0
        self._stretches: list[tuple[int, int]] | None = None
        self._padding = 0
        self.entries = 0
        """How many headers were read."""

    def next_header(self) -> bytes | None:
        """Read the next entry's header blocks, extensions included; None at the end of the archive.

        Raises MalformedImageError for a truncated header, and for more than MAX_ENTRY_METADATA_BYTES of them.
        """
        block = self._block(optional=True)
        if block is None:
            return None
        if block[0] == 0 and block == ZERO_BLOCK:
            self._end_of_archive(block)
            return None
        if self.entries >= MAX_LAYER_ENTRIES:
            raise self._error(f"has more than {MAX_LAYER_ENTRIES} entries")
        self.entries += 1
        flag = block[156]
        if flag in EXTENSIONS or flag == GNU_SPARSE:
            return self._long_header(block)
        return block

    def parse(self, raw: bytes) -> TarEntry:
        """Parse header blocks. Raises MalformedImageError, which says where in the archive."""
        try:
            return _parse_header(raw)
        except MalformedImageError as error:
            raise self._error(f"entry {self.entries}: {error.message}") from None

    def begin(self, entry: TarEntry) -> None:
        """Go to the content of the entry whose header was just read."""
        self._stored = entry.stored
        self._padding = -entry.stored % BLOCK
        self._stretches = None
        if entry.sparse is not None:
            self._holes_left -= entry.size - entry.stored
            if self._holes_left < 0:
                raise self._error(f"entry {self.entries}: the holes of sparse files expand beyond the layer's limit")
            self._stored, self._stretches = 0, _stretches_of(entry)

    def whole(self) -> bytes | None:
        """Give the content at once where it lies in one piece; None otherwise (then `read` it)."""
        stop = self._position + self._stored
        if self._stretches is not None or stop > len(self._piece):
            return None
        content = self._piece[self._position : stop]
        self._position, self._stored = stop, 0
        return content

    def take_same(self, content: bytes) -> bool:
        """Pass over the next bytes of content if they are `content`, in one piece; else leave them. Copies nothing."""
        size = len(content)
        if size > self._stored or self._stretches is not None:
            return False
        if not self._piece.startswith(content, self._position):
            return False
        self._position += size
        self._stored -= size
        return True

    def available(self) -> int:
        """Say how many bytes of content `read` can give at once; 0 at the end of the content."""
        if self._stretches is not None and self._stored == 0:
            while self._stretches and self._stretches[-1][1] == 0:
                self._stretches.pop()
            if not self._stretches:
                return 0
            is_hole, length = self._stretches[-1]
            if is_hole:
                return min(length, len(ZEROS))
            self._stretches.pop()
            self._stored = length
        if self._stored == 0:
            return 0
        if self._position == len(self._piece):
            self._refill()
        return min(self._stored, len(self._piece) - self._position)

    def read(self, size: int) -> bytes:
        """Give the next `size` bytes of content, holes as zeros; `size` is at most what `available` said."""
        if self._stored == 0 and self._stretches and self._stretches[-1][0]:
            self._stretches[-1] = (1, self._stretches[-1][1] - size)
            return ZEROS[:size]
        start = self._position
        self._position = start + size
        self._stored -= size
        return self._piece[start : start + size]

    def end(self) -> bytes:
        """Pass over what is left of the content, and give its padding up to the next block."""
        while size := self.available():
            self.read(size)
        return self._exactly(self._padding) if self._padding else b""

    def trailer(self) -> Trailer:
        """Read what follows the last entry, to the stream's end; call it once `next_header` gave None."""
        hasher = hashlib.sha256()
        size = 0
        while True:
            rest = self._piece[self._position :]
            hasher.update(rest)
            size += len(rest)
            self._position = len(self._piece)
            if not self._refill(optional=True):
                return Trailer(size=size, digest=Digest(f"sha256:{hasher.hexdigest()}"))

    def _end_of_archive(self, block: bytes) -> None:
        """Put the zero block back for the trailer. Refuse a lone one before other data, as runtimes do."""
        following = self._block(optional=True)
        if following is not None and following != ZERO_BLOCK:
            raise self._error("has a block of zeros between its entries")
        self._piece = block + (following or b"") + self._piece[self._position :]
        self._position = 0

    def _long_header(self, block: bytes) -> bytes:
        blocks = bytearray(block)
        sparse_records = False
        while block[156] in EXTENSIONS:
            try:
                check_block(block)
                size = parse_number(block[124:136])
            except MalformedImageError as error:
                raise self._error(f"entry {self.entries}: {error.message}") from None
            if not 0 <= size <= MAX_ENTRY_METADATA_BYTES - len(blocks):
                raise self._error(f"entry {self.entries}: headers of {size} bytes, over {MAX_ENTRY_METADATA_BYTES}")
            payload = self._exactly(size + -size % BLOCK)
            if block[156] in (PAX_HEADER, PAX_HEADER_SOLARIS):
                sparse_records = b"GNU.sparse.major=1\n" in payload
            following = self._block()
            assert following is not None  # noqa: S101 - only an optional block can be missing
            block = following
            blocks += payload + block
        if block[156] == GNU_SPARSE:
            self._read_extended_sparse(block, blocks)
        elif sparse_records:
            blocks += read_map(lambda: self._exactly(BLOCK), MAX_ENTRY_METADATA_BYTES)
        return bytes(blocks)

    def _read_extended_sparse(self, block: bytes, blocks: bytearray) -> None:
        more = block[482]
        while more:
            if len(blocks) > MAX_ENTRY_METADATA_BYTES:
                raise self._error(f"entry {self.entries}: a sparse map over {MAX_ENTRY_METADATA_BYTES} bytes")
            extended = self._exactly(BLOCK)
            blocks += extended
            more = extended[504]

    def _block(self, *, optional: bool = False) -> bytes | None:
        start = self._position
        stop = start + BLOCK
        if stop <= len(self._piece):
            self._position = stop
            return self._piece[start:stop]
        if optional and start == len(self._piece) and not self._refill(optional=True):
            return None
        return self._exactly(BLOCK)

    def _exactly(self, size: int) -> bytes:
        stop = self._position + size
        if stop <= len(self._piece):
            data = self._piece[self._position : stop]
            self._position = stop
            return data
        parts = []
        while size:
            if self._position == len(self._piece):
                self._refill()
            data = self._piece[self._position : self._position + size]
            self._position += len(data)
            size -= len(data)
            parts.append(data)
        return b"".join(parts)

    def _refill(self, *, optional: bool = False) -> bool:
        for piece in self._pieces:
            if piece:
                self._piece, self._position = piece, 0
                return True
        if not optional:
            raise self._error(f"ends in the middle of entry {self.entries}")
        self._piece, self._position = b"", 0
        return False

    def _error(self, message: str) -> MalformedImageError:
        return MalformedImageError(f"{self._what} {message}")


def read_content(reader: TarReader, take: Callable[[bytes], object]) -> None:
    """Give every piece of the current entry's content to `take`."""
    while size := reader.available():
        take(reader.read(size))


def _stretches_of(entry: TarEntry) -> list[tuple[int, int]]:
    """List holes (1, length) and stored stretches (0, length) from the last to the first."""
    found: list[tuple[int, int]] = []
    end = 0
    for offset, length in entry.sparse or ():
        found += ((1, offset - end), (0, length))
        end = offset + length
    found.append((1, entry.size - end))
    return found[::-1]
