"""Read blobs as a hostile store gives them: digest and size verified while they stream, expansion bounded.

A layer is read in these steps, all at once and in one pass:

1. the store's size must be the descriptor's, and no more than that is ever read;
2. the blob's bytes are digested;
3. they are inflated by what their first bytes say (gzip, zstd, plain), within the expansion limits;
4. the tar stream is digested and handed out in pieces;
5. at the end both digests must be what the descriptor and the config claim.

So a reader has seen a layer's bytes before they are known to be right: nothing that is made of them may be used until
the stream has ended without an error.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from typing import IO, Final

from verifier.errors import DigestMismatchError, MalformedImageError, ResourceError, StoreError
from verifier.oci.descriptor import Descriptor
from verifier.oci.digest import Digest, algorithm_of, encoded_of
from verifier.oci.image import BlobSource, Layer
from verifier.oci.inflate import inflate
from verifier.oci.limits import MAX_EXPANSION, MAX_EXPANSION_FLOOR, MAX_JSON_BYTES

READ_BYTES: Final = 2 * 1024 * 1024
"""How much of a blob is read, digested and inflated at once, in bytes: enough for hashlib to let other threads run."""


def check_presence(source: BlobSource, descriptor: Descriptor) -> None:
    """Check that a blob is there, of the descriptor's size, without reading it.

    Raises StoreError when it is missing and MalformedImageError when its size is another.
    """
    size = source.size_of(descriptor.digest)
    if size is None:
        raise StoreError(f"blob {descriptor.digest} is missing")
    if size != descriptor.size:
        raise MalformedImageError(
            f"blob {descriptor.digest} has {size} bytes where its descriptor says {descriptor.size}"
        )


class VerifiedReader:
    """One blob, read from its start to its end once, in pieces; at the end its size and digest are checked.

    `on_read` is told how many bytes were just read.
    """

    def __init__(
        self, source: BlobSource, descriptor: Descriptor, on_read: Callable[[int], None] | None = None
    ) -> None:
        check_presence(source, descriptor)
        self._descriptor = descriptor
        self._on_read = on_read
        self._left = descriptor.size
        self._hasher = hashlib.new(algorithm_of(descriptor.digest))
        self._ended = False
        self._handle: IO[bytes] = source.open(descriptor.digest)

    def read(self) -> bytes:
        """Give the next piece, nothing at the end. Raises DigestMismatchError, MalformedImageError, ResourceError."""
        if self._left == 0:
            self._check_digest()
            return b""
        try:
            data = self._handle.read(min(READ_BYTES, self._left))
        except OSError as error:
            raise ResourceError(f"blob {self._descriptor.digest} cannot be read: {error}") from None
        if not data:
            raise MalformedImageError(
                f"blob {self._descriptor.digest} ends {self._left} bytes before the size in its descriptor"
            )
        self._left -= len(data)
        self._hasher.update(data)
        if self._on_read is not None:
            self._on_read(len(data))
        return data

    def drain(self) -> None:
        """Read what is left, for its digest. Raises as `read` does."""
        while self.read():
            pass

    def close(self) -> None:
        """Close the blob; safe to call twice."""
        self._handle.close()

    def _check_digest(self) -> None:
        if not self._ended and self._hasher.hexdigest() != encoded_of(self._descriptor.digest):
            raise DigestMismatchError(
                f"blob {self._descriptor.digest} has other bytes: their digest is "
                f"{algorithm_of(self._descriptor.digest)}:{self._hasher.hexdigest()}"
            )
        self._ended = True


def read_blob(source: BlobSource, descriptor: Descriptor, *, limit: int = MAX_JSON_BYTES) -> bytes:
    """Read a small blob whole, verified; at most `limit` bytes.

    Raises StoreError, MalformedImageError, DigestMismatchError.
    """
    if descriptor.size > limit:
        raise MalformedImageError(
            f"blob {descriptor.digest} has {descriptor.size} bytes, over the limit of {limit} for its kind"
        )
    reader = VerifiedReader(source, descriptor)
    try:
        return b"".join(iter(reader.read, b""))
    finally:
        reader.close()


def verify_blob(source: BlobSource, descriptor: Descriptor, on_read: Callable[[int], None] | None = None) -> None:
    """Read a blob for its digest alone. Raises StoreError, MalformedImageError, DigestMismatchError."""
    reader = VerifiedReader(source, descriptor, on_read)
    try:
        reader.drain()
    finally:
        reader.close()


def stream_layer(source: BlobSource, layer: Layer, on_read: Callable[[int], None] | None = None) -> Iterator[bytes]:
    """Yield a layer's tar stream in pieces of at most 1 MiB, verified as the module's steps say.

    Closing the iterator early closes the blob. Raises StoreError, MalformedImageError, DigestMismatchError; where the
    blob's digest is wrong, that is what is raised, and not the damage that it did to what is inside.
    """
    reader = VerifiedReader(source, layer.descriptor, on_read)
    try:
        yield from _inflated(reader, layer)
    except DigestMismatchError:
        raise
    except MalformedImageError:
        reader.drain()
        raise
    finally:
        reader.close()


def _inflated(reader: VerifiedReader, layer: Layer) -> Iterator[bytes]:
    what = f"layer {layer.descriptor.digest}"
    limit = expansion_limit(layer.descriptor)
    hasher = hashlib.new(algorithm_of(layer.diff_id))
    expanded = 0
    for piece in inflate(reader.read, what):
        expanded += len(piece)
        if expanded > limit:
            raise MalformedImageError(
                f"{what} expands to more than {limit} bytes, {MAX_EXPANSION} times its {layer.descriptor.size} bytes"
            )
        hasher.update(piece)
        yield piece
    reader.drain()
    if hasher.hexdigest() != encoded_of(layer.diff_id):
        actual = Digest(f"{algorithm_of(layer.diff_id)}:{hasher.hexdigest()}")
        raise DigestMismatchError(f"{what} inflates to diff_id {actual}, the config claims {layer.diff_id}")


def expansion_limit(descriptor: Descriptor) -> int:
    """Say how many bytes a layer may expand to, holes of sparse files included."""
    return max(MAX_EXPANSION_FLOOR, descriptor.size * MAX_EXPANSION)
