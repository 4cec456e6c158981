"""Compare two images, or two indexes of images, down to the field of the tar entry and the region of the content.

`compare` is the stage's whole interface; `verifier.compare.content.read_contents` reads what a cause wants to see of
files. `verifier.compare.files` says how the digest of a merged root file system (`files/v1`) is computed.
"""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

from verifier.compare.images import compare_images, sort_key
from verifier.errors import StoreError
from verifier.model.difference import Comparison, Difference
from verifier.oci.image import Image, ImageSet
from verifier.oci.platform import Platform

if TYPE_CHECKING:
    from verifier.compare.kept import KeptContents

__all__ = ["compare"]

_SWITCH_SECONDS: Final = 0.0005
"""How long a thread may hold the interpreter while another waits: the readers' threads must get it often."""


def compare(
    first: ImageSet,
    second: ImageSet,
    *,
    workspace: Path,
    verify_blobs: bool = False,
    progress: Callable[[int], None] | None = None,
    kept: KeptContents | None = None,
) -> Comparison:
    """Compare what two references name, platform by platform.

    `workspace` is a folder for tables that outgrow memory; nothing is left in it. `kept` takes in contents that differ,
    for those who want to see them afterwards. `progress` is told, on the caller's
    thread, how many bytes of blobs were just read. Raises StoreError, MalformedImageError, DigestMismatchError and
    ResourceError.
    """
    interval = sys.getswitchinterval()
    sys.setswitchinterval(_SWITCH_SECONDS)
    try:
        return _compare(first, second, workspace, verify_blobs, progress, kept)
    finally:
        sys.setswitchinterval(interval)


def _compare(
    first: ImageSet,
    second: ImageSet,
    workspace: Path,
    verify_blobs: bool,
    progress: Callable[[int], None] | None,
    kept: KeptContents | None,
) -> Comparison:
    pairs = _paired(first, second)
    differences = _differences_around(first, second)
    images = []
    for image, other in pairs:
        if image is not None and other is not None:
            images.append(
                compare_images(
                    image, other, workspace=workspace, verify_blobs=verify_blobs, progress=progress, kept=kept
                )
            )
        else:
            differences.append(_alone(image, other))
    if not images:
        raise StoreError(
            f"{first.reference} and {second.reference} have no platform in common",
            f"they have: {_platforms(first)}, and {_platforms(second)}",
        )
    digests = [None if side.index is None else side.index.digest for side in (first, second)]
    return Comparison(
        index_first=digests[0],
        index_second=digests[1],
        index_equal=None if digests == [None, None] else digests[0] == digests[1],
        images=tuple(images),
        differences=tuple(sorted(differences, key=sort_key)),
    )


def _differences_around(first: ImageSet, second: ImageSet) -> list[Difference]:
    """List what differs between indexes and attestations."""
    if first.index is not None and second.index is not None and first.index.digest == second.index.digest:
        return []
    from verifier.compare.attestations import (  # noqa: PLC0415 - an equal pair needs none of it
        attestation_differences,
        index_differences,
    )

    return index_differences(first, second) + attestation_differences(first, second)


def _paired(first: ImageSet, second: ImageSet) -> list[tuple[Image | None, Image | None]]:
    """Pair the images by platform, several of one platform in their order; two single images belong together anyway."""
    if len(first.images) == len(second.images) == 1:
        return [(first.images[0], second.images[0])]
    sides: list[dict[Platform, list[Image]]] = []
    for images in (first.images, second.images):
        found: dict[Platform, list[Image]] = {}
        for image in images:
            found.setdefault(_plain_platform(image.platform), []).append(image)
        sides.append(found)
    pairs: list[tuple[Image | None, Image | None]] = []
    for platform in sorted(sides[0].keys() | sides[1].keys(), key=str):
        here, there = sides[0].get(platform, []), sides[1].get(platform, [])
        pairs += itertools.zip_longest(here, there)
    return pairs


def _plain_platform(platform: Platform) -> Platform:
    """Leave out the variant that an architecture has by default, as containerd does."""
    default = {"arm64": "v8", "arm": "v7", "amd64": "v1"}.get(platform.architecture)
    if platform.variant is not None and platform.variant == default:
        return Platform(os=platform.os, architecture=platform.architecture)
    return platform


def _alone(first: Image | None, second: Image | None) -> Difference:
    digests = [None if image is None else _name_of(image) for image in (first, second)]
    platform = next(image.platform for image in (first, second) if image is not None)
    return Difference(platform=platform, part="index", field="entry", first=digests[0], second=digests[1])


def _name_of(image: Image) -> str:
    return str(image.config.digest if image.manifest is None else image.manifest.digest)


def _platforms(images: ImageSet) -> str:
    return ", ".join(str(image.platform) for image in images.images) or "none"
