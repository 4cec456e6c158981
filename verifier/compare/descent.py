"""Descend from two unequal manifests to what differs beneath them, reading every blob."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from verifier.compare.documents import document_differences, manifest_leaves
from verifier.compare.entries import FieldDifference
from verifier.compare.kept import KeptContents
from verifier.compare.layer_pair import LayerComparison
from verifier.compare.roots import Roots
from verifier.compare.tables import SpillSpace
from verifier.errors import DigestMismatchError
from verifier.model.difference import Difference, LayerPair, Part
from verifier.oci.digest import Digest, algorithm_of
from verifier.oci.image import Image


def descend(
    first: Image,
    second: Image,
    pairs: tuple[LayerPair, ...],
    workspace: Path,
    progress: Callable[[int], None] | None,
    kept: KeptContents | None = None,
) -> tuple[list[Difference], tuple[Digest, Digest]]:
    """List what differs, and compute both sides' `files/v1`; `pairs` are the layers, aligned.

    `kept` takes in the contents that differ, as far as it has room.
    Raises StoreError, MalformedImageError, DigestMismatchError, ResourceError.
    """
    for image in (first, second):
        _check_config(image)
    differences = _manifest_differences(first, second, pairs) + _config_differences(first, second)
    with SpillSpace(workspace, kept) as space:
        roots = Roots(space)
        for pair in pairs:
            differences += LayerComparison(first, second, pair, space, progress).compare_into(roots)
        files = roots.digests()
        return [roots.with_visibility(item) for item in differences], files


def _check_config(image: Image) -> None:
    if image.manifest is None:
        return
    claimed = image.manifest.config.digest
    if algorithm_of(claimed) == algorithm_of(image.config.digest) and claimed != image.config.digest:
        raise DigestMismatchError(
            f"{image.reference}: the manifest names the config {claimed}, its bytes have {image.config.digest}"
        )


def _located(part: Part, image: Image, found: list[FieldDifference]) -> list[Difference]:
    return [
        Difference(platform=image.platform, part=part, field=item.field, first=item.first, second=item.second)
        for item in found
    ]


def _manifest_differences(first: Image, second: Image, pairs: tuple[LayerPair, ...]) -> list[Difference]:
    if first.manifest is None or second.manifest is None or first.manifest.digest == second.manifest.digest:
        return []
    # a layer without a partner is a difference of its own, and none of the manifest
    shared = {"/layers": [(pair.first, pair.second) for pair in pairs if None not in (pair.first, pair.second)]}
    found = document_differences(
        manifest_leaves(first.manifest.raw),
        manifest_leaves(second.manifest.raw),
        raw=(first.manifest.raw, second.manifest.raw),
        pairings=shared,
    )
    return _located("manifest", first, found)


def _config_differences(first: Image, second: Image) -> list[Difference]:
    if first.config.digest == second.config.digest:
        return []
    raw = (first.config.raw, second.config.raw)
    values = [json.loads(item) for item in raw]
    for value in values:
        if isinstance(value.get("rootfs"), dict):
            value["rootfs"].pop("diff_ids", None)
    return _located("config", first, document_differences(values[0], values[1], raw=raw))
