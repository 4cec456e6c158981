"""One repository of a registry (OCI distribution specification 1.1): manifests, blobs, tags, referrers, pushing.

Everything that is read is bounded, and everything that has a digest is verified against it. What went wrong is told
apart: NotFoundError (the registry answered: it is not there), UnauthorizedError (it answered: you may not),
UnreachableError (no answer, or none of use: nothing is known), MalformedImageError and DigestMismatchError (it answered
with what cannot be right). Credentials come from Docker's config and go to the registry's own host alone.

Nothing is asked before the first method that needs an answer, so that opening a repository costs nothing.
"""

from __future__ import annotations

import hashlib
import io
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Final, Self, cast

from verifier.errors import DigestMismatchError, MalformedImageError, NotFoundError
from verifier.oci.blob import VerifiedReader, read_blob
from verifier.oci.descriptor import Descriptor
from verifier.oci.digest import Digest, algorithm_of, digest_bytes, parse_digest
from verifier.oci.image import BlobSource
from verifier.oci.limits import MAX_JSON_BYTES
from verifier.oci.media_types import DOCKER_MANIFEST, DOCKER_MANIFEST_LIST, OCI_INDEX, OCI_MANIFEST
from verifier.oci.reference import DEFAULT_TAG, Reference
from verifier.stores.registry_access import Access, Patience
from verifier.stores.registry_answers import StorageRefusedError, failure, length_of, let_go, media_type_of
from verifier.stores.registry_blob import BlobStream

if TYPE_CHECKING:
    import requests

    from verifier.stores.registry_transport import Transport

__all__ = ["Access", "Document", "Patience", "Repository"]

MAX_TAGS: Final = 1_000_000
"""Tags of one repository that are listed."""

ACCEPTED: Final = {"Accept": f"{OCI_INDEX}, {OCI_MANIFEST}, {DOCKER_MANIFEST_LIST}, {DOCKER_MANIFEST}"}
_NO_SUCH_METHOD: Final = frozenset({400, 405, 501})
"""What some registries answer to HEAD where GET is allowed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A manifest or an index as the registry has it: exact bytes, the media type it was given as, and its digest."""

    raw: bytes
    media_type: str
    digest: Digest


class Repository:
    """One repository; used from several threads at once, closed once. Also a context manager."""

    def __init__(self, reference: Reference, access: Access | None = None) -> None:
        """Take a repository by any reference into it; tag and digest of it are what the methods mean by default."""
        self.reference = reference
        self._access = access or Access()
        self._transport: Transport | None = None
        self._sizes: dict[Digest, int] = {}
        self._lock = threading.Lock()

    @property
    def name(self) -> str:
        """Registry and repository: `docker.io/library/ubuntu`."""
        return self.reference.name

    def resolve(self, reference: str | Digest | None = None) -> Descriptor | None:
        """Say what a tag or a digest means now: media type, digest and size of a manifest or an index, unread.

        Without `reference` it is the repository's own: the digest where it has one, else the tag. None when the
        registry answers that there is no such manifest. Raises UnauthorizedError, UnreachableError, StoreError.
        """
        wanted = reference or self._own
        response = self.ask(f"manifests/{wanted}", "HEAD", headers=ACCEPTED)
        let_go(response)
        if response.status_code == 404:
            return None
        if response.status_code not in (200, *_NO_SUCH_METHOD):
            raise failure(response, self.reference.registry, self.named(wanted))
        found = self._described(response, wanted) if response.status_code == 200 else None
        if found is not None:
            return found
        document = self.manifest(wanted)
        return Descriptor(media_type=document.media_type, digest=document.digest, size=len(document.raw))

    def manifest(self, reference: str | Digest | None = None) -> Document:
        """Read a manifest or an index by tag or digest, at most MAX_JSON_BYTES, verified.

        Raises NotFoundError, UnauthorizedError, UnreachableError, MalformedImageError, DigestMismatchError.
        """
        wanted = reference or self._own
        what = self.named(wanted)
        response, raw = self.fetch(f"manifests/{wanted}", what, limit=MAX_JSON_BYTES, headers=ACCEPTED)
        claimed = response.headers.get("Docker-Content-Digest")
        if ":" in wanted:
            claimed = wanted
        digest = digest_bytes(raw) if claimed is None else parse_digest(claimed, f"{what}: Docker-Content-Digest")
        if (actual := _digest_like(digest, raw)) != digest:
            raise DigestMismatchError(f"{what} has other bytes than {digest}: their digest is {actual}")
        return Document(raw=raw, media_type=media_type_of(response), digest=digest)

    def blob_size(self, digest: Digest) -> int | None:
        """Give a blob's size in bytes, None when the registry does not have it. Reads no content."""
        if digest in self._sizes:
            return self._sizes[digest]
        for method in ("HEAD", "GET"):
            try:
                response = self.ask(f"blobs/{digest}", method)
            except StorageRefusedError:
                if method == "GET":
                    raise
                continue  # a signed address may be good for GET alone
            let_go(response)
            size = length_of(response)
            if response.status_code == 404:
                return None
            if response.status_code == 200 and size is not None:
                self._sizes[digest] = size
                return size
            if method == "GET" and response.status_code != 200:
                raise failure(response, self.reference.registry, f"blob {digest}")
        raise MalformedImageError(f"the registry {self.reference.registry} does not tell the size of blob {digest}")

    def blob(self, descriptor: Descriptor) -> VerifiedReader:
        """Open a blob for reading, verified at its end; resumed where the connection breaks. The caller closes it.

        Raises NotFoundError, UnauthorizedError, UnreachableError, MalformedImageError when its size is another.
        """
        return VerifiedReader(_Blobs(self), descriptor)

    def blob_bytes(self, descriptor: Descriptor, *, limit: int) -> bytes:
        """Read a small blob whole, verified; at most `limit` bytes. Raises as `blob` does."""
        return read_blob(_Blobs(self), descriptor, limit=limit)

    def open_blob(self, digest: Digest) -> IO[bytes]:
        """Open a blob that is verified elsewhere (`verifier.oci.blob`), for a BlobSource. No content is asked for yet.

        Raises NotFoundError when the registry does not have it.
        """
        size = self.blob_size(digest)
        if size is None:
            raise NotFoundError(f"{self.name} has no blob {digest}")
        path = f"{self.reference.repository}/blobs/{digest}"
        return cast("IO[bytes]", BlobStream(self.transport, self.reference.registry, path, digest, size))

    def tags(self, *, limit: int = MAX_TAGS) -> tuple[str, ...]:
        """List all tags, in the registry's order. Raises NotFoundError when there is no such repository."""
        from verifier.stores.registry_lists import list_tags  # noqa: PLC0415 - not without requests

        return list_tags(self, limit)

    def referrers(self, digest: Digest, artifact_type: str | None = None) -> tuple[Descriptor, ...]:
        """List the manifests whose subject is `digest`: by the referrers API, else by the tag fallback.

        With `artifact_type` those of it alone; empty when there are none.
        """
        from verifier.stores.registry_lists import list_referrers  # noqa: PLC0415 - not without requests

        return list_referrers(self, digest, artifact_type)

    def push_blob(self, source: BlobSource, descriptor: Descriptor, *, mount_from: str | None = None) -> bool:
        """Push a blob unless the repository has it, in chunks; say whether it was sent.

        `mount_from` is another repository of the same registry (`library/debian`) that may have it already. What was
        read is verified before the registry is told the digest. Raises as the reading methods do.
        """
        from verifier.stores.registry_upload import upload_blob  # noqa: PLC0415 - not without requests

        if self.blob_size(descriptor.digest) == descriptor.size:
            return False
        sent = upload_blob(self, source, descriptor, mount_from)
        self._sizes[descriptor.digest] = descriptor.size
        return sent

    def check_push(self) -> None:
        """Begin an upload and give it up. Raises UnauthorizedError, UnreachableError, StoreError."""
        from verifier.stores.registry_upload import try_upload  # noqa: PLC0415 - not without requests

        try_upload(self)

    def push_bytes(self, data: bytes, media_type: str) -> Descriptor:
        """Push a small blob that is in memory; give its descriptor."""
        descriptor = Descriptor(media_type=media_type, digest=digest_bytes(data), size=len(data))
        self.push_blob(_InMemory(data), descriptor)
        return descriptor

    def push_manifest(self, raw: bytes, media_type: str, tag: str | None = None) -> Digest:
        """Push a manifest or an index, byte for byte, and give the digest that the registry answers with.

        Without a tag it is pushed by its digest. Raises DigestMismatchError when the registry answers with another
        digest than that of `raw`.
        """
        from verifier.stores.registry_upload import upload_manifest  # noqa: PLC0415 - not without requests

        return upload_manifest(self, raw, media_type, tag)[0]

    def delete_tag(self, tag: str) -> bool:
        """Remove a tag, never what it points to; False where the registry does not do that."""
        response = self.ask(f"manifests/{tag}", "DELETE")
        let_go(response)
        return response.status_code in (200, 202, 204)

    def push_referrer(self, raw: bytes, media_type: str) -> Digest:
        """Push a manifest with a subject; where the registry has no referrers API, the fallback tag is kept up."""
        from verifier.stores.registry_upload import upload_referrer  # noqa: PLC0415 - not without requests

        return upload_referrer(self, raw, media_type)

    def ask(
        self, path: str, method: str = "GET", *, data: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> requests.Response:
        """Send a request about this repository; status and body are the caller's, who closes the answer.

        `path` is what follows the repository's name, or a whole address that the registry gave. Raises
        UnauthorizedError, UnreachableError.
        """
        transport = self.transport()
        return transport.do_request(self._url(transport, path), method, data=data, headers=headers)

    def fetch(
        self, path: str, what: str, *, limit: int, headers: Mapping[str, str] | None = None
    ) -> tuple[requests.Response, bytes]:
        """Read a whole answer of at most `limit` bytes. Raises NotFoundError, UnreachableError, MalformedImageError."""
        transport = self.transport()
        return transport.fetch(self._url(transport, path), what, limit=limit, headers=headers)

    def named(self, reference: str) -> str:
        """Name a manifest for a message."""
        return f"{self.reference.repository}{'@' if ':' in reference else ':'}{reference}"

    def transport(self) -> Transport:
        """Connect to the registry, once."""
        with self._lock:
            if self._transport is None:
                from verifier.stores.registry_transport import Transport  # noqa: PLC0415 - oras takes 200 ms to import

                self._transport = Transport(self.reference.registry, self._access)
            return self._transport

    def close(self) -> None:
        """Close every connection; safe to call twice."""
        with self._lock:
            if self._transport is not None:
                self._transport.close()
                self._transport = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def _own(self) -> str:
        return self.reference.digest or self.reference.tag or DEFAULT_TAG

    def _url(self, transport: Transport, path: str) -> str:
        return path if "://" in path else transport.url(f"{self.reference.repository}/{path}")

    def _described(self, response: requests.Response, wanted: str) -> Descriptor | None:
        """Read a descriptor out of an answer to HEAD; None where it does not tell enough."""
        told, size = response.headers.get("Docker-Content-Digest"), length_of(response)
        if told is None or size is None:
            return None
        digest = parse_digest(told, f"{self.named(wanted)}: Docker-Content-Digest")
        if ":" in wanted and digest != wanted:
            raise DigestMismatchError(f"{self.named(wanted)}: the registry answers with {digest}")
        return Descriptor(media_type=media_type_of(response), digest=digest, size=size)


class _Blobs:
    """A repository's blobs as a BlobSource."""

    def __init__(self, repository: Repository) -> None:
        self._repository = repository

    def size_of(self, digest: Digest) -> int | None:
        return self._repository.blob_size(digest)

    def open(self, digest: Digest) -> IO[bytes]:
        return self._repository.open_blob(digest)


class _InMemory:
    """One blob in memory as a BlobSource."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def size_of(self, digest: Digest) -> int | None:  # noqa: ARG002 - there is but one
        return len(self._data)

    def open(self, digest: Digest) -> IO[bytes]:  # noqa: ARG002
        return io.BytesIO(self._data)


def _digest_like(digest: Digest, raw: bytes) -> Digest:
    algorithm = algorithm_of(digest)
    return Digest(f"{algorithm}:{hashlib.new(algorithm, raw).hexdigest()}")
