"""What a builder is, and what one build gave."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from verifier.model.instruction import Instruction
from verifier.model.variation import Factor
from verifier.oci.digest import Digest

BuilderName = Literal["buildkit", "docker", "buildah", "podman"]
ManifestSource = Literal["builder", "export", "registry"]


@dataclass(frozen=True, slots=True, kw_only=True)
class BuilderIdentity:
    """Which builder this is and what the one in front of us can do.

    `version` is for people ("28.5.2, buildx 0.29.1, containerd image store"). `reproducible` says whether it has a
    reproducible mode at all; `shows_manifest` whether its images have a manifest digest before a push. `limits` are
    sentences: what it cannot do here and what the tool does instead. `varies` names what of a build's surroundings it
    lets us vary, beyond the context.
    """

    name: BuilderName
    version: str
    reproducible: bool
    shows_manifest: bool
    limits: tuple[str, ...] = ()
    varies: tuple[Factor, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildStep:
    """One instruction as the builder ran it; `image` is the step's image where the builder names one.

    `started` and `finished` are by the builder's clock, None where it does not tell.
    """

    instruction: Instruction
    cached: bool
    seconds: float | None = None
    image: str | None = None
    started: datetime | None = None
    finished: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Build:
    """One finished build.

    `location` names the image for a store (`oci:DIR`, `docker-archive:PATH`). `manifest_source` is None where there is
    no manifest digest. `options` is what was passed to the builder, for the report, without secrets. `started` and
    `finished` are by the builder's clock, in UTC. `host_names` are those that its containers had, where it tells.
    """

    ordinal: int
    location: str
    builder: BuilderIdentity
    options: tuple[str, ...]
    manifest_source: ManifestSource | None
    image_id: Digest | None
    steps: tuple[BuildStep, ...]
    started: datetime
    finished: datetime
    warnings: tuple[str, ...] = ()
    host_names: tuple[str, ...] = ()

    @property
    def seconds(self) -> float:
        """How long the build took."""
        return (self.finished - self.started).total_seconds()


@dataclass(frozen=True, slots=True, kw_only=True)
class BuilderStatus:
    """One row of `doctor`: does this builder answer here, and if not, the command that would mend it."""

    name: BuilderName
    identity: BuilderIdentity | None
    problem: str | None
    remedy: str | None
