"""Put envelopes next to an image in its registry, in the forms that cosign 2 and cosign 3 each look for.

cosign 2: the image manifest under the tag `sha256-<digest>.att`, one layer an envelope. cosign 3: one manifest an
envelope, whose subject is the image (OCI distribution 1.1, "referrers"), with a sigstore bundle as its only layer.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Protocol

from verifier.errors import MalformedImageError
from verifier.oci.descriptor import Descriptor
from verifier.oci.digest import Digest, algorithm_of, encoded_of
from verifier.oci.media_types import OCI_CONFIG, OCI_MANIFEST
from verifier.oci.strict_json import parse_object
from verifier.sign_off.envelope import BUNDLE_TYPE

ENVELOPE_TYPE: Final = "application/vnd.dsse.envelope.v1+json"
EMPTY_TYPE: Final = "application/vnd.oci.empty.v1+json"
_SIGNATURE: Final = "dev.cosignproject.cosign/signature"


class DocumentLike(Protocol):
    """A manifest's exact bytes."""

    @property
    def raw(self) -> bytes:
        """The bytes."""


class AttachTo(Protocol):
    """What of a registry's repository is needed here."""

    def resolve(self, reference: str | Digest | None = None) -> Descriptor | None:
        """Say what a tag means now."""

    def manifest(self, reference: str | Digest | None = None) -> DocumentLike:
        """Read a manifest."""

    def push_bytes(self, data: bytes, media_type: str) -> Descriptor:
        """Push a small blob."""

    def push_manifest(self, raw: bytes, media_type: str, tag: str | None = None) -> Digest:
        """Push a manifest under a tag."""

    def push_referrer(self, raw: bytes, media_type: str) -> Digest:
        """Push a manifest with a subject."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attestation:
    """One statement, signed: as an envelope, and as a bundle."""

    predicate_type: str
    envelope: bytes
    bundle: bytes


def attestation_tag(image: Digest) -> str:
    """Name the tag that cosign 2 looks for."""
    return f"{algorithm_of(image)}-{encoded_of(image)}.att"


def attach(
    repository: AttachTo, image: Descriptor, attestations: Sequence[Attestation], signed: datetime
) -> tuple[str, ...]:
    """Attach in both forms, and say where: a tag, and digests. What others attached stays. Raises StoreError."""
    tag = attestation_tag(image.digest)
    _add_layers(repository, tag, attestations)
    digests = [_push_bundle(repository, image, each, signed) for each in attestations]
    return (tag, *digests)


def _add_layers(repository: AttachTo, tag: str, attestations: Sequence[Attestation]) -> None:
    layers = _layers_there(repository, tag)
    for each in attestations:
        descriptor = repository.push_bytes(each.envelope, ENVELOPE_TYPE)
        layers.append(_described(descriptor) | {"annotations": {_SIGNATURE: "", "predicateType": each.predicate_type}})
    config = {
        "architecture": "",
        "created": "0001-01-01T00:00:00Z",
        "os": "",
        "config": {},
        "history": [{"created": "0001-01-01T00:00:00Z"} for _ in layers],
        "rootfs": {"type": "layers", "diff_ids": [layer["digest"] for layer in layers]},
    }
    manifest = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": _described(repository.push_bytes(_json(config), OCI_CONFIG)),
        "layers": layers,
    }
    repository.push_manifest(_json(manifest), OCI_MANIFEST, tag)


def _layers_there(repository: AttachTo, tag: str) -> list[dict[str, Any]]:
    if repository.resolve(tag) is None:
        return []
    layers = parse_object(repository.manifest(tag).raw, tag).get("layers")
    if not isinstance(layers, list) or not all(isinstance(item, dict) and "digest" in item for item in layers):
        raise MalformedImageError(f"{tag} is there already, and is no list of attestations")
    return list(layers)


def _push_bundle(repository: AttachTo, image: Descriptor, attestation: Attestation, signed: datetime) -> Digest:
    manifest = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "artifactType": BUNDLE_TYPE,
        "config": _described(repository.push_bytes(b"{}", EMPTY_TYPE)),
        "layers": [_described(repository.push_bytes(attestation.bundle, BUNDLE_TYPE))],
        "subject": _described(image),
        "annotations": {
            "dev.sigstore.bundle.content": "dsse-envelope",
            "dev.sigstore.bundle.predicateType": attestation.predicate_type,
            "org.opencontainers.image.created": signed.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z",
        },
    }
    return repository.push_referrer(_json(manifest), OCI_MANIFEST)


def _described(descriptor: Descriptor) -> dict[str, Any]:
    return {"mediaType": descriptor.media_type, "digest": descriptor.digest, "size": descriptor.size}


def _json(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode("ascii")
