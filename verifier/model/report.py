"""The report: what was claimed, what was seen and what follows, in one object that every format renders."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from verifier.model.build import BuilderIdentity, ManifestSource
from verifier.model.difference import Difference, LayerPair
from verifier.model.finding import Explanation, Risk
from verifier.model.instruction import Instruction
from verifier.model.network import Download, OfflineProbe
from verifier.model.plan import HeldBase
from verifier.model.tolerance import AppliedTolerance
from verifier.model.variation import Variation
from verifier.model.verdict import Verdict
from verifier.oci.digest import Digest

Origin = Literal["base", "built"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportedError:
    """Why no verdict was reached, in the words of the two lines on stderr."""

    code: str
    message: str
    hint: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportedLayer:
    """One layer of one side. `size` is the blob's, in bytes.

    `rebuilt` is False for a layer that the builder took from a cache, None where nothing was built.
    """

    digest: Digest
    diff_id: Digest
    size: int
    media_type: str
    created_by: str
    instruction: Instruction | None
    origin: Origin | None
    rebuilt: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportedImage:
    """One platform's image of one side."""

    platform: str
    manifest_digest: Digest | None
    config_digest: Digest
    files_digest: Digest | None
    verified: bool
    layers: tuple[ReportedLayer, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One of the two sides: a build, an image that existed, or only a digest that was expected.

    `builder`, `started` and `finished` are None where nothing was built.
    """

    builder: BuilderIdentity | None
    options: tuple[str, ...]
    reference: str
    started: datetime | None
    finished: datetime | None
    index_digest: Digest | None
    manifest_source: ManifestSource | None
    expected: Digest | None = None

    @property
    def seconds(self) -> float | None:
        """How long the build took, between whole milliseconds, as reports tell them; None where nothing was built."""
        if self.started is None or self.finished is None:
            return None
        started, finished = (int(moment.timestamp() * 1000) for moment in (self.started, self.finished))
        return (finished - started) / 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class PlatformPair:
    """Both sides of one platform, layers aligned; None where a side has no image for it."""

    platform: str
    first: ReportedImage | None
    second: ReportedImage | None
    layers: tuple[LayerPair, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """The frozen inputs of a verification. Build arguments are named; their values are not kept.

    `context_digest` leaves mtimes out, `archive_digest` has them. `unchanged` says that Dockerfile and context were
    still the same after the builds.
    """

    dockerfile_path: str
    dockerfile_digest: Digest
    dockerfile_text: str
    syntax: str | None
    context_digest: Digest
    archive_digest: Digest
    context_files: int
    context_bytes: int
    build_args: tuple[str, ...]
    platform: str | None
    target: str | None
    epoch: int | None
    varied: tuple[str, ...]
    builds_run: int
    bases: tuple[HeldBase, ...]
    unchanged: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Everything that a reader can be told. Rendering is a pure function of it.

    `notes` are sentences for people: which builder was chosen and why, what it cannot do here, what was left behind.
    `variation`, `offline` and `downloads` are None where they were not asked for. `tolerated` are positions in
    `differences`; `tolerances` say who answers for them.
    """

    tool_version: str
    verdict: Verdict
    error: ReportedError | None = None
    inputs: Inputs | None = None
    first: Side | None = None
    second: Side | None = None
    platforms: tuple[PlatformPair, ...] = ()
    index_equal: bool | None = None
    differences: tuple[Difference, ...] = ()
    explanation: Explanation | None = None
    risks: tuple[Risk, ...] = ()
    notes: tuple[str, ...] = ()
    variation: Variation | None = None
    offline: OfflineProbe | None = None
    downloads: tuple[Download, ...] | None = None
    tolerated: tuple[int, ...] = ()
    tolerances: tuple[AppliedTolerance, ...] = ()

    @property
    def unexplained(self) -> tuple[Difference, ...]:
        """The differences that no cause explains: all of them where nothing was explained."""
        if self.explanation is None:
            return self.differences
        return tuple(self.differences[item.difference] for item in self.explanation.residue)


def instruction_of(item: Difference, platforms: tuple[PlatformPair, ...]) -> Instruction | None:
    """Find the instruction that made the layer of a difference; None outside layers and where it is not known."""
    for pair in platforms:
        if item.layer is None or (item.platform is not None and str(item.platform) != pair.platform):
            continue
        for image, number in ((pair.first, item.layer.first), (pair.second, item.layer.second)):
            if image is not None and number is not None and image.layers[number].instruction is not None:
                return image.layers[number].instruction
    return None


def manifest_digest_of(side: Side | None, image: ReportedImage | None) -> Digest | None:
    """Give the manifest digest of one side's image, or the one that was expected; None where neither is known."""
    if image is not None and image.manifest_digest is not None:
        return image.manifest_digest
    return None if side is None else side.expected
