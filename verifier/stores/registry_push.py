"""Push images to a repository, byte for byte: what was verified is what is shipped."""

from __future__ import annotations

from typing import Final

from verifier.errors import MalformedImageError, StoreError
from verifier.oci.blob import read_blob
from verifier.oci.descriptor import Descriptor
from verifier.oci.digest import Digest
from verifier.oci.image import BlobSource, ImageSet
from verifier.oci.limits import MAX_INDEX_DEPTH
from verifier.oci.manifest import Index, Manifest, parse_manifest_or_index
from verifier.stores.registry import Repository

_NOT_DISTRIBUTED: Final = (".nondistributable.", ".foreign.")


def push_image(
    images: ImageSet, repository: Repository, tag: str | None = None, *, mount_from: str | None = None
) -> Digest:
    """Push an image, or an index with all that it names, and give the digest that the registry answers with.

    Without a tag it is pushed by its digest alone. `mount_from` is another repository of the same registry that may
    have its blobs already. Raises StoreError for an image without a manifest, or where the store holds only a part of
    an index; UnauthorizedError, UnreachableError, DigestMismatchError.
    """
    push = _Push(repository, mount_from)
    if images.index is not None:
        if images.absent:
            raise StoreError(
                f"{images.reference} is an index of which {len(images.absent)} manifests are not here",
                "a registry takes whole indexes alone",
            )
        push.children(images.index, images.images[0].blobs, 0)
        return repository.push_manifest(images.index.raw, images.index.media_type, tag)
    if len(images.images) != 1:
        raise StoreError(f"{images.reference} is {len(images.images)} images without an index")
    image = images.images[0]
    if image.manifest is None:
        raise StoreError(f"{images.reference} has no manifest: only its engine can push it")
    push.parts(image.manifest, image.blobs)
    return repository.push_manifest(image.manifest.raw, image.manifest.media_type, tag)


class _Push:
    """One push; what is named twice is sent once."""

    def __init__(self, repository: Repository, mount_from: str | None) -> None:
        self._repository = repository
        self._mount_from = mount_from
        self._done: set[Digest] = set()

    def children(self, index: Index, blobs: BlobSource, depth: int) -> None:
        """Push what an index names, from the innermost outwards: registries ask for this order."""
        if depth > MAX_INDEX_DEPTH:
            raise MalformedImageError(f"index {index.digest} is nested in more than {MAX_INDEX_DEPTH} indexes")
        for child in index.manifests:
            if child.digest in self._done:
                continue
            self._done.add(child.digest)
            document = parse_manifest_or_index(read_blob(blobs, child), child.media_type or None)
            if isinstance(document, Index):
                self.children(document, blobs, depth + 1)
            else:
                self.parts(document, blobs)
            self._repository.push_manifest(document.raw, document.media_type)

    def parts(self, manifest: Manifest, blobs: BlobSource) -> None:
        """Push a manifest's layers and config."""
        for part in (*manifest.layers, manifest.config):
            if part.digest not in self._done and not _stays_elsewhere(part, blobs):
                self._done.add(part.digest)
                self._repository.push_blob(blobs, part, mount_from=self._mount_from)


def _stays_elsewhere(part: Descriptor, blobs: BlobSource) -> bool:
    """Tell whether a layer is one that is not to be pushed (Windows base layers), and is not here either."""
    return any(mark in part.media_type for mark in _NOT_DISTRIBUTED) and blobs.size_of(part.digest) is None
