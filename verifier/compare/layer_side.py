"""One layer's stream at one of its entries, and what is remembered of those before it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from typing import Final

from verifier.compare.file_type import HEAD_BYTES, file_type
from verifier.compare.files import record_of
from verifier.compare.tables import MIB, SpillList, SpillSpace, SpillTable
from verifier.oci.tar import TarReader
from verifier.oci.tar_entry import TarEntry

MAX_SEEN_BYTES: Final = 24 * MIB
"""The paths seen of one layer stay in memory up to so many bytes; so do …"""

MAX_RECORD_BYTES: Final = 24 * MIB
"""… what the root needs to know of its entries, and …"""

MAX_ASIDE_BYTES: Final = 16 * MIB
"""… entries put aside until their partner comes."""


class LayerSide:
    """One layer's stream, at one entry of it.

    A side with a `leader` remembers nothing of its own as long as it has had the leader's paths and records so far:
    then these tables are one for both.
    """

    def __init__(self, reader: TarReader, space: SpillSpace, leader: LayerSide | None = None) -> None:
        self.reader = reader
        self._leader = leader
        self.records: SpillList = SpillList(space, MAX_RECORD_BYTES) if leader is None else leader.records
        self.aside = SpillTable(space, MAX_ASIDE_BYTES)
        self._seen = SpillTable(space, MAX_SEEN_BYTES)
        self.raw: bytes | None = None
        self.entry: TarEntry
        self.occurrence = 0
        self.index = -1

    def advance(self, twin: LayerSide | None = None) -> None:
        """Go to the next header; where it is the same as `twin`'s, so is its parsed form."""
        raw = self.raw = self.reader.next_header()
        if raw is None:
            return
        self.index += 1
        self.entry = twin.entry if twin is not None and raw == twin.raw else self.reader.parse(raw)
        leader = self._leader
        if leader is not None and leader.raw is not None and leader.entry.path == self.entry.path:
            self.occurrence = leader.occurrence
        else:
            if leader is not None:
                self._seen = leader.seen_before()
                self._leader = None
            self.occurrence = self._count(self.entry.path)
        self.reader.begin(self.entry)

    def seen_before(self) -> SpillTable:
        """Copy what was seen before the entry that this side is at."""
        seen = self._seen.copy()
        if self.raw is not None and self.occurrence == 0:
            seen.remove(self.entry.path)
        elif self.raw is not None:
            seen.put(self.entry.path, b"%d" % (self.occurrence - 1))
        return seen

    def _count(self, path: bytes) -> int:
        before = self._seen.get(path)
        occurrence = 0 if before is None else int(before) + 1
        self._seen.put(path, b"%d" % occurrence)
        return occurrence

    @property
    def key(self) -> bytes:
        """Name the entry within its layer."""
        return self.entry.path if self.occurrence == 0 else b"%b\0%d" % (self.entry.path, self.occurrence)

    def digest_content(self) -> tuple[str, str]:
        """Read the content; give its digest and its type."""
        whole = self.reader.whole()
        if whole is not None:
            return hashlib.sha256(whole).hexdigest(), file_type(whole[:HEAD_BYTES], self.entry.path)
        hasher = hashlib.sha256()
        head = b""
        while size := self.reader.available():
            piece = self.reader.read(size)
            hasher.update(piece)
            if len(head) < HEAD_BYTES:
                head += piece[:HEAD_BYTES]
        return hasher.hexdigest(), file_type(head[:HEAD_BYTES], self.entry.path)

    def record(self, content: str) -> None:
        """Note the entry for the root."""
        self.records.append(self.entry.path, record_of(self.entry, content))

    def close(self) -> None:
        """Drop the tables that only the walk needs."""
        self.aside.close()
        self._seen.close()


def read_layer(reader: TarReader, space: SpillSpace) -> SpillList:
    """Read one layer alone, for the root. Raises MalformedImageError."""
    side = LayerSide(reader, space)
    while (raw := reader.next_header()) is not None:
        side.entry = reader.parse(raw)
        reader.begin(side.entry)
        side.record(side.digest_content()[0])
        reader.end()
    reader.trailer()
    side.close()
    return side.records


def layer_entries(reader: TarReader, paths: AbstractSet[bytes]) -> Iterator[tuple[TarEntry, int]]:
    """Yield a layer's entries of some paths with their occurrence, the reader standing at the content of each."""
    counts = dict.fromkeys(paths, -1)
    while (raw := reader.next_header()) is not None:
        entry = reader.parse(raw)
        reader.begin(entry)
        if entry.path in counts:
            counts[entry.path] += 1
            yield entry, counts[entry.path]
        reader.end()
