"""Pins: what a Dockerfile takes from outside, whether it is held to a digest, and whether what it says is true."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from verifier.oci.digest import Digest

PinKind = Literal["from", "copy-from", "mount-from", "syntax", "add-url", "add-git"]
PinStatus = Literal["true", "to-mend", "unknown"]
ImageKind = Literal["index", "manifest"]

REMARKS: Final = (
    "not-pinned",
    "tag-absent",
    "tag-moved",
    "digest-absent",
    "one-platform",
    "says-otherwise",
    "not-expanded",
    "not-an-image",
    "not-checked",
    "checksum-differs",
    "not-looked-at",
    "not-written",
)
"""Every code that a remark may have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Remark:
    """One thing that was found about a pin; `mends` says that it is something to mend, else it is worth knowing."""

    code: str
    message: str
    mends: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageFacts:
    """What an image says of itself.

    `created` is the config's, `labels` and `os_release` are sorted pairs; `layers` are the `diff_ids`, `size` the sum
    of the compressed layers in bytes. `platforms` are those of the index, or the image's own.
    """

    digest: Digest
    kind: ImageKind
    platforms: tuple[str, ...]
    created: str | None
    labels: tuple[tuple[str, str], ...]
    environment: tuple[str, ...]
    os_release: tuple[tuple[str, str], ...]
    layers: tuple[Digest, ...]
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One thing in which the image that a pin was moved to differs from the one before."""

    what: str
    before: str
    after: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Pin:
    """One reference of a Dockerfile to something outside; lines from 1.

    `written` is the text as it stands, `reference` what it means. `digest` is the one written there (a checksum, a
    commit), `current` what the tag or the URL gives now, with the image's `created`. `proposed` is what ought to stand
    there, None where nothing is to be written. `changes` are those between `digest` and `current`.
    """

    line: int
    kind: PinKind
    written: str
    reference: str | None
    digest: str | None
    current: str | None
    created: str | None
    status: PinStatus
    remarks: tuple[Remark, ...]
    proposed: str | None = None
    changes: tuple[Change, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PinReport:
    """Every pin of a Dockerfile; `written` names the files that were changed."""

    tool_version: str
    dockerfile_path: str
    dockerfile_digest: Digest
    pins: tuple[Pin, ...]
    written: tuple[str, ...] = ()

    @property
    def exit_code(self) -> int:
        """1 where there is something to mend; else 3 where something could not be looked at; else 0."""
        statuses = {pin.status for pin in self.pins}
        return 1 if "to-mend" in statuses else 3 if "unknown" in statuses else 0
