"""Manifests, indexes and configs, read from any source of blobs: bounded, and verified against their descriptors."""

from __future__ import annotations

from typing import Final

from verifier.errors import MalformedImageError
from verifier.oci.blob import read_blob
from verifier.oci.config import ImageConfig, parse_config
from verifier.oci.descriptor import Descriptor
from verifier.oci.digest import Digest
from verifier.oci.image import BlobSource
from verifier.oci.limits import MAX_CONFIG_BYTES, MAX_JSON_BYTES, MIB
from verifier.oci.manifest import Index, Manifest, parse_manifest_or_index

MAX_ALL_DOCUMENTS_BYTES: Final = 64 * MIB
"""Of all the manifests, indexes and configs that one load reads."""


class Documents:
    """The manifests, indexes and configs of one store, each read once, and bounded all together."""

    def __init__(self, blobs: BlobSource) -> None:
        self._blobs = blobs
        self._known: dict[Digest, Manifest | Index] = {}
        self._configs: dict[Digest, ImageConfig] = {}
        self._bytes = 0

    def manifest_or_index(self, descriptor: Descriptor) -> Manifest | Index:
        """Read and parse what an index's entry stands for. Raises StoreError."""
        known = self._known.get(descriptor.digest)
        if known is None:
            raw = self._read(descriptor, MAX_JSON_BYTES)
            known = self._known[descriptor.digest] = parse_manifest_or_index(raw, descriptor.media_type or None)
        return known

    def config(self, manifest: Manifest) -> ImageConfig:
        """Read and parse a manifest's image config. Raises StoreError."""
        descriptor = manifest.config
        known = self._configs.get(descriptor.digest)
        if known is None:
            known = self._configs[descriptor.digest] = parse_config(self._read(descriptor, MAX_CONFIG_BYTES))
        return known

    def _read(self, descriptor: Descriptor, limit: int) -> bytes:
        raw = read_blob(self._blobs, descriptor, limit=limit)
        self._bytes += len(raw)
        if self._bytes > MAX_ALL_DOCUMENTS_BYTES:
            raise MalformedImageError(f"manifests and configs are larger than {MAX_ALL_DOCUMENTS_BYTES} bytes together")
        return raw
