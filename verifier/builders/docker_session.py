"""One run's use of the classic builder: every image, tag and container that it makes is removed by ID at the end."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from verifier.builders.docker_bases import ResolvedBase, check_unmoved, name_locked, resolve_base
from verifier.builders.docker_context import place_dockerfile
from verifier.builders.docker_failure import build_failure
from verifier.builders.docker_refusals import refuse_for_classic
from verifier.builders.docker_stream import ClassicStream, SeenStep
from verifier.builders.docker_traces import Traces
from verifier.clients.engine import EngineFacts
from verifier.errors import BaseNotHeldError, BuilderUnavailableError, NoVerdictError, StoreError
from verifier.model.build import Build, BuilderIdentity, BuildStep
from verifier.model.plan import BaseReference, HeldBase, Plan
from verifier.model.request import BuildListener
from verifier.oci.digest import parse_digest
from verifier.uninterrupted import uninterrupted

if TYPE_CHECKING:
    from verifier.clients.engine_client import Engine


class DockerSession:
    """A session of the classic builder (BuilderSession)."""

    def __init__(self, workspace: Path, engine: Engine, facts: EngineFacts, identity: BuilderIdentity) -> None:
        self._workspace = workspace
        self._engine = engine
        self._identity = identity
        self._containerd = facts.containerd_store
        self._traces = Traces(engine)
        self._bases: tuple[ResolvedBase, ...] = ()
        self._images: dict[int, str] = {}
        self._left: tuple[str, ...] = ()

    def __enter__(self) -> Self:
        return self

    @uninterrupted
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._left = self._traces.remove()
        finally:
            self._engine.close()

    def refuse(self, plan: Plan) -> None:
        """Refuse secrets, ssh, the reproducible mode and BuildKit's syntax, by name and line."""
        refuse_for_classic(plan)

    def hold(self, references: Sequence[BaseReference]) -> tuple[HeldBase, ...]:
        """Resolve each base to the engine's image and remember its ID: every build is checked against it.

        The classic builder takes no other name for a FROM than the file's, so a base cannot be put aside; what is not
        pinned and moves meanwhile ends the run. Raises BaseNotHeldError.
        """
        self._bases = tuple(resolve_base(self._engine, self._traces, reference) for reference in references)
        name_locked(self._engine, self._traces, self._bases)
        return tuple(
            HeldBase(
                base=base.base,
                digest=base.digest,
                digest_kind=base.digest_kind,
                pinned=base.pinned,
                diff_ids=base.diff_ids,
                holder=base.id,
            )
            for base in self._bases
        )

    def build(self, plan: Plan, ordinal: int, listener: BuildListener) -> Build:
        """Build without cache and export the image as a docker archive into the workspace."""
        archive, dockerfile = place_dockerfile(plan)
        check_unmoved(self._engine, self._bases)
        started = self._engine.clock()
        stream = ClassicStream(plan.instructions, listener)
        self._run(plan, ordinal, stream, archive, _parameters(plan, dockerfile, self._engine.proxy_arguments()))
        finished = self._engine.clock()
        check_unmoved(self._engine, self._bases)
        if stream.image is None:
            raise build_failure(plan, ordinal, stream.instruction, stream.log, "the engine named no image at the end")
        self._images[ordinal] = stream.image
        target = self._workspace / f"build-{ordinal}.tar"
        self._engine.save(stream.image, target)
        return Build(
            ordinal=ordinal,
            location=f"docker-archive:{target}",
            builder=self._identity,
            options=_shown_options(plan),
            manifest_source="builder" if self._containerd else None,
            image_id=None if self._containerd else parse_digest(stream.image, "image ID"),
            steps=tuple(self._step(step) for step in stream.steps),
            started=started,
            finished=finished,
            warnings=tuple(stream.warnings),
            host_names=tuple(stream.host_names),
        )

    def stage(self, build: Build, index: int) -> str | None:
        """Save the image of the stage's last step, which the engine keeps until the session ends."""
        images = [step.image for step in build.steps if step.instruction.stage.index == index and step.image]
        if not images:
            return None
        target = self._workspace / f"stage-{build.ordinal}-{index}.tar"
        if not target.exists():
            self._engine.save(images[-1], target)
        return f"docker-archive:{target}"

    def load(self, build: Build, tags: Sequence[str]) -> None:
        """Tag the very image that was built; it and its parents stay in the engine."""
        image = self._images.get(build.ordinal)
        if image is None:
            raise StoreError(f"build {build.ordinal} is not in the engine")
        self._traces.keep(image)
        for tag in tags:
            self._engine.tag(image, tag)

    def leftovers(self) -> tuple[str, ...]:
        """Name what could not be removed."""
        return self._left

    def _run(self, plan: Plan, ordinal: int, stream: ClassicStream, archive: Path, parameters: dict[str, str]) -> None:
        ended = False
        try:
            # closed before anything is noted: a build that goes on makes more while its traces are looked for
            with contextlib.closing(self._engine.build(archive, parameters, plan.options.timeout)) as messages:
                for message in messages:
                    stream.take(message)
                    self._check_base(stream)
            stream.finish()
            ended = True
        except BaseNotHeldError:
            raise
        except (BuilderUnavailableError, StoreError, NoVerdictError) as error:
            raise build_failure(plan, ordinal, stream.instruction, stream.log, error.message) from error
        finally:
            self._note(stream, ended=ended)
        if stream.error is not None:
            raise build_failure(plan, ordinal, stream.instruction, stream.log, stream.error)

    def _check_base(self, stream: ClassicStream) -> None:
        """Compare the image after a FROM with the one that is held; after triggers it is another one anyway."""
        if not stream.steps or stream.steps[-1].instruction.text[:4].upper() != "FROM" or not stream.steps[-1].images:
            return
        if stream.steps[-1].triggered:
            return
        line = stream.steps[-1].instruction.line
        image = stream.steps[-1].images[0]
        held = [base for base in self._bases if base.base.instruction.line == line]
        if held and not any(base.id.startswith(f"sha256:{image}") for base in held):
            raise BaseNotHeldError(
                f"base image {held[0].base.reference} (line {line}) changed during the run: it was {held[0].id[7:19]}, "
                f"and the build took {image}"
            )

    @uninterrupted
    def _note(self, stream: ClassicStream, *, ended: bool) -> None:
        """Note what the build made, by full IDs, whether it succeeded, failed or was cut off."""
        for container in stream.containers:
            self._traces.add_container(container)
        try:
            there = {image.id: image for image in self._engine.images()}
            full = {name.removeprefix("sha256:")[:12]: name for name in there}
            for step in stream.steps:
                step.images = [full[short] for short in step.images if short in full]
                for image in step.images:
                    self._traces.add_image(image)
                    # of several triggers the engine names the last one's image alone
                    parent = there[image].parent if step.triggered else ""
                    while parent in there and not self._traces.was_there(parent):
                        self._traces.add_image(parent)
                        parent = there[parent].parent
            standing = [image for step in stream.steps for image in step.images]
            if not ended and standing:
                command = stream.steps[-1].text.partition(" ")[2].strip()
                self._traces.add_unseen_containers(standing[-1], command)
        except NoVerdictError:
            return  # the engine has gone; there is nobody to remove anything from

    def _step(self, step: SeenStep) -> BuildStep:
        return BuildStep(
            instruction=step.instruction, cached=step.cached, image=step.images[-1] if step.images else None
        )


def _parameters(plan: Plan, dockerfile: str, proxies: dict[str, str]) -> dict[str, str]:
    options = plan.options
    arguments: dict[str, str | None] = dict(proxies)
    for name, value in options.build_args:
        arguments[name] = os.environ.get(name) if value is None else value
    parameters = {"dockerfile": dockerfile, "nocache": "1", "rm": "1", "forcerm": "1", "version": "1"}
    if arguments:
        parameters["buildargs"] = json.dumps(arguments)
    if options.labels:
        parameters["labels"] = json.dumps(dict(options.labels))
    if options.target:
        parameters["target"] = options.target
    if options.platform:
        parameters["platform"] = str(options.platform)
    if options.network:
        parameters["networkmode"] = options.network
    if options.cpuset:
        parameters["cpusetcpus"] = options.cpuset
    return parameters


def _shown_options(plan: Plan) -> tuple[str, ...]:
    options = plan.options
    shown = ["--no-cache", "--rm", "--force-rm"]
    shown += [f"--build-arg={name}" for name, _ in options.build_args]
    shown += [f"--label={key}" for key, _ in options.labels]
    shown += [f"--target={options.target}"] if options.target else []
    shown += [f"--platform={options.platform}"] if options.platform else []
    shown += [f"--network={options.network}"] if options.network else []
    shown += [f"--cpuset-cpus={options.cpuset}"] if options.cpuset else []
    return tuple(shown)
