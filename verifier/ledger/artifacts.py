"""The ledger in a registry: one small OCI artifact a record, each under a tag of its own.

The tag is made of the inputs' digest and the record's, both shortened: what is of one input is found by the listing
of tags, and no two machines ever write the same tag for different records. So nobody needs a lock.
"""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Final, Protocol

from verifier.errors import MalformedImageError, NotFoundError
from verifier.model.ledger import MAX_RECORD_BYTES, Record, read_record, record_bytes, record_digest
from verifier.oci.descriptor import Descriptor, descriptor_from
from verifier.oci.digest import Digest, encoded_of

ARTIFACT_TYPE: Final = "application/vnd.verify-build.record.v1+json"
EMPTY_TYPE: Final = "application/vnd.oci.empty.v1+json"
MANIFEST_TYPE: Final = "application/vnd.oci.image.manifest.v1+json"
PREFIX: Final = "ledger"
INPUT_DIGITS: Final = 24
RECORD_DIGITS: Final = 32
READERS: Final = 8
"""Records that are read at once: each costs the registry two answers."""


class FoundDocument(Protocol):
    """A manifest as the registry has it."""

    @property
    def raw(self) -> bytes:
        """Its exact bytes."""


class ArtifactRepository(Protocol):
    """What a ledger needs of a repository."""

    def tags(self) -> tuple[str, ...]:
        """List all tags. Raises NotFoundError when there is no such repository."""

    def manifest(self, reference: str | Digest | None = None) -> FoundDocument:
        """Read a manifest, verified."""

    def blob_bytes(self, descriptor: Descriptor, *, limit: int) -> bytes:
        """Read a small blob, verified."""

    def push_bytes(self, data: bytes, media_type: str) -> Descriptor:
        """Push a small blob."""

    def push_manifest(self, raw: bytes, media_type: str, tag: str | None = None) -> Digest:
        """Push a manifest."""


class ArtifactLedger:
    """A ledger in one repository. Every method raises StoreError."""

    def __init__(self, repository: ArtifactRepository) -> None:
        self._repository = repository
        self._empty: Descriptor | None = None

    def append(self, record: Record) -> None:
        """Add a record: its blobs, then its manifest under its own tag; until then nobody sees it."""
        raw = record_bytes(record)
        if self._empty is None:
            self._empty = self._repository.push_bytes(b"{}", EMPTY_TYPE)
        layer = self._repository.push_bytes(raw, ARTIFACT_TYPE)
        manifest = {
            "schemaVersion": 2,
            "mediaType": MANIFEST_TYPE,
            "artifactType": ARTIFACT_TYPE,
            "config": _descriptor(self._empty),
            "layers": [_descriptor(layer)],
        }
        text = json.dumps(manifest, sort_keys=True, separators=(",", ":"))
        self._repository.push_manifest(text.encode(), MANIFEST_TYPE, tag_of(record.inputs, record_digest(raw)))

    def records(self, inputs: str = "") -> tuple[Record, ...]:
        """List the records whose inputs' digest begins with `inputs`, the earliest first; what is no record is not."""
        try:
            tags = self._repository.tags()
        except NotFoundError:
            return ()
        wanted = f"{PREFIX}-{_digits(inputs)[:INPUT_DIGITS]}"
        with ThreadPoolExecutor(max_workers=READERS) as readers:
            found = list(readers.map(self._read, [tag for tag in tags if tag.startswith(wanted)]))
        of_inputs = [record for record in found if record is not None and record.inputs.startswith(inputs)]
        return tuple(sorted(of_inputs, key=lambda each: each.recorded))

    def _read(self, tag: str) -> Record | None:
        try:
            manifest = json.loads(self._repository.manifest(tag).raw)
            if manifest.get("artifactType") != ARTIFACT_TYPE:
                return None
            layer = descriptor_from(manifest["layers"][0], "layers[0]")
            return read_record(self._repository.blob_bytes(layer, limit=MAX_RECORD_BYTES))
        except (MalformedImageError, ValueError, LookupError, AttributeError, TypeError):
            return None


def tag_of(inputs: Digest, record: str) -> str:
    """Give a record's tag; `record` is its hexadecimal digest."""
    return f"{PREFIX}-{encoded_of(inputs)[:INPUT_DIGITS]}-{record[:RECORD_DIGITS]}"


def _digits(inputs: str) -> str:
    return inputs.partition(":")[2] if ":" in inputs else ""


def _descriptor(descriptor: Descriptor) -> dict[str, object]:
    return {"mediaType": descriptor.media_type, "digest": descriptor.digest, "size": descriptor.size}
