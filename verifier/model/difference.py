"""Facts: where two images differ, down to the field of the tar entry."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

from verifier.oci.digest import Digest
from verifier.oci.platform import Platform

Part = Literal["index", "manifest", "config", "layer", "attestation"]
FieldValue = str | int | float | bool | None | list["FieldValue"] | dict[str, "FieldValue"]
"""A JSON value."""


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class LayerPair:
    """Two aligned layers by their position from 0; None where a side has no such layer."""

    first: int | None
    second: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Region:
    """One differing stretch of two contents: offsets and lengths in bytes, and bounded samples of both sides.

    A sample begins at `sample_offset_first` (`sample_offset_second`), some bytes before the stretch.
    """

    offset_first: int
    length_first: int
    offset_second: int
    length_second: int
    sample_offset_first: int
    sample_first: bytes
    sample_offset_second: int
    sample_second: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class ContentDifference:
    """What is known of two contents that differ: sizes in bytes, the type of each, and the first differing regions.

    `complete` says that `regions` holds every differing region.
    """

    type_first: str
    type_second: str
    size_first: int
    size_second: int
    regions: tuple[Region, ...]
    complete: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class AloneEntry:
    """A tar entry that one side alone has: everything about it but its name and its time.

    `facts` is a digest over its other fields, its content, and how header and padding are written; `frame` leaves out
    the content and its size, which `content` is the digest of. `plain` says that it has no set-user-ID, set-group-ID or
    sticky bit, no extended attribute, and that it is no device.
    """

    mtime: str
    facts: Digest
    frame: Digest
    content: str
    plain: bool = False


class NamedValue(NamedTuple):
    """One part of a value: `kind` names its grammar, as `verifier.formats.field.Field.kind` does."""

    kind: str
    value: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class WholeValues:
    """Both sides' values in full, where a difference's `first` and `second` are samples or not all that belongs to it.

    The parts of a side commit to its whole value: what is long stands there by its digest.
    """

    first: tuple[NamedValue, ...]
    second: tuple[NamedValue, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One differing leaf: never a digest that differs only because of what is under it.

    `path` is raw bytes with a leading slash; `occurrence` counts entries of one path in one layer from 0. `visible`
    says that no later layer hides the entry. `field` is one of the words of the JSON contract or a JSON pointer.
    `entry_type` is the tar entry's (a word of `verifier.oci.tar_entry`), where both sides agree (a file, where one
    side has it as a hard link); `alone` says more of an entry that one side alone has, `whole` of values that are shown
    in part.
    """

    platform: Platform | None
    part: Part
    layer: LayerPair | None = None
    path: bytes | None = None
    occurrence: int = 0
    visible: bool = True
    field: str
    first: FieldValue
    second: FieldValue
    content: ContentDifference | None = None
    entry_type: str | None = None
    alone: AloneEntry | None = None
    whole: WholeValues | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SideDigests:
    """The four digests of one side; `files` is None when it was not computed (an equal pair is settled above it)."""

    manifest: Digest | None
    config: Digest
    layers: tuple[Digest, ...]
    files: Digest | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageComparison:
    """One platform's pair of images, compared.

    `verified_*` says that every blob of that side was read and has its digest.
    """

    platform: Platform
    first: SideDigests
    second: SideDigests
    layers: tuple[LayerPair, ...]
    differences: tuple[Difference, ...]
    verified_first: bool
    verified_second: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Everything that differs between two references, by platform.

    `differences` are those of the index, the attestations and the platforms that one side lacks; each image's own are
    in `images`. `index_equal` is None when neither side has an index.
    """

    index_first: Digest | None
    index_second: Digest | None
    index_equal: bool | None
    images: tuple[ImageComparison, ...]
    differences: tuple[Difference, ...]

    @property
    def all_differences(self) -> tuple[Difference, ...]:
        """Every difference: the index's own first, then platform by platform."""
        return self.differences + tuple(item for image in self.images for item in image.differences)
