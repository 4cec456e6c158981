"""Read again, of two sets of images, the contents and documents that an explanation asks for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from verifier.compare.content import Algorithms, Wanted, read_contents, read_entries
from verifier.compare.kept import KeptContents
from verifier.compare.normalised_stream import normalised_diff_id
from verifier.errors import MalformedImageError
from verifier.model.difference import Part
from verifier.oci.digest import Digest
from verifier.oci.image import Image, ImageSet
from verifier.oci.platform import Platform
from verifier.oci.tar_edit import Edits
from verifier.oci.tar_entry import HeldEntry


class ImageSetReader:
    """Both sides of a comparison; `platform` is the first side's, as in the differences."""

    def __init__(self, first: ImageSet, second: ImageSet, kept: KeptContents | None = None) -> None:
        """Take both sides, and what their comparison has kept, if anything."""
        self._sides = {"first": first, "second": second}
        self._kept = kept

    def contents(
        self, side: Literal["first", "second"], platform: Platform, layer: int, wanted: Wanted, limit: int
    ) -> Mapping[tuple[bytes, int], bytes]:
        """Read whole contents of one layer by path and occurrence; those over `limit` bytes are left out.

        Raises StoreError, MalformedImageError, DigestMismatchError.
        """
        image = self._image(side, platform)
        if image is None:
            return {}
        known = {} if self._kept is None else self._kept.read(side, platform, layer, wanted, limit)
        missing = [key for key in wanted if key not in known]
        return known | read_contents(image, layer, missing, limit) if missing else known

    def entries(
        self, side: Literal["first", "second"], platform: Platform, layer: int, wanted: Wanted, algorithms: Algorithms
    ) -> Mapping[tuple[bytes, int], HeldEntry]:
        """Read what entries of one layer hold, by path and occurrence; contents of any size are digested as they pass.

        Raises StoreError, MalformedImageError, DigestMismatchError.
        """
        image = self._image(side, platform)
        return {} if image is None or not wanted else read_entries(image, layer, wanted, algorithms)

    def normalised_diff_id(
        self, side: Literal["first", "second"], platform: Platform, layer: int, edits: Edits, limit: int
    ) -> Digest:
        """Write one layer's stream again with `edits`, and take its `diff_id`; see `normalised_diff_id`."""
        image = self._image(side, platform)
        if image is None:
            raise MalformedImageError("there is not one image of that platform")
        return normalised_diff_id(image, layer, edits, limit)

    def document(self, side: Literal["first", "second"], part: Part, platform: Platform | None) -> bytes | None:
        """Give the bytes of a manifest, a config or the index; None where there is none."""
        if part == "index":
            index = self._sides[side].index
            return None if index is None else index.raw
        image = None if platform is None else self._image(side, platform)
        if image is None:
            return None
        if part == "config":
            return image.config.raw
        return None if part != "manifest" or image.manifest is None else image.manifest.raw

    def _image(self, side: str, platform: Platform) -> Image | None:
        """Find the image that a difference speaks about; None where a set has several of that platform."""
        images = self._sides[side].images
        found = images if len(images) == 1 else [image for image in images if image.platform.matches(platform)]
        return found[0] if len(found) == 1 else None
