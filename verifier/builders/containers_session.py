"""One run's use of Buildah or Podman: hold the bases, build without any cache, export, leave nothing."""

from __future__ import annotations

import itertools
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from verifier.builders.containers_bases import check_held, hold_base
from verifier.builders.containers_options import (
    ImageFormat,
    Isolation,
    allows_network,
    cpu_options,
    inputs,
    isolations,
    private_options,
    shown_options,
    words,
)
from verifier.builders.containers_progress import BuildProgress, shorten
from verifier.builders.containers_refusals import refuse_features, refuse_options
from verifier.builders.containers_stages import KeptBuild, export_stage
from verifier.clients.containers import (
    LENDING_DRIVERS,
    ContainersCli,
    PrivateStorage,
    UserStorage,
    private_storage,
)
from verifier.clients.containers_removal import discard
from verifier.clients.process import limited_to
from verifier.dockerfile.arguments import host_platform
from verifier.errors import (
    BaseNotHeldError,
    BuildError,
    BuilderUnavailableError,
    NoVerdictError,
    ResourceError,
    StoreError,
)
from verifier.model.build import Build, BuilderIdentity
from verifier.model.plan import BaseReference, HeldBase, Plan
from verifier.model.request import BuildListener
from verifier.oci.digest import Digest, parse_digest
from verifier.oci.platform import Platform
from verifier.uninterrupted import uninterrupted

_NO_SPACE: Final = "no space left on device"


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainersProgram:
    """The program in front of us: `flags` are those of its `build`, `engine_version` is that of Buildah within."""

    cli: ContainersCli
    identity: BuilderIdentity
    engine_version: str
    flags: frozenset[str]
    user: UserStorage


class ContainersSession:
    """Builds in private storages under `workspace` that borrow the user's images read-only."""

    def __init__(self, program: ContainersProgram, workspace: Path, image_format: ImageFormat) -> None:
        self._cli = program.cli
        self._user = program.user
        self._program = program
        self._workspace = workspace
        self._format = image_format
        self._isolations = isolations(program.user)
        self._warnings: list[str] = []
        self._leftovers: list[str] = []
        self._open: list[PrivateStorage] = []
        self._home = workspace / "storage"
        self._numbers = itertools.count(1)
        self._bases: PrivateStorage | None = None
        self._held: tuple[HeldBase, ...] = ()
        self._kept: dict[int, KeptBuild] = {}

    def __enter__(self) -> Self:
        return self

    @uninterrupted
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for storage in reversed(tuple(self._open)):
            self._close(storage)
        if self._home.parent != self._workspace and self._home.is_dir() and not self._leftovers:
            self._home.rmdir()

    def refuse(self, plan: Plan) -> None:
        """Say before any work what this builder cannot build. Raises UnsupportedError, DockerfileError."""
        refuse_options(plan.options, self._cli.program, self._program.flags)
        refuse_features(plan, self._cli.program, self._program.engine_version)

    def hold(self, references: Sequence[BaseReference]) -> tuple[HeldBase, ...]:
        """Resolve each reference once and hold it in a storage of this session's. Raises BaseNotHeldError."""
        storage = self._bases_storage()
        held: dict[str, HeldBase] = {}
        for base in references:
            known = held.get(base.reference)
            if known is None:
                held[base.reference], warning = hold_base(self._cli, storage, base)
                self._warnings += [warning] if warning else []
            elif _platform_of(known.base) != _platform_of(base):
                raise BaseNotHeldError(
                    f"base {base.reference} is wanted for {_platform_of(known.base)} and for {_platform_of(base)}: "
                    f"{self._cli.program} can hold one image under one name",
                    "use --builder buildkit",
                )
        self._held = tuple(held.values())
        return tuple(
            HeldBase(
                base=base,
                digest=held[base.reference].digest,
                digest_kind=held[base.reference].digest_kind,
                pinned=held[base.reference].pinned,
                diff_ids=held[base.reference].diff_ids,
                holder=held[base.reference].holder,
            )
            for base in references
        )

    def build(self, plan: Plan, ordinal: int, listener: BuildListener) -> Build:
        """Build `plan` in a fresh storage and export the image. Raises BuildError, BaseNotHeldError, ResourceError."""
        while True:
            storage = self._new_storage((self._bases_storage().graph_root,))
            try:
                build = self._attempt(plan, ordinal, listener, storage)
            finally:
                if ordinal not in self._kept:
                    self._close(storage)
            if build is not None:
                return build

    def stage(self, build: Build, index: int) -> str | None:
        """Write the image of a stage from the build's own storage, which stays where the plan asks for stages."""
        kept = self._kept.get(build.ordinal)
        layout = self._workspace / "images" / f"stage-{build.ordinal}-{index}"
        if kept is None or not export_stage(self._cli, kept, index, layout):
            return None
        return f"oci:{layout}"

    def load(self, build: Build, tags: Sequence[str]) -> None:
        """Put the exported image into the user's storage under `tags`; without tags, under a name of its own.

        What is stored is the layout that was compared: same manifest, same config. Raises StoreError.
        """
        if build.image_id is None:
            raise StoreError(f"build {build.ordinal} has no image to load")
        image_id = build.image_id.removeprefix("sha256:")
        layout = Path(build.location.removeprefix("oci:"))
        # Older versions name a pulled layout after its folder: a link gives it a name that nobody else uses.
        link = layout.parent / f"verify-build-{image_id[:12]}"
        link.symlink_to(layout.name)
        try:
            finished = self._cli.load_layout(link)
        finally:
            link.unlink()
        if finished.status or finished.text != image_id:
            raise StoreError(f"build {build.ordinal} could not be loaded: {finished.complaint}")
        own = f"localhost/{link.name}:latest"
        self._cli.tag(image_id, tags or [own])
        if tags and self._cli.resolve(own) is not None:
            self._cli.untag(own)

    def leftovers(self) -> tuple[str, ...]:
        """Name what could not be removed."""
        return tuple(self._leftovers)

    def _attempt(self, plan: Plan, ordinal: int, listener: BuildListener, storage: PrivateStorage) -> Build | None:
        """Build once; None when no container could be made and another isolation is left to try."""
        isolation = self._isolations[0]
        iidfile = storage.home / "image-id"
        options = shown_options(plan, self._program.flags, self._format)
        options += cpu_options(plan, isolation, rootless=self._user.rootless)
        arguments = [*options, *private_options(plan), "--iidfile", str(iidfile), *inputs(plan)]
        argv = self._cli.build_argv(arguments, storage, isolation.runtime, isolation.isolation)
        progress = BuildProgress(plan.instructions, listener)
        started = datetime.now(UTC)
        status = self._run(argv, progress, storage, plan, ordinal)
        steps = progress.finish() if status == 0 else ()
        if status:
            if progress.refusal and self._isolate_otherwise(progress.refusal, plan.options.network):
                return None
            raise _failure(plan, ordinal, progress, isolation)
        for held in self._held:
            check_held(self._cli, storage, held)
        image_id = parse_digest(iidfile.read_text("ascii").strip(), "image ID")
        layout = self._export(image_id, ordinal, storage)
        if plan.copied_stages:
            self._kept[ordinal] = KeptBuild(
                plan=plan,
                storage=storage,
                isolation=isolation,
                flags=self._program.flags,
                image_format=self._format,
                rootless=self._user.rootless,
            )
        return Build(
            ordinal=ordinal,
            location=f"oci:{layout}",
            builder=self._program.identity,
            options=(*([isolation.option] if isolation.option else []), *words(options)),
            manifest_source="export",
            image_id=image_id,
            steps=steps,
            started=started,
            finished=datetime.now(UTC),
            warnings=(*self._warnings, *progress.warnings),
        )

    def _run(
        self, argv: Sequence[str], progress: BuildProgress, storage: PrivateStorage, plan: Plan, ordinal: int
    ) -> int:
        timeout = plan.options.timeout
        try:
            with limited_to(plan.options.cpuset):
                return self._cli.build(argv, progress.take, storage, timeout)
        except BuilderUnavailableError:
            raise
        except NoVerdictError as error:
            raise BuildError(
                f"build {ordinal} was ended after {timeout or 0:g} seconds{_place(plan, progress)}",
                "give it longer with --timeout SECONDS",
                line=progress.instruction.line if progress.instruction else None,
                log=tuple(progress.last_lines),
            ) from error

    def _export(self, image_id: Digest, ordinal: int, storage: PrivateStorage) -> Path:
        layout = self._workspace / "images" / f"build-{ordinal}"
        layout.parent.mkdir(exist_ok=True)
        shutil.rmtree(layout, ignore_errors=True)
        try:
            self._cli.push(image_id.removeprefix("sha256:"), layout, storage)
        except StoreError as error:
            if _NO_SPACE in error.message:
                raise ResourceError(f"the disk filled while build {ordinal} was being exported") from error
            raise
        return layout

    def _isolate_otherwise(self, refusal: str, network: str | None) -> bool:
        """Take the next isolation that may be tried, and note why; False when there is none."""
        refused, *others = self._isolations
        others = [isolation for isolation in others if allows_network(isolation, network)]
        if not others:
            return False
        self._isolations = others
        how = refused.option or f"the configured runtime ({self._user.runtime})"
        self._warnings.append(
            f"RUN was isolated by {others[0].option}, because {how} cannot make containers here: "
            f"{shorten(refusal, 160)}"
            + ("; by chroot alone, RUN sees the host's network and processes" if others[0].isolation else "")
        )
        return True

    def _bases_storage(self) -> PrivateStorage:
        if self._bases is None:
            self._bases = self._new_storage(())
        return self._bases

    @uninterrupted
    def _new_storage(self, lenders: tuple[Path, ...]) -> PrivateStorage:
        if self._user.driver not in LENDING_DRIVERS:
            raise BuilderUnavailableError(
                f"{self._cli.program}'s storage driver {self._user.driver} cannot lend images to a private storage",
                "set STORAGE_DRIVER=overlay (or vfs), and pull the base images again",
            )
        storage = private_storage(self._home / str(next(self._numbers)), self._user, (*lenders, self._user.graph_root))
        self._open.append(storage)
        complaint = self._cli.opens(storage)
        if complaint is None:
            return storage
        self._close(storage)
        if self._home.parent != self._workspace:
            raise BuilderUnavailableError(f"{self._cli.program} cannot open a private storage: {complaint}")
        # The workspace's file system may not do (overlay upon overlay): the user's storage stands on one that does.
        self._home = Path(tempfile.mkdtemp(prefix="verify-build-", dir=self._user.graph_root.parent))
        self._warnings.append(
            f"builds are kept beside {self._user.graph_root}, because the workspace will not do: {complaint}"
        )
        return self._new_storage(lenders)

    def _close(self, storage: PrivateStorage) -> None:
        self._leftovers += discard(self._cli, storage)
        self._open.remove(storage)


def _platform_of(base: BaseReference) -> Platform:
    return base.platform or host_platform()


def _failure(plan: Plan, ordinal: int, progress: BuildProgress, isolation: Isolation) -> NoVerdictError:
    if progress.mentions(_NO_SPACE):
        return ResourceError(f"the disk filled while build {ordinal} ran{_place(plan, progress)}")
    hint = None
    if progress.refusal:
        hint = f"no container could be made here, not even by {isolation.option or 'the configured runtime'}"
        if "RLIMIT_" in progress.refusal:
            hint += ': say `default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]` in containers.conf'
    return BuildError(
        f"build {ordinal} failed{_place(plan, progress)}",
        hint,
        line=progress.instruction.line if progress.instruction else None,
        log=tuple(progress.last_lines),
    )


def _place(plan: Plan, progress: BuildProgress) -> str:
    instruction = progress.instruction
    if instruction is None:
        last = next((line for line in reversed(progress.last_lines) if line.strip()), "it said nothing")
        return f" before its first step: {shorten(last, 200)}"
    return f" at {plan.dockerfile.path}:{instruction.line} ({shorten(instruction.text)})"
