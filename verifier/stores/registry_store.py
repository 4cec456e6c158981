"""Images in a registry (`docker://REF`, or a bare reference): read as they come, through `verifier.oci.blob`.

Nothing is stored before it is compared. What is likely to be read again, for an explanation, is kept in the workspace
while it is read: from over a network at once, where the network is what one waits for; from loopback when it is read
for a second time, since asking twice costs less there than writing what nobody may read.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import IO, Final, cast

from verifier.errors import NotFoundError, UnauthorizedError, UnreachableError
from verifier.oci.descriptor import Descriptor
from verifier.oci.digest import Digest
from verifier.oci.image import ImageSet
from verifier.oci.manifest import Index, parse_manifest_or_index
from verifier.oci.platform import Platform
from verifier.oci.reference import ImageName, Reference
from verifier.stores.engine import Engine, engine_has
from verifier.stores.files import errors_about, open_file, open_window
from verifier.stores.layout import load_root
from verifier.stores.registry import Access, Document, Repository
from verifier.stores.registry_keep import KeepingStream
from verifier.stores.registry_network import is_loopback

KEPT_FROM: Final = 1024 * 1024
"""Bytes from which a blob is worth a file; smaller ones are asked for again."""


class RegistryStore:
    """One image of a registry; the registry is asked when the image is first loaded."""

    def __init__(
        self,
        name: ImageName,
        reference: Reference,
        workspace: Path,
        connect: Callable[[], Engine],
        access: Access | None = None,
    ) -> None:
        """Take the image's name, and how to reach an engine, for a hint where the registry has no such image."""
        self._name = name
        self._connect = connect
        self._repository = Repository(reference, access)
        self._blobs = RegistryBlobs(self._repository, workspace)

    def load(self, platform: Platform | None) -> ImageSet:
        """Read what the name means: with tag and digest, the digest alone counts. Raises StoreError."""
        try:
            with errors_about(self._name.text):
                document = self._blobs.take(self._repository.manifest())
                descriptor = Descriptor(media_type=document.media_type, digest=document.digest, size=len(document.raw))
                return load_root(self._name, self._blobs, descriptor, platform)
        except (NotFoundError, UnauthorizedError, UnreachableError) as error:
            is_bare = not self._name.text.startswith("docker://")
            if is_bare and engine_has(self._name.location, self._connect):
                error.hint = f"the Docker engine has it: docker-daemon:{self._name.text}"
            raise

    def close(self) -> None:
        """Close every connection, and remove what was kept; safe to call twice."""
        self._repository.close()
        self._blobs.close()


class RegistryBlobs:
    """A repository's manifests and blobs, as a BlobSource."""

    def __init__(self, repository: Repository, workspace: Path) -> None:
        self._repository = repository
        self._workspace = workspace
        self._documents: dict[Digest, Document | None] = {}
        self._manifests: set[Digest] = set()
        self._kept: dict[Digest, Path] = {}
        self._keep_at = 2 if is_loopback(repository.reference.registry) else 1
        self._reads: dict[Digest, int] = {}

    def take(self, document: Document) -> Document:
        """Note a manifest or an index that was read, and which others it names."""
        self._documents[document.digest] = document
        self._manifests.add(document.digest)
        parsed = parse_manifest_or_index(document.raw, document.media_type or None)
        if isinstance(parsed, Index):
            self._manifests.update(child.digest for child in parsed.manifests)
        return document

    def size_of(self, digest: Digest) -> int | None:
        """Give the size of a manifest, which is read for this, or of a blob, which is not."""
        if digest not in self._manifests:
            return self._repository.blob_size(digest)
        document = self._document(digest)
        return None if document is None else len(document.raw)

    def open(self, digest: Digest) -> IO[bytes]:
        """Open a manifest or a blob. Raises StoreError when it is not there."""
        if digest in self._manifests:
            document = self._document(digest)
            if document is None:
                raise NotFoundError(f"{self._repository.name} has no manifest {digest}")
            return io.BytesIO(document.raw)
        if digest in self._kept:
            return open_window(open_file(self._kept[digest]), 0, self._kept[digest].stat().st_size)
        stream = self._repository.open_blob(digest)
        size = self._repository.blob_size(digest) or 0
        if size < KEPT_FROM:
            return stream
        kept = KeepingStream(
            stream,
            size,
            self._workspace,
            wanted=lambda: self._is_read_often(digest),
            kept=lambda path: self._keep(digest, path),
        )
        return cast("IO[bytes]", kept)

    def close(self) -> None:
        """Remove what was kept; safe to call twice."""
        for path in self._kept.values():
            path.unlink(missing_ok=True)
        self._kept.clear()

    def _is_read_often(self, digest: Digest) -> bool:
        """Count a reading, and say whether this one is to be kept."""
        self._reads[digest] = self._reads.get(digest, 0) + 1
        return self._reads[digest] >= self._keep_at

    def _keep(self, digest: Digest, path: Path) -> None:
        other = self._kept.setdefault(digest, path)
        if other != path:
            path.unlink(missing_ok=True)

    def _document(self, digest: Digest) -> Document | None:
        if digest not in self._documents:
            try:
                self.take(self._repository.manifest(digest))
            except NotFoundError:
                self._documents[digest] = None
        return self._documents[digest]
