"""The frozen inputs of a verification: what both builds are made from."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from verifier.model.build import BuilderName
from verifier.model.instruction import Instruction
from verifier.oci.digest import Digest
from verifier.oci.platform import Platform

DigestKind = Literal["index", "manifest", "config"]


@dataclass(frozen=True, slots=True, kw_only=True)
class BaseReference:
    """An image that the Dockerfile names: in FROM, `COPY --from=` or `--mount=from=`, with ARGs expanded.

    `final` is set on the FROM that the target stage stands on, through the stages between. `locked` is the digest that
    somebody else holds it to where the reference has none: a lock file, or the provenance of a published image.
    """

    reference: str
    instruction: Instruction
    platform: Platform | None
    final: bool
    locked: Digest | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldBase:
    """A base resolved once and held for every build of the run.

    `pinned` says whether the Dockerfile itself names the digest. `diff_ids` are the base image's layers, None where the
    builder cannot tell. `holder` is the builder's own handle (a private tag, an image ID, a layout).
    """

    base: BaseReference
    digest: Digest
    digest_kind: DigestKind
    pinned: bool
    diff_ids: tuple[Digest, ...] | None
    holder: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FrozenDockerfile:
    """The Dockerfile's own copy: `path` as the user named it, `copy` in the run's workspace."""

    path: str
    copy: Path
    raw: bytes
    digest: Digest
    syntax: str | None

    @property
    def text(self) -> str:
        """The Dockerfile as text; bytes that are not UTF-8 are replaced."""
        return self.raw.decode("utf-8", "replace")


@dataclass(frozen=True, slots=True, kw_only=True)
class FrozenContext:
    """The build context's own copy, ignore rules applied.

    `archive` is a deterministic tar (paths in order, modes and mtimes as on disk, owners 0:0); `directory` holds the
    same, for builders that take no archive. `digest` leaves mtimes out, `archive_digest` is the archive's own.
    `bytes` is the sum of the regular files' sizes. `dockerfile_path` names the Dockerfile within the context when it is
    part of it. `ignore_file` is the one that was applied, `ignore_patterns` its lines, `ignore_copy` all of it;
    `signature` is a digest over the originals' status, by which a later change is seen.

    A directory that the rules leave out, with something beneath it that they bring back, is in `directory` alone:
    Docker's client does not send it, and the classic engine makes it by its own clock. So does Buildah, by
    `ignore_copy`.
    """

    path: str
    archive: Path
    directory: Path
    digest: Digest
    archive_digest: Digest
    files: int
    bytes: int
    dockerfile_path: str | None = None
    ignore_file: str | None = None
    ignore_patterns: tuple[str, ...] = ()
    ignore_copy: Path | None = None
    signature: Digest | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildOptions:
    """What the user asked of the builder, in the builders' own terms.

    `epoch` (seconds, SOURCE_DATE_EPOCH) is set when `reproducible` is. `build_args` are pairs as given; a value of None
    means the environment's. `secrets` and `ssh` are passed on as written and never stored in a report. `cpuset` names
    the CPUs that RUN may use (`0`, `0-3`), where the builder lets us; None means all. `labels` are put on the image
    beside the Dockerfile's own.
    """

    target: str | None = None
    build_args: tuple[tuple[str, str | None], ...] = ()
    platform: Platform | None = None
    network: str | None = None
    secrets: tuple[str, ...] = ()
    ssh: tuple[str, ...] = ()
    timeout: float | None = None
    reproducible: bool = False
    epoch: int | None = None
    cpuset: str | None = None
    labels: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Everything that a build is made from, frozen; `workspace` is the run's private folder, removed at the end.

    `bases` is empty until a builder has resolved `references`. `builder` is the one whose ignore rules were applied.
    `copied_stages` are the stages, by index, whose images will be asked for after the build (`BuilderSession.stage`).
    """

    workspace: Path
    dockerfile: FrozenDockerfile
    context: FrozenContext
    options: BuildOptions
    references: tuple[BaseReference, ...]
    instructions: tuple[Instruction, ...]
    bases: tuple[HeldBase, ...] = ()
    warnings: tuple[str, ...] = field(default=())
    builder: BuilderName | None = None
    copied_stages: tuple[int, ...] = ()
