"""Build the plan again and again: far enough apart, recorded and pushed where that was asked for."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from verifier.assemble import Source
from verifier.builders.protocol import BuilderSession
from verifier.dockerfile import Dockerfile
from verifier.errors import BuildError
from verifier.model.build import Build
from verifier.model.plan import Plan
from verifier.model.request import Surroundings, VerifyRequest, Watcher
from verifier.oci.image import ImageSet
from verifier.pipeline.images import load_images
from verifier.pipeline.network import NetworkRecord
from verifier.pipeline.origins import copied_stages
from verifier.pipeline.pushing import Pushes
from verifier.plan import seconds_until_apart


@dataclass(slots=True, kw_only=True)
class Building:
    """The builds of one run, in their order; `of` is how many there will be."""

    request: VerifyRequest
    surroundings: Surroundings
    watcher: Watcher
    session: BuilderSession
    dockerfile: Dockerfile
    workspace: Path
    stores: contextlib.ExitStack
    of: int
    builds: list[Build]
    note: Callable[[str], None]
    network: NetworkRecord | None = None
    pushes: Pushes | None = None

    def build(self, plan: Plan, ordinal: int) -> tuple[ImageSet, Source]:
        """Run build `ordinal`, and open its image. Raises BuildError, and what opening raises."""
        if self.builds:
            previous = self.builds[-1]
            wait = seconds_until_apart(previous.started, previous.finished, self.surroundings.now())
            self.surroundings.sleep(wait)
        try:
            build = self._run(self._with_stages(plan), ordinal)
        except BuildError as error:
            error.message = error.message.replace(f"build {ordinal} ", f"build {ordinal} of {self.of} ", 1)
            raise
        self.builds.append(build)
        for warning in build.warnings:
            self.note(warning)
        images = load_images(build.location, None, self.workspace / f"image-{ordinal}", self.stores)
        if self.pushes is not None:
            build, images = self.pushes.push(build, images, self.workspace / f"pushed-{ordinal}", self.stores)
            self.builds[-1] = build
        environment = self.surroundings.environment
        return images, Source(plan=plan, dockerfile=self.dockerfile, build=build, environment=environment)

    def _run(self, plan: Plan, ordinal: int) -> Build:
        run = self.session.build if self.network is None else self.network.recorded(self.session.build)
        return run(plan, ordinal, self.watcher.building(ordinal, self.of))

    def _with_stages(self, plan: Plan) -> Plan:
        """Name the stages that an explanation may look into."""
        if not self.request.explain or self.request.expect is not None:
            return plan
        stages = copied_stages(plan, self.dockerfile, self.surroundings.environment)
        return replace(plan, copied_stages=stages)
