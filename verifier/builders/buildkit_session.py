"""One run's use of BuildKit: each build in its own namespace of cache mounts, its cache records removed after it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Self

from verifier.builders.buildkit_abilities import Abilities
from verifier.builders.buildkit_bases import (
    Hold,
    check_named,
    check_watched,
    context_arguments,
    hold_by_registry,
    hold_in_engine,
)
from verifier.builders.buildkit_command import build_arguments, oci_output, shown_options
from verifier.builders.buildkit_failure import failure_of
from verifier.builders.buildkit_layout import pack_layout, prepare_layout
from verifier.builders.buildkit_progress import PlainProgress, Progress, RawProgress, Vertex
from verifier.builders.buildkit_refusals import refuse_for_buildkit
from verifier.builders.buildkit_stages import StageImages
from verifier.builders.buildkit_steps import steps_of
from verifier.builders.buildkit_traces import BuildTraces
from verifier.builders.buildkit_twin import TwinMaker, begins_with_workdir
from verifier.builders.docker_failure import shorten
from verifier.builders.docker_traces import PRIVATE_HOST, Traces
from verifier.clients.buildx import Buildx, SelectedBuilder
from verifier.clients.engine import connect_engine
from verifier.errors import NoVerdictError, StoreError, UnsupportedError
from verifier.model.build import Build, BuilderIdentity, BuildStep
from verifier.model.plan import BaseReference, HeldBase, Plan
from verifier.model.request import BuildListener
from verifier.oci.digest import Digest, digest_bytes, encoded_of, parse_digest
from verifier.uninterrupted import uninterrupted

if TYPE_CHECKING:
    from verifier.clients.engine_client import Engine

_MAX_METADATA: Final = 4 * 1024 * 1024
_REWRITE_TROUBLE: Final = re.compile(r"rewrit\w*.timestamp|failed to rewrite", re.IGNORECASE)


class BuildkitSession:
    """A session of BuildKit (BuilderSession); `engine` is set for the docker driver."""

    def __init__(
        self,
        workspace: Path,
        buildx: Buildx,
        builder: SelectedBuilder,
        engine: Engine | None,
        abilities: Abilities,
        identity: BuilderIdentity,
    ) -> None:
        self._workspace = workspace
        self._buildx = buildx
        self._builder = builder
        self._engine = engine
        self._abilities = abilities
        self._identity = identity
        marker = workspace / "buildkit-run"
        marker.write_bytes(b"")
        began = marker.stat()
        self._run = encoded_of(digest_bytes(f"{workspace}@{began.st_mtime_ns}".encode()))[:12]
        self._cache = BuildTraces(
            buildx, builder.name, engine, began.st_mtime, forgets=abilities.containerd_store, history=abilities.history
        )
        self._traces = Traces(engine) if engine is not None else None
        self._holds: tuple[Hold, ...] = ()
        self._contexts: dict[Path, None] = {}
        self._images: dict[int, str] = {}
        self._layouts: list[Path] = []
        store = None if engine is None or self._traces is None else (engine, self._traces)
        self._stages = StageImages(workspace, buildx, builder.name, abilities, self._run, store)
        self._configs: set[Digest] = set()
        self._cut_off = False
        self._left: tuple[str, ...] = ()

    def __enter__(self) -> Self:
        return self

    @uninterrupted
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        left: list[str] = []
        left += self._cache.remove(self._contexts)
        if self._traces is not None:
            left += self._traces.remove()
        self._left = tuple(left)
        if self._engine is not None:
            self._engine.close()

    def refuse(self, plan: Plan) -> None:
        """Refuse the reproducible mode where times cannot be rewritten, and syntax that an old BuildKit lacks."""
        refuse_for_buildkit(plan, self._abilities)

    def hold(self, references: Sequence[BaseReference]) -> tuple[HeldBase, ...]:
        """Resolve each base once, by the engine or by the registry, and hold it. Raises BaseNotHeldError."""
        if self._engine is not None and self._traces is not None:
            self._holds = hold_in_engine(self._engine, self._traces, self._run, references)
        else:
            self._holds = hold_by_registry(self._buildx, self._builder.name, references)
        return tuple(hold.held for hold in self._holds)

    def build(self, plan: Plan, ordinal: int, listener: BuildListener) -> Build:
        """Build without cache and export the image into the workspace.

        An OCI layout where BuildKit may export one, else the engine's own export of an image under a private tag. The
        images of the plan's copied stages are kept, unless the build gave what an earlier one gave.
        """
        self._watch(plan)
        self._contexts[plan.context.directory] = None
        namespace = f"verify-build-{self._run}-{ordinal}"
        metadata = self._workspace / f"build-{ordinal}.json"
        output, target = self._output(plan, ordinal)
        contexts = context_arguments(
            plan, self._holds, can_hold=self._abilities.holds_for(plan), twins=self._twins(plan, ordinal)
        )
        arguments = build_arguments(
            plan,
            output=output,
            metadata=metadata,
            namespace=namespace,
            contexts=contexts,
            raw_progress=self._abilities.raw_progress,
        )
        progress = self._progress(listener)
        clock = self._clock()
        try:
            self._run_build(plan, ordinal, arguments, progress)
            finished = self._clock()
            self._watch(plan)
            check_named(progress.vertices.values(), self._holds)
            image = self._take_image(ordinal, target, metadata)
            self._keep_stages(plan, ordinal, image, namespace, contexts)
        finally:
            self._sweep(progress, namespace)
        vertices = progress.vertices.values()
        steps = steps_of(vertices, plan.instructions)
        return Build(
            ordinal=ordinal,
            location=f"{self._transport}:{target}",
            builder=self._identity,
            options=shown_options(plan, "oci" if self._abilities.exports_oci else "docker"),
            manifest_source="builder" if self._abilities.exports_oci else "export",
            image_id=image,
            steps=steps,
            started=self._started(vertices, clock),
            finished=self._end(vertices, finished),
            warnings=(*_warnings(progress), *_cache_warnings(plan, steps)),
        )

    def stage(self, build: Build, index: int) -> str | None:
        """Give a stage's image as it was kept after the build."""
        return self._stages.location(build.ordinal, index)

    def load(self, build: Build, tags: Sequence[str]) -> None:
        """Put the image into the engine under `tags`.

        The containerd store keeps it digest by digest; the old store holds it already, without its manifest. A builder
        of its own (docker-container, remote) hands it to the engine that the docker client uses.
        """
        if self._engine is not None and self._traces is not None:
            image = self._images.get(build.ordinal) or self._engine.load(_archive(build))
            if image is None:
                raise StoreError("the engine does not say what it has loaded")
            self._traces.keep(image)
            for tag in tags:
                self._engine.tag(image, tag)
            return
        with connect_engine() as engine:
            if not engine.describe().containerd_store:
                raise UnsupportedError(
                    "the engine's old image store cannot load an OCI archive", "--push, or --keep DIR, keeps the image"
                )
            image = engine.load(_archive(build))
            for tag in tags:
                engine.tag(image or build.location, tag)

    def leftovers(self) -> tuple[str, ...]:
        """Name what could not be removed."""
        return self._left

    def _twins(self, plan: Plan, ordinal: int) -> dict[str, str]:
        """Make a twin of each base, by name, where a WORKDIR would come from the cache otherwise."""
        if (
            self._engine is None
            or self._traces is None
            or not self._abilities.holds_for(plan)
            or not begins_with_workdir(plan)
            or not self._cache.may_have_workdir(ordinal)
        ):
            return {}
        maker = TwinMaker(self._engine, self._traces, self._run, self._workspace)
        try:
            return {
                hold.name: maker.make(hold.resolved.id, ordinal) for hold in self._holds if hold.resolved is not None
            }
        except NoVerdictError:
            return {}  # WORKDIR may then come from the cache, and the build says so

    def _progress(self, listener: BuildListener) -> Progress:
        return RawProgress(listener) if self._abilities.raw_progress else PlainProgress(listener)

    def _output(self, plan: Plan, ordinal: int) -> tuple[str, Path]:
        if self._abilities.unpacks:
            folder = self._workspace / f"build-{ordinal}"
            prepare_layout(folder, self._layouts)
            self._layouts.append(folder)
            return oci_output(folder, rewrite=plan.options.reproducible, unpacked=True), folder
        target = self._workspace / f"build-{ordinal}.tar"
        if self._abilities.exports_oci:
            return oci_output(target, rewrite=plan.options.reproducible), target
        if self._traces is not None:
            self._traces.add_tag(self._tag(ordinal))
        return f"type=docker,name={self._tag(ordinal)}", target

    @property
    def _transport(self) -> str:
        if self._abilities.unpacks:
            return "oci"
        return "oci-archive" if self._abilities.exports_oci else "docker-archive"

    def _tag(self, ordinal: int) -> str:
        return f"{PRIVATE_HOST}/{self._run}/build:{ordinal}"

    def _end(self, vertices: Iterable[Vertex], asked: datetime) -> datetime:
        """Give when the build had ended; an engine that was asked knows it best: plain progress lags behind."""
        seen = [vertex.completed for vertex in vertices if vertex.completed is not None]
        return max([*seen, asked]) if self._engine is not None or not seen else max(seen)

    def _clock(self) -> datetime:
        return self._engine.clock() if self._engine is not None else datetime.now(UTC)

    def _started(self, vertices: Iterable[Vertex], clock: datetime) -> datetime:
        """Say when the build began, by the builder's clock, which was read as `clock` where an engine has it.

        What an earlier build made, such as a base that is loaded already, keeps the time of that build.
        """
        fresh = [vertex.started for vertex in vertices if vertex.started is not None and not vertex.cached]
        if self._engine is not None:
            fresh = [started for started in fresh if started >= clock]
        return min(fresh, default=clock)

    def _watch(self, plan: Plan) -> None:
        check_watched(self._engine, plan, self._holds, can_hold=self._abilities.holds_for(plan))

    def _run_build(self, plan: Plan, ordinal: int, arguments: Sequence[str], progress: Progress) -> None:
        status: int | None = None
        reason = ""
        try:
            status = self._buildx.build(
                self._builder.name,
                arguments,
                lambda _, line: progress.take(line.decode("utf-8", "replace")),
                plan.options.timeout,
            )
        except NoVerdictError as error:
            reason = error.message
        finally:
            progress.finish()
            self._cut_off = status is None
        if status != 0:
            raise failure_of(plan, ordinal, progress, reason)

    def _keep_stages(
        self, plan: Plan, ordinal: int, image: Digest | None, namespace: str, contexts: Sequence[str]
    ) -> None:
        if image is None or image not in self._configs:
            self._cut_off = True
            self._stages.keep(plan, ordinal, namespace, contexts)
            self._cut_off = False
        self._configs |= {image} if image is not None else set()

    def _sweep(self, progress: Progress, namespace: str) -> None:
        vertices = (*progress.vertices.values(), *self._stages.take_vertices())
        try:
            self._cache.sweep(vertices, namespace, cut_off=self._cut_off)
        except NoVerdictError:
            return  # the end of the run tries again, and names what it cannot remove

    def _take_image(self, ordinal: int, target: Path, metadata: Path) -> Digest | None:
        if self._engine is not None and self._traces is not None and not self._abilities.exports_oci:
            found = self._engine.inspect_image(self._tag(ordinal))
            if found is None:
                raise StoreError(f"build {ordinal} is not in the engine")
            image = parse_digest(found.get("Id"), "Id")
            self._traces.add_image(image)
            self._images[ordinal] = image
            self._engine.save(image, target)
            return image
        if not target.exists():
            raise StoreError(f"buildx wrote no image for build {ordinal}")
        digest = _read_metadata(metadata).get("containerimage.config.digest")
        return parse_digest(digest, "containerimage.config.digest") if digest is not None else None


def _archive(build: Build) -> Path:
    transport, _, path = build.location.partition(":")
    return pack_layout(Path(path)) if transport == "oci" else Path(path)


def _read_metadata(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            value = json.loads(file.read(_MAX_METADATA))
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}


def _warnings(progress: Progress) -> list[str]:
    """Give BuildKit's warnings; a rewrite of times that failed is told in a log line alone."""
    troubles = [
        line for vertex in progress.vertices.values() if not vertex.is_step for line in vertex.log
        if _REWRITE_TROUBLE.search(line)
    ]  # fmt: skip
    return [*progress.warnings, *troubles]


def _cache_warnings(plan: Plan, steps: Sequence[BuildStep]) -> list[str]:
    return [
        f"{plan.dockerfile.path}:{step.instruction.line} ({shorten(step.instruction.text)}) came from the cache, in "
        "spite of --no-cache; `docker buildx prune` would make it be built again"
        for step in steps
        if step.cached
    ]
