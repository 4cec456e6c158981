"""How two blobs of one `diff_id` differ: in the time of their gzip header alone, or in more."""

from __future__ import annotations

import hashlib
from typing import Final

from verifier.model.difference import NamedValue, WholeValues
from verifier.oci.digest import Digest, algorithm_of
from verifier.oci.image import Image, Layer

_MTIME: Final = slice(4, 8)
_HEADER_BYTES: Final = 10
_GZIP: Final = b"\x1f\x8b\x08"
_PIECE_BYTES: Final = 2 * 1024 * 1024


def blob_parts(first: Image, layer: Layer, second: Image, other: Layer) -> WholeValues | None:
    """Part two gzip blobs of one size into MTIME (RFC 1952, 2.3.1) and all the rest; None for any others.

    Both are read once more, in bounded pieces; a blob that is no longer what was compared gives None too. Raises
    StoreError.
    """
    if layer.descriptor.size != other.descriptor.size:
        return None
    parts = _parts(first, layer), _parts(second, other)
    if parts[0] is None or parts[1] is None:
        return None
    return WholeValues(first=parts[0], second=parts[1])


def _parts(image: Image, layer: Layer) -> tuple[NamedValue, ...] | None:
    digest = layer.descriptor.digest
    if algorithm_of(digest) != "sha256":
        return None
    with image.blobs.open(digest) as handle:
        head = handle.read(_HEADER_BYTES)
        if len(head) < _HEADER_BYTES or not head.startswith(_GZIP):
            return None
        whole = hashlib.sha256(head)
        rest = hashlib.sha256(head[: _MTIME.start] + head[_MTIME.stop :])
        while piece := handle.read(_PIECE_BYTES):
            whole.update(piece)
            rest.update(piece)
    if Digest(f"sha256:{whole.hexdigest()}") != digest:
        return None
    return NamedValue("layer-mtime", head[_MTIME]), NamedValue("layer-rest", rest.hexdigest().encode())
