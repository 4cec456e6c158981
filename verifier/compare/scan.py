"""Read every file of one layer, one after the other: for what has to be looked for everywhere."""

from __future__ import annotations

from collections.abc import Iterator

from verifier.compare.content import open_reader, pieces_of
from verifier.oci.blob import stream_layer
from verifier.oci.image import Image
from verifier.oci.tar_entry import has_data


def scan_layer(image: Image, number: int, limit_bytes: int) -> Iterator[tuple[bytes, bytes]]:
    """Yield path and content of each file of a layer that is no larger than `limit_bytes`, in the archive's order.

    Raises StoreError, MalformedImageError, DigestMismatchError.
    """
    layer = image.layers[number]
    reader = open_reader(image, layer, stream_layer(image.blobs, layer))
    while (raw := reader.next_header()) is not None:
        entry = reader.parse(raw)
        reader.begin(entry)
        if has_data(entry.type) and 0 < entry.size <= limit_bytes:
            yield entry.path, b"".join(pieces_of(reader))
        reader.end()


def stream_of(image: Image, number: int) -> Iterator[bytes]:
    """Yield a layer's tar stream in pieces. Raises as `scan_layer` does."""
    yield from stream_layer(image.blobs, image.layers[number])
