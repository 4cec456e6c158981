"""Read single contents out of a layer: what a cause wants to see of files that differ."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Collection, Iterator
from typing import Final, Protocol

from verifier.compare.layer_side import layer_entries
from verifier.oci.blob import expansion_limit, stream_layer
from verifier.oci.image import Image, Layer
from verifier.oci.tar import TarReader
from verifier.oci.tar_entry import HeldEntry, TarEntry, has_data

Wanted = Collection[tuple[bytes, int]]
"""Paths with their occurrence."""

Algorithms = Collection[str]
"""Names of digest algorithms, as hashlib has them, and crc32."""

_HEAD_BYTES: Final = 64


class _Hasher(Protocol):
    @property
    def name(self) -> str: ...
    def update(self, data: bytes, /) -> None: ...
    def hexdigest(self) -> str: ...


def read_contents(image: Image, layer: int, wanted: Wanted, limit_bytes: int) -> dict[tuple[bytes, int], bytes]:
    """Read whole contents out of one layer of an image, by path and occurrence.

    Contents larger than `limit_bytes`, and those that would make all of them together larger than four times that,
    are left out. Raises StoreError, MalformedImageError, DigestMismatchError.
    """
    found: dict[tuple[bytes, int], bytes] = {}
    left = 4 * limit_bytes
    for key, entry, reader in wanted_entries(image, layer, wanted):
        if has_data(entry.type) and entry.size <= min(limit_bytes, left):
            left -= entry.size
            found[key] = b"".join(pieces_of(reader))
    return found


def read_entries(
    image: Image, layer: int, wanted: Wanted, algorithms: Algorithms
) -> dict[tuple[bytes, int], HeldEntry]:
    """Read what some entries of one layer hold, by path and occurrence; one piece of a content is in memory at a time.

    Raises StoreError, MalformedImageError, DigestMismatchError.
    """
    found: dict[tuple[bytes, int], HeldEntry] = {}
    for key, entry, reader in wanted_entries(image, layer, wanted):
        hashers = [_hasher(name) for name in algorithms]
        head = b""
        for piece in pieces_of(reader):
            head = head or piece[:_HEAD_BYTES]
            for hasher in hashers:
                hasher.update(piece)
        digests = frozenset(f"{hasher.name}:{hasher.hexdigest()}" for hasher in hashers if has_data(entry.type))
        found[key] = HeldEntry(entry.type, entry.linkname, entry.size, head, digests)
    return found


def _hasher(name: str) -> _Hasher:
    return _Checksum() if name == _Checksum.name else hashlib.new(name, usedforsecurity=False)


class _Checksum:
    """CRC-32 of IEEE 802.3, which links to debugging information hold; its digits are those of the number."""

    name = "crc32"

    def __init__(self) -> None:
        self._value = 0

    def update(self, data: bytes, /) -> None:
        self._value = zlib.crc32(data, self._value)

    def hexdigest(self) -> str:
        return f"{self._value:08x}"


def wanted_entries(
    image: Image, number: int, wanted: Wanted
) -> Iterator[tuple[tuple[bytes, int], TarEntry, TarReader]]:
    """Yield the wanted entries of a layer with the reader at their content; read the whole layer, for its digests."""
    left = set(wanted)
    layer = image.layers[number]
    reader = open_reader(image, layer, stream_layer(image.blobs, layer))
    for entry, occurrence in layer_entries(reader, {path for path, _ in wanted}):
        key = (entry.path, occurrence)
        if key in left:
            left.discard(key)
            yield key, entry, reader
    reader.trailer()


def open_reader(image: Image, layer: Layer, pieces: Iterator[bytes]) -> TarReader:
    """Read a layer's tar stream, with the limits and the name that go with it."""
    what = f"{image.reference}: layer {layer.descriptor.digest}"
    return TarReader(pieces, what, hole_limit=expansion_limit(layer.descriptor))


def pieces_of(reader: TarReader) -> Iterator[bytes]:
    """Yield what is left of the current entry's content."""
    while size := reader.available():
        yield reader.read(size)
