"""Compare what speaks about an image: the index around it, and the attestations beside it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Final

from verifier.compare.documents import (
    document_differences,
    encoding_difference,
    manifest_leaves,
    value_differences,
)
from verifier.compare.entries import FieldDifference
from verifier.errors import MalformedImageError
from verifier.model.difference import Difference
from verifier.oci.blob import read_blob
from verifier.oci.descriptor import Descriptor
from verifier.oci.image import Attestation, ImageSet
from verifier.oci.limits import MAX_JSON_BYTES
from verifier.oci.manifest import ATTESTATION_SUBJECT_KEY
from verifier.oci.platform import Platform
from verifier.oci.strict_json import parse_object

MAX_ATTESTATION_DIFFERENCES: Final = 1_000
"""Leaves reported of one pair of statements; beyond, the statement is one difference."""


def index_differences(first: ImageSet, second: ImageSet) -> list[Difference]:
    """List what differs between two indexes beside the digests and sizes of what they name."""
    if first.index is None or second.index is None or first.index.digest == second.index.digest:
        return []
    found = document_differences(
        _index_leaves(first.index.raw), _index_leaves(second.index.raw), raw=(first.index.raw, second.index.raw)
    )
    # a platform on one side only is reported as an entry, by the caller
    found = [item for item in found if not _is_whole_manifest(item)]
    return [
        Difference(platform=None, part="index", field=item.field, first=item.first, second=item.second)
        for item in found
    ]


def attestation_differences(first: ImageSet, second: ImageSet) -> list[Difference]:
    """List what differs between the attestations of two sets, paired by the platform that they speak about.

    Fields are pointers into the attestation's manifest, in which `/layers/N/statement` stands for the in-toto statement
    that the layer holds. Raises StoreError, MalformedImageError.
    """
    sides = [_by_subject(item) for item in (first, second)]
    found: list[Difference] = []
    for key in sorted(sides[0].keys() | sides[1].keys()):
        pairs = _padded(sides[0].get(key, []), sides[1].get(key, []))
        platform = key[1] if isinstance(key[1], Platform) else None
        for attestation, other in pairs:
            items = _attestation_pair(attestation, other)
            found += (
                Difference(
                    platform=platform, part="attestation", field=item.field, first=item.first, second=item.second
                )
                for item in items
            )
    return found


def _index_leaves(raw: bytes) -> Any:
    value = json.loads(raw)
    for descriptor in value.get("manifests", ()):
        descriptor.pop("digest", None)
        descriptor.pop("size", None)
        annotations = descriptor.get("annotations")
        if isinstance(annotations, dict):
            # the digest of the image it speaks about follows from that image
            annotations.pop(ATTESTATION_SUBJECT_KEY, None)
    return value


def _is_whole_manifest(item: FieldDifference) -> bool:
    head, _, position = item.field.rpartition("/")
    return head == "/manifests" and position.isdigit()


def _by_subject(images: ImageSet) -> dict[tuple[str, Platform | None], list[Attestation]]:
    platforms = {image.manifest.digest: image.platform for image in images.images if image.manifest is not None}
    found: dict[tuple[str, Platform | None], list[Attestation]] = {}
    for attestation in images.attestations:
        platform = None if attestation.subject is None else platforms.get(attestation.subject)
        found.setdefault((str(platform or ""), platform), []).append(attestation)
    return found


def _padded(first: list[Attestation], second: list[Attestation]) -> list[tuple[Attestation | None, Attestation | None]]:
    size = max(len(first), len(second))
    return list(zip(first + [None] * (size - len(first)), second + [None] * (size - len(second)), strict=True))


def _attestation_pair(first: Attestation | None, second: Attestation | None) -> list[FieldDifference]:
    if first is None or second is None:
        digests = [None if side is None else str(side.manifest.digest) for side in (first, second)]
        return [FieldDifference("entry", digests[0], digests[1])]
    if first.manifest.digest == second.manifest.digest:
        return []
    found = document_differences(
        manifest_leaves(first.manifest.raw),
        manifest_leaves(second.manifest.raw),
        raw=(first.manifest.raw, second.manifest.raw),
    )
    configs = (first.manifest.config, second.manifest.config)
    found += _blob_pair((first, second), configs, "/config/content", _without_diff_ids)
    for number, layers in enumerate(zip(first.manifest.layers, second.manifest.layers, strict=False)):
        found += _blob_pair((first, second), layers, f"/layers/{number}/statement", _without_subject)
    return found


def _blob_pair(
    sides: tuple[Attestation, Attestation],
    descriptors: tuple[Descriptor, Descriptor],
    pointer: str,
    strip: Callable[[Any], Any],
) -> list[FieldDifference]:
    """Compare the JSON blobs of two attestations; what is no JSON, or differs too much, is one difference."""
    if descriptors[0].digest == descriptors[1].digest:
        return []
    whole = [FieldDifference(pointer, str(descriptors[0].digest), str(descriptors[1].digest))]
    if max(descriptor.size for descriptor in descriptors) > MAX_JSON_BYTES:
        return whole
    raw = [read_blob(side.blobs, item) for side, item in zip(sides, descriptors, strict=True)]
    try:
        values = [parse_object(item, "attestation") for item in raw]
    except MalformedImageError:
        return whole
    is_encoding = values[0] == values[1]
    found = value_differences(strip(values[0]), strip(values[1]), pointer=pointer)
    if len(found) > MAX_ATTESTATION_DIFFERENCES:
        return whole
    return [encoding_difference(raw[0], raw[1], pointer=pointer)] if is_encoding and not found else found


def _without_diff_ids(value: Any) -> Any:
    if isinstance(value.get("rootfs"), dict):
        value["rootfs"].pop("diff_ids", None)
    return value


def _without_subject(value: Any) -> Any:
    """Leave out the digests of what is attested: they follow from the image."""
    subjects = value.get("subject")
    for subject in subjects if isinstance(subjects, list) else ():
        if isinstance(subject, dict):
            subject.pop("digest", None)
    return value
