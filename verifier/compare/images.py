"""Compare two images of one platform, down the Merkle tree: manifest, config, layers, entries, merged root.

In these steps, each of which is left out where the digests above it already agree:

1. equal manifests, or equal configs where a side has no manifest: the blobs are checked for presence and size, nothing
   is read (unless every blob is to be verified);
2. the manifests' and the configs' JSON, leaf by leaf;
3. the layers, aligned by `diff_id` and history. Equal `diff_id`s are read for the root once; others are walked entry by
   entry, both sides at once; a layer without a partner is one difference, and is read for its own side's root;
4. `files/v1` of both roots, shared until the first layer that differs;
5. which entries a later layer of both sides hides.

Every blob of both sides is read once and verified on the way, a second copy of the very same file excepted.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from verifier.compare.alignment import align_layers
from verifier.model.difference import Difference, ImageComparison, LayerPair, SideDigests
from verifier.oci.blob import check_presence
from verifier.oci.digest import Digest
from verifier.oci.image import Image

if TYPE_CHECKING:
    from verifier.compare.kept import KeptContents

Progress = Callable[[int], None]

_PART_ORDER: Final = {"index": 0, "attestation": 1, "manifest": 2, "config": 3, "layer": 4}


def compare_images(
    first: Image,
    second: Image,
    *,
    workspace: Path,
    verify_blobs: bool,
    progress: Progress | None,
    kept: KeptContents | None = None,
) -> ImageComparison:
    """Compare two images; `verify_blobs` reads every blob even where the digests above agree.

    Raises StoreError, MalformedImageError, DigestMismatchError, ResourceError.
    """
    pairs = align_layers(first.layers, second.layers)
    if _are_equal(first, second) and not verify_blobs:
        for image in (first, second):
            for layer in image.layers:
                check_presence(image.blobs, layer.descriptor)
        return _comparison(first, second, pairs, [], (None, None), verified=False)
    # what reads and walks costs as much to import as all of an equal pair's comparison
    from verifier.compare.descent import descend  # noqa: PLC0415

    differences, files = descend(first, second, pairs, workspace, progress, kept)
    return _comparison(first, second, pairs, differences, files, verified=True)


def sort_key(item: Difference) -> tuple[Any, ...]:
    """Order differences as reports show them: down the tree, then by layer, path and occurrence."""
    pair = item.layer
    position = (-1, -1) if pair is None else (_at(pair.first, pair.second), _at(pair.second, pair.first))
    return _PART_ORDER[item.part], position, item.path or b"", item.occurrence


def _at(position: int | None, other: int | None) -> int:
    return position if position is not None else other or 0


def _are_equal(first: Image, second: Image) -> bool:
    if first.manifest is not None and second.manifest is not None and first.manifest.digest != second.manifest.digest:
        return False
    return first.config.digest == second.config.digest


def _comparison(
    first: Image,
    second: Image,
    pairs: tuple[LayerPair, ...],
    differences: list[Difference],
    files: tuple[Digest | None, Digest | None],
    *,
    verified: bool,
) -> ImageComparison:
    sides = [
        SideDigests(
            manifest=None if image.manifest is None else image.manifest.digest,
            config=image.config.digest,
            layers=tuple(layer.diff_id for layer in image.layers),
            files=digest,
        )
        for image, digest in zip((first, second), files, strict=True)
    ]
    return ImageComparison(
        platform=first.platform,
        first=sides[0],
        second=sides[1],
        layers=pairs,
        differences=tuple(sorted(differences, key=sort_key)),
        verified_first=verified,
        verified_second=verified,
    )
