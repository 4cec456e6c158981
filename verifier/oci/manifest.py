"""Image manifests and indexes (OCI image specification 1.1; Docker schema 2), with the bytes they were parsed from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from verifier.errors import MalformedImageError
from verifier.oci.descriptor import Descriptor, descriptor_from
from verifier.oci.digest import Digest, digest_bytes
from verifier.oci.fields import list_at, optional_string_at, strings_at
from verifier.oci.limits import MAX_LAYERS, MAX_MANIFESTS
from verifier.oci.media_types import INDEXES, MANIFESTS, OCI_INDEX, OCI_MANIFEST
from verifier.oci.strict_json import parse_object

ATTESTATION_KEY: Final = "vnd.docker.reference.type"
"""BuildKit's annotation of an index entry that is an attestation manifest, not an image."""

ATTESTATION_SUBJECT_KEY: Final = "vnd.docker.reference.digest"
"""BuildKit's annotation of an attestation manifest: the digest of the image manifest that it speaks of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """One image manifest; `digest` is that of `raw`."""

    raw: bytes
    digest: Digest
    media_type: str
    config: Descriptor
    layers: tuple[Descriptor, ...]
    artifact_type: str | None
    subject: Descriptor | None
    annotations: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Index:
    """One image index or Docker manifest list; `digest` is that of `raw`."""

    raw: bytes
    digest: Digest
    media_type: str
    manifests: tuple[Descriptor, ...]
    annotations: tuple[tuple[str, str], ...]


def is_attestation(descriptor: Descriptor) -> bool:
    """Tell whether an index entry is an attestation that BuildKit put beside an image."""
    return descriptor.annotation(ATTESTATION_KEY) == "attestation-manifest"


def parse_manifest_or_index(raw: bytes, media_type: str | None = None) -> Manifest | Index:
    """Parse a document that may be either.

    `media_type` is what the descriptor or the registry's answer claimed, if anything. Raises MalformedImageError for a
    document that breaks the specification, has `manifests` and `layers` at once (CVE-2021-41190), or is of another
    media type than claimed.
    """
    value = parse_object(raw, "manifest")
    if "manifests" in value and ("layers" in value or "config" in value):
        raise MalformedImageError("manifest has `manifests` and `layers` at once: it is an index and an image")
    if "fsLayers" in value or value.get("schemaVersion") == 1:
        raise MalformedImageError("manifest is of Docker's schema 1, which has no config digest")
    if value.get("schemaVersion") != 2:
        raise MalformedImageError("manifest.schemaVersion: 2 is needed")
    own = optional_string_at(value, "mediaType", "manifest")
    if own and media_type and media_type in INDEXES | MANIFESTS and own != media_type:
        raise MalformedImageError(f"manifest.mediaType: {own[:100]!r} where its descriptor says {media_type!r}")
    claimed = own or media_type
    if "manifests" in value:
        return _index_from(value, raw, claimed or OCI_INDEX)
    return _manifest_from(value, raw, claimed or OCI_MANIFEST)


def _index_from(value: dict[str, Any], raw: bytes, media_type: str) -> Index:
    if media_type not in INDEXES:
        raise MalformedImageError(f"manifest.mediaType: {media_type[:100]!r} on an index")
    entries = list_at(value, "manifests", "manifest", limit=MAX_MANIFESTS)
    return Index(
        raw=raw,
        digest=digest_bytes(raw),
        media_type=media_type,
        manifests=tuple(
            descriptor_from(entry, f"manifest.manifests[{number}]") for number, entry in enumerate(entries)
        ),
        annotations=strings_at(value, "annotations", "manifest"),
    )


def _manifest_from(value: dict[str, Any], raw: bytes, media_type: str) -> Manifest:
    if media_type not in MANIFESTS:
        raise MalformedImageError(f"manifest.mediaType: {media_type[:100]!r} on an image manifest")
    entries = list_at(value, "layers", "manifest", limit=MAX_LAYERS)
    subject = value.get("subject")
    return Manifest(
        raw=raw,
        digest=digest_bytes(raw),
        media_type=media_type,
        config=descriptor_from(value.get("config"), "manifest.config"),
        layers=tuple(descriptor_from(entry, f"manifest.layers[{number}]") for number, entry in enumerate(entries)),
        artifact_type=optional_string_at(value, "artifactType", "manifest"),
        subject=None if subject is None else descriptor_from(subject, "manifest.subject"),
        annotations=strings_at(value, "annotations", "manifest"),
    )
