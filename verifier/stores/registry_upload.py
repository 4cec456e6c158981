"""Push to a repository (OCI distribution specification 1.1, "Push"): blobs once, in chunks; manifests as they are.

A chunk is all that is in memory of a blob. A blob whose upload breaks off is begun again, so an upload is never put
together from two readings.
"""

from __future__ import annotations

import contextlib
import json
import time
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, urlencode, urljoin

from verifier.errors import DigestMismatchError, MalformedImageError, StoreError, UnauthorizedError, UnreachableError
from verifier.oci.blob import VerifiedReader
from verifier.oci.descriptor import Descriptor
from verifier.oci.digest import Digest, algorithm_of, digest_bytes, parse_digest
from verifier.oci.image import BlobSource
from verifier.oci.limits import MIB
from verifier.oci.manifest import Manifest, parse_manifest_or_index
from verifier.oci.media_types import CONFIGS, OCI_INDEX
from verifier.oci.strict_json import parse_object
from verifier.stores.registry_answers import failure, let_go
from verifier.stores.registry_lists import fallback_tag

if TYPE_CHECKING:
    import requests

    from verifier.stores.registry import Repository

CHUNK_BYTES: Final = 8 * MIB
"""How much of a blob is sent at once."""

_FALLBACK_ATTEMPTS: Final = 5


def upload_blob(repository: Repository, source: BlobSource, descriptor: Descriptor, mount_from: str | None) -> bool:
    """Mount a blob from another repository, else send it; say whether it was sent. Raises StoreError."""
    transport = repository.transport()
    started = time.monotonic()
    failures = 0
    while True:
        session = _begin(repository, descriptor.digest, mount_from)
        if session is None:
            return False
        reader = VerifiedReader(source, descriptor)
        try:
            _send(repository, session, reader, descriptor)
        except UnauthorizedError:
            raise
        except UnreachableError as error:
            _abandon(repository, session)
            failures += 1
            transport.pause(failures, started, error)
            if repository.blob_size(descriptor.digest) == descriptor.size:
                return True  # it was the answer alone that was lost
        except BaseException:
            _abandon(repository, session)
            raise
        else:
            return True
        finally:
            reader.close()


def try_upload(repository: Repository) -> None:
    """Begin an upload and give it up. Raises StoreError where it may not be."""
    session = _begin(repository, None, None)
    if session is not None:
        _abandon(repository, session)


def upload_manifest(
    repository: Repository, raw: bytes, media_type: str, tag: str | None
) -> tuple[Digest, requests.Response]:
    """Push a manifest; give the registry's digest of it and its answer. Raises StoreError, DigestMismatchError."""
    digest = digest_bytes(raw)
    what = repository.named(tag or digest)
    response = repository.ask(f"manifests/{tag or digest}", "PUT", data=raw, headers={"Content-Type": media_type})
    if response.status_code not in (200, 201, 202):
        raise _refusal(repository, response, f"the manifest {what}")
    let_go(response)
    told = response.headers.get("Docker-Content-Digest")
    if told is None:
        found = repository.resolve(tag or digest)
        told = None if found is None else found.digest
    answered = parse_digest(told, f"{what}: Docker-Content-Digest")
    if algorithm_of(answered) == algorithm_of(digest) and answered != digest:
        raise DigestMismatchError(f"{what} was pushed with the digest {digest}, the registry answers with {answered}")
    return answered, response


def upload_referrer(repository: Repository, raw: bytes, media_type: str) -> Digest:
    """Push a manifest that has a subject, and see that it is listed as its referrer. Raises StoreError."""
    manifest = parse_manifest_or_index(raw, media_type)
    if not isinstance(manifest, Manifest) or manifest.subject is None:
        raise MalformedImageError("a manifest without a subject refers to nothing")
    digest, response = upload_manifest(repository, raw, media_type, None)
    if response.headers.get("OCI-Subject") is None:
        _list_under_tag(repository, manifest, manifest.subject.digest)
    return digest


def _list_under_tag(repository: Repository, manifest: Manifest, subject: Digest) -> None:
    """Add a manifest to the index of the fallback tag; another writer may do the same, so look whether it stayed."""
    tag = fallback_tag(subject)
    for _ in range(_FALLBACK_ATTEMPTS):
        entries: list[Any] = []
        if repository.resolve(tag) is not None:
            entries = list(parse_object(repository.manifest(tag).raw, tag).get("manifests") or [])
        if any(isinstance(entry, dict) and entry.get("digest") == manifest.digest for entry in entries):
            return
        entries.append(_referrer_entry(manifest))
        index = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": entries}
        upload_manifest(repository, json.dumps(index, separators=(",", ":")).encode(), OCI_INDEX, tag)
    raise UnreachableError(f"{repository.named(tag)} is written by others at the same time")


def _referrer_entry(manifest: Manifest) -> dict[str, Any]:
    artifact_type = manifest.artifact_type
    if artifact_type is None and manifest.config.media_type not in CONFIGS:
        artifact_type = manifest.config.media_type
    annotations = dict(manifest.annotations)
    return {
        "mediaType": manifest.media_type,
        "digest": manifest.digest,
        "size": len(manifest.raw),
        **({"artifactType": artifact_type} if artifact_type else {}),
        **({"annotations": annotations} if annotations else {}),
    }


def _begin(repository: Repository, digest: Digest | None, mount_from: str | None) -> str | None:
    """Begin an upload, of a blob that may not be known yet, and give its address; None when it was mounted instead."""
    path = "blobs/uploads/"
    if mount_from is not None:
        repository.transport().auth.ask_also_for(f"repository:{mount_from}:pull")
        path += "?" + urlencode({"mount": digest, "from": mount_from})
    response = repository.ask(path, "POST", data=b"")
    if response.status_code == 201 and mount_from is not None:
        let_go(response)
        return None
    if response.status_code != 202:
        raise _refusal(repository, response, "a blob" if digest is None else f"blob {digest}")
    return _location(repository, response)


def _send(repository: Repository, session: str, reader: VerifiedReader, descriptor: Descriptor) -> None:
    """Send a blob in chunks, and tell its digest with the last one, once it is verified."""
    start = 0
    chunk = bytearray()
    while piece := reader.read():
        chunk += piece
        if len(chunk) >= CHUNK_BYTES and start + len(chunk) < descriptor.size:
            session = _patch(repository, session, bytes(chunk), start, descriptor)
            start += len(chunk)
            chunk = bytearray()
    headers = {"Content-Type": "application/octet-stream"}
    if start:
        headers["Content-Range"] = f"{start}-{start + len(chunk) - 1}"
    mark = "&" if "?" in session else "?"
    address = f"{session}{mark}digest={quote(descriptor.digest, safe='')}"
    response = repository.ask(address, "PUT", data=bytes(chunk), headers=headers)
    if response.status_code not in (201, 204):
        raise _refusal(repository, response, f"blob {descriptor.digest}")
    let_go(response)


def _patch(repository: Repository, session: str, chunk: bytes, start: int, descriptor: Descriptor) -> str:
    headers = {
        "Content-Type": "application/octet-stream",
        "Content-Range": f"{start}-{start + len(chunk) - 1}",
    }
    response = repository.ask(session, "PATCH", data=chunk, headers=headers)
    if response.status_code != 202:
        raise _refusal(repository, response, f"blob {descriptor.digest}")
    return _location(repository, response)


def _location(repository: Repository, response: requests.Response) -> str:
    let_go(response)
    location = response.headers.get("Location")
    if not location:
        raise UnreachableError(f"the registry {repository.reference.registry} does not say where to send a blob")
    address = urljoin(response.url, location)
    repository.transport().session.check_address(address)
    return address


def _abandon(repository: Repository, session: str) -> None:
    """Tell the registry that an upload will not go on; it forgets it some day anyway."""
    with contextlib.suppress(StoreError):
        let_go(repository.ask(session, "DELETE"))


def _refusal(repository: Repository, response: requests.Response, what: str) -> StoreError:
    registry = repository.reference.registry
    if response.status_code == 404:
        let_go(response)
        return UnauthorizedError(f"the registry {registry} takes nothing for {repository.name}")
    if response.status_code == 416:
        let_go(response)
        return UnreachableError(f"the registry {registry} lost the place in {what}")
    return failure(response, registry, what, when="sent")
