"""Builds outside the verdict: made from the same frozen inputs, looked at, and thrown away."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final

from verifier.assemble import for_platforms_of
from verifier.builders.protocol import BuilderSession
from verifier.compare import compare as compare_images
from verifier.errors import BuildError, NoVerdictError
from verifier.model.build import Build
from verifier.model.network import OfflineProbe
from verifier.model.plan import Plan
from verifier.model.report import Report
from verifier.model.request import Surroundings, Watcher
from verifier.model.variation import Factor, LeftOut
from verifier.oci.image import ImageSet
from verifier.oci.reference import parse_image_name
from verifier.pipeline.images import load_images
from verifier.pipeline.variation import Key, find_what_matters, key_of
from verifier.plan import seconds_until_apart
from verifier.plan.remedied import remedy_plan
from verifier.plan.variation import vary_plan

_NO_CONTAINER: Final = "no container could be made"
"""How Buildah's and Podman's hint begins where it is not the instruction that failed."""


class FurtherBuilds:
    """Builds of one plan that come after `after`, the last one of the verdict."""

    def __init__(
        self,
        session: BuilderSession,
        plan: Plan,
        workspace: Path,
        surroundings: Surroundings,
        watcher: Watcher,
        *,
        after: Build,
    ) -> None:
        self._session = session
        self._plan = plan
        self._workspace = workspace
        self._surroundings = surroundings
        self._watcher = watcher
        self._ordinal = after.ordinal + 1
        self._started, self._finished = after.started, after.finished

    def add_variation(
        self, report: Report, factors: tuple[Factor, ...], left_out: tuple[LeftOut, ...], first: ImageSet
    ) -> Report:
        """Find out which of `factors`, varied in the second build, matters. Raises ResourceError."""
        variation = find_what_matters(
            report.differences, factors, left_out, lambda some: self.differences_with(some, first)
        )
        return replace(report, variation=variation)

    def add_offline(self, report: Report) -> Report:
        """Find out whether a build needs a network."""
        return replace(report, offline=self.probe_offline())

    def differences_with(self, factors: tuple[Factor, ...], first: ImageSet) -> frozenset[Key]:
        """Build with these factors varied, and compare with the first side. Raises NoVerdictError."""
        with self._image(lambda folder: vary_plan(self._plan, factors, folder)) as second:
            return self._keys(for_platforms_of(second, first), second)

    def differences_remedied(self, epoch: int) -> frozenset[Key]:
        """Build twice with the remedies that need no thought, and compare the two. Raises NoVerdictError."""

        def remedied(folder: Path) -> Plan:
            return remedy_plan(self._plan, epoch, folder)

        with self._image(remedied) as first, self._image(remedied) as second:
            return self._keys(first, second)

    def probe_offline(self) -> OfflineProbe:
        """Build without a network; what keeps the builder from even trying is the reason, and no instruction."""
        plan = replace(self._plan, options=replace(self._plan.options, network="none"))
        try:
            build = self._build(plan)
        except NoVerdictError as error:
            by_line = {instruction.line: instruction for instruction in plan.instructions}
            line = error.line if isinstance(error, BuildError) else None
            if (error.hint or "").startswith(_NO_CONTAINER):
                line = None
            return OfflineProbe(
                succeeded=False,
                instruction=None if line is None else by_line.get(line),
                reason=error.message if error.hint is None else f"{error.message} ({error.hint})",
            )
        _remove(parse_image_name(build.location).path)
        return OfflineProbe(succeeded=True)

    @contextlib.contextmanager
    def _image(self, make_plan: Callable[[Path], Plan]) -> Iterator[ImageSet]:
        """Build a plan that `make_plan` writes into a folder; the image is gone at the end."""
        folder = self._workspace / f"further-{self._ordinal}"
        images = self._workspace / f"image-{self._ordinal}"
        location: str | None = None
        try:
            with contextlib.ExitStack() as stores:
                location = self._build(make_plan(folder)).location
                yield load_images(location, None, images, stores)
        finally:
            for path in (folder, images, None if location is None else parse_image_name(location).path):
                _remove(path)

    def _keys(self, first: ImageSet, second: ImageSet) -> frozenset[Key]:
        comparison = compare_images(
            first, second, workspace=self._workspace, verify_blobs=False, progress=self._watcher.comparing
        )
        return frozenset(map(key_of, comparison.all_differences))

    def _build(self, plan: Plan) -> Build:
        now = self._surroundings.now
        self._surroundings.sleep(seconds_until_apart(self._started, self._finished, now()))
        ordinal = self._ordinal
        self._ordinal += 1
        self._started = now()
        try:
            return self._session.build(plan, ordinal, self._watcher.building(ordinal, ordinal))
        finally:
            self._finished = now()


def _remove(path: Path | None) -> None:
    """Remove what a build left in our workspace; what resists goes with the workspace."""
    if path is not None and path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    elif path is not None:
        path.unlink(missing_ok=True)
