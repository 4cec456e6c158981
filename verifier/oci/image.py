"""One immutable view of an image over any store.

A store knows bytes by digest and nothing else (`BlobSource`); everything above is derived here, once. Blobs are read
through `verifier.oci.blob`, which verifies digest and size while they stream.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import IO, Protocol

from verifier.errors import MalformedImageError, StoreError
from verifier.oci.config import History, ImageConfig
from verifier.oci.descriptor import Descriptor
from verifier.oci.digest import Digest
from verifier.oci.manifest import Index, Manifest
from verifier.oci.platform import Platform


class BlobSource(Protocol):
    """Where an image's blobs are: bytes by digest. What it gives is not yet verified."""

    def size_of(self, digest: Digest) -> int | None:
        """Give a blob's size in bytes, None when it is not there. Reads no content."""

    def open(self, digest: Digest) -> IO[bytes]:
        """Open a blob for reading from its start; the caller closes it. Raises StoreError when it is not there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """One layer: its descriptor, its `diff_id`, and the history entry that made it (None when history is short)."""

    descriptor: Descriptor
    diff_id: Digest
    history: History | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """One platform's image.

    `manifest` is None where the store has none (an engine's image ID is its config digest there); then the layers'
    descriptors describe the plain tar streams, so `descriptor.digest` equals `diff_id`; only where an archive holds
    such a layer compressed do they describe the compressed blob. `index_platform` is what an index says of the image.
    """

    reference: str
    blobs: BlobSource
    manifest: Manifest | None
    config: ImageConfig
    layers: tuple[Layer, ...]
    index_platform: Platform | None = None

    @property
    def platform(self) -> Platform:
        """What the image runs on: an index's word, which has the variant that configs often lack, else the config's."""
        return self.index_platform or self.config.platform


@dataclass(frozen=True, slots=True, kw_only=True)
class Attestation:
    """An attestation manifest beside an image: compared and reported, never judged."""

    subject: Digest | None
    manifest: Manifest
    blobs: BlobSource


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageSet:
    """What one reference names: one image, or an index with an image a platform.

    `absent` are the index's entries whose manifests the store does not hold: an engine saves only the platforms that
    it has pulled, and a layout may be partial (OCI image specification, "Image Layout").
    """

    reference: str
    index: Index | None
    images: tuple[Image, ...]
    attestations: tuple[Attestation, ...] = ()
    absent: tuple[Descriptor, ...] = ()

    def image_for(self, platform: Platform) -> Image:
        """Choose the image for a platform. Raises StoreError when there is none."""
        for image in self.images:
            if image.platform.matches(platform):
                return image
        have = ", ".join(str(image.platform) for image in self.images)
        raise StoreError(f"{self.reference} has no image for {platform}", f"it has: {have}")


class Store(Protocol):
    """A place that images are read from, by the name that the user gave."""

    def load(self, platform: Platform | None) -> ImageSet:
        """Read manifests and configs (verified), no layers. Raises StoreError."""

    def close(self) -> None:
        """Remove whatever the store made to be read; safe to call twice."""


def make_image(
    reference: str,
    blobs: BlobSource,
    manifest: Manifest | None,
    config: ImageConfig,
    *,
    descriptors: Sequence[Descriptor] | None = None,
    index_platform: Platform | None = None,
) -> Image:
    """Join manifest, config and history into layers.

    `descriptors` are the layers where there is no manifest; without them they are the plain tar streams, by `diff_id`.
    Raises MalformedImageError when the layers and the config's `diff_ids` are not as many.
    """
    if manifest is not None:
        descriptors = manifest.layers
    elif descriptors is None:
        descriptors = [_plain_layer(blobs, diff_id) for diff_id in config.diff_ids]
    if len(descriptors) != len(config.diff_ids):
        raise MalformedImageError(
            f"{reference}: the manifest has {len(descriptors)} layers, the config has {len(config.diff_ids)} diff_ids"
        )
    made = [entry for entry in config.history if not entry.empty_layer]
    histories: list[History | None] = list(made) if len(made) == len(config.diff_ids) else [None] * len(config.diff_ids)
    return Image(
        reference=reference,
        blobs=blobs,
        manifest=manifest,
        config=config,
        layers=tuple(
            Layer(descriptor=descriptor, diff_id=diff_id, history=history)
            for descriptor, diff_id, history in zip(descriptors, config.diff_ids, histories, strict=True)
        ),
        index_platform=index_platform,
    )


def _plain_layer(blobs: BlobSource, diff_id: Digest) -> Descriptor:
    size = blobs.size_of(diff_id)
    if size is None:
        raise StoreError(f"layer {diff_id} is missing")
    return Descriptor(media_type="application/vnd.docker.image.rootfs.diff.tar", digest=diff_id, size=size)
