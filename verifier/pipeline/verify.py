"""The main job, step by step: freeze, hold the bases, build, compare, explain, judge, ship."""

from __future__ import annotations

import contextlib
import os
from dataclasses import replace
from pathlib import Path

from verifier.assemble import (
    absent_notes,
    describe_inputs,
    for_platforms_of,
    report_error,
)
from verifier.builders.choose import choose_builder
from verifier.builders.protocol import BuilderSession
from verifier.dockerfile import Dockerfile, parse_dockerfile
from verifier.dockerfile.arguments import BuildArgs
from verifier.errors import BuildError, NoVerdictError, ResourceError
from verifier.model.build import Build, BuilderName
from verifier.model.plan import BuildOptions, Plan
from verifier.model.report import Inputs, Report
from verifier.model.request import Surroundings, VerifyRequest, Watcher
from verifier.model.variation import Factor, LeftOut
from verifier.model.verdict import LEVELS, Verdict
from verifier.oci.image import ImageSet
from verifier.pipeline.building import Building
from verifier.pipeline.confirm import confirm
from verifier.pipeline.further import FurtherBuilds
from verifier.pipeline.images import load_images
from verifier.pipeline.judging import Bench, Images, judge_against_digest, judge_pair
from verifier.pipeline.ledger import remember
from verifier.pipeline.locked import hold_to_lock, read_lock_file, told_of_lock
from verifier.pipeline.network import record_network
from verifier.pipeline.published import Taken, hinted, hold_bases, take
from verifier.pipeline.pushing import Pushes
from verifier.pipeline.variation import choose_factors
from verifier.plan import choose_epoch, freeze, read_dockerfile, unchanged
from verifier.plan.variation import vary_plan
from verifier.redact import redact
from verifier.stores import write_layout
from verifier.tolerate import tolerate
from verifier.workspace import open_workspace


def verify(request: VerifyRequest, surroundings: Surroundings, watcher: Watcher) -> Report:
    """Build a Dockerfile as often as asked from one frozen set of inputs, compare, and judge.

    Where no verdict is reached the report says why (`error`); bad usage raises UsageError.
    """
    run = _Verification(request, surroundings, watcher)
    try:
        with open_workspace() as workspace, contextlib.ExitStack() as stores:
            report = run.report(workspace, stores)
    except NoVerdictError as error:
        report = run.without_verdict(error)
    except (OSError, MemoryError) as error:
        report = run.without_verdict(ResourceError.from_system(error))
    return redact(report, run.build_args, everything=request.redact_build_args)


class _Verification:
    """One run of `verify`: remembers how far it came, so that a run without a verdict can still say what it knows."""

    def __init__(self, request: VerifyRequest, surroundings: Surroundings, watcher: Watcher) -> None:
        self._request = request
        self._surroundings = surroundings
        self._watcher = watcher
        self._plan: Plan | None = None
        self._factors: tuple[Factor, ...] = ()
        self._left_out: tuple[LeftOut, ...] = ()
        self._builds: list[Build] = []
        self._notes: list[str] = []
        self._pushes = None if request.push is None else Pushes(request.push, self._note)
        self._existing: ImageSet | None = None
        self._taken = Taken(request=request)

    @property
    def build_args(self) -> BuildArgs:
        """The build arguments, those included that were taken from a published image."""
        return self._request.build_args

    def report(self, workspace: Path, stores: contextlib.ExitStack) -> Report:
        """Run all steps; `stores` is closed when the report is made. Raises UsageError, NoVerdictError."""
        request = self._request
        # before anything else is asked
        dockerfile = parse_dockerfile(read_dockerfile(request.dockerfile), str(request.dockerfile))
        lock = None if request.lock is None else read_lock_file(request.lock)
        builder, why = choose_builder(request.builder, need_reproducible=request.reproducible or request.confirm)
        self._note(why)
        identity = builder.identify()
        if request.against is not None:
            request = self._take_from_published(request.against, dockerfile, identity.name, workspace, stores)
        self._plan = freeze(
            request.dockerfile,
            self._context,
            workspace,
            identity.name,
            self._options(),
            environment=self._surroundings.environment,
        )
        self._notes += self._plan.warnings
        cpus = len(os.sched_getaffinity(0))
        self._factors, self._left_out = choose_factors(request.vary, identity, self._plan, cpus)
        dockerfile = parse_dockerfile(self._plan.dockerfile.raw, self._plan.dockerfile.path)
        if lock is not None and request.lock is not None:
            self._plan = hold_to_lock(self._plan, lock, request.lock)
            self._notes += told_of_lock(self._plan.references, request.lock)
        session = builder.open(workspace)
        try:
            with session:
                building = self._begin(session, dockerfile, workspace, stores)
                hints = hinted(self._plan.references, self._taken.bases, dockerfile)
                bases = hold_bases(session, self._plan.references, hints, self._note)
                self._plan = replace(self._plan, bases=bases)
                report = self._against_digest(building) if request.expect else self._against_images(building)
        finally:
            self._notes += [f"could not be removed: {name}" for name in session.leftovers()]
        if request.remember:
            self._notes += remember(report, self._plan, request.ledger, self._surroundings)
        self._notes += report.notes
        return replace(report, inputs=self._inputs(), notes=self._all_notes())

    def _begin(
        self, session: BuilderSession, dockerfile: Dockerfile, workspace: Path, stores: contextlib.ExitStack
    ) -> Building:
        """Make sure, before anything is built, that it can be built, recorded and pushed."""
        session.refuse(self._frozen)
        if self._pushes is not None:
            self._pushes.check()
        network = None
        if self._request.record_network:
            environment = self._surroundings.environment
            network = record_network(self._frozen, dockerfile, environment, self._surroundings.now)
            self._notes += stores.enter_context(network).notes
        return Building(
            request=self._request,
            surroundings=self._surroundings,
            watcher=self._watcher,
            session=session,
            dockerfile=dockerfile,
            workspace=workspace,
            stores=stores,
            of=self._further_ordinals()[-1] if self._request.expect is None else 1,
            builds=self._builds,
            note=self._notes.append,
            network=network,
            pushes=self._pushes,
        )

    def without_verdict(self, error: NoVerdictError) -> Report:
        """Report what is known of a run that ended early."""
        log = error.log if isinstance(error, BuildError) else ()
        self._notes += [f"build output: {line}" for line in log]
        return report_error(error, self._request.require, self._inputs(), self._all_notes())

    def _take_from_published(
        self, name: str, dockerfile: Dockerfile, builder: BuilderName, workspace: Path, stores: contextlib.ExitStack
    ) -> VerifyRequest:
        """Read the first side before anything is frozen: it tells how to build alike."""
        self._existing = load_images(name, self._request.platform, workspace / "against", stores)
        self._notes += absent_notes(self._existing)
        self._taken = take(self._existing, self._request, dockerfile, builder, self._surroundings.environment)
        for note in self._taken.notes:
            self._note(note)
        self._request = self._taken.request
        return self._request

    @property
    def _frozen(self) -> Plan:
        assert self._plan is not None  # noqa: S101  # frozen before anything is built
        return self._plan

    @property
    def _context(self) -> Path:
        return self._request.context or self._request.dockerfile.parent

    def _epoch(self) -> int:
        return choose_epoch(self._request.source_date_epoch, self._surroundings.environment, self._context)

    def _options(self) -> BuildOptions:
        request = self._request
        epoch = self._epoch() if request.reproducible or request.source_date_epoch is not None else None
        return BuildOptions(
            target=request.target,
            build_args=request.build_args,
            platform=request.platform,
            network=request.network,
            secrets=request.secrets,
            ssh=request.ssh,
            timeout=request.timeout,
            reproducible=request.reproducible,
            epoch=epoch,
            labels=self._taken.labels,
        )

    def _against_images(self, building: Building) -> Report:
        """Compare every further build with the first side, and report the pair that agrees least."""
        request, today = self._request, self._surroundings.now().date()
        plan = self._frozen
        first, first_source = (self._existing, None) if self._existing else building.build(plan, 1)
        bench = Bench(
            request=request,
            session=building.session,
            workspace=building.workspace,
            stores=building.stores,
            watcher=self._watcher,
        )
        judged: list[tuple[Report, Images]] = []
        varied = vary_plan(plan, self._factors, building.workspace / "varied")
        for ordinal in self._further_ordinals():
            second, source = building.build(varied, ordinal)
            images = (for_platforms_of(second, first) if first_source is None else first, second)
            report = tolerate(judge_pair(bench, images, (first_source, source)), request.tolerances, today)
            judged.append((report, images))
        report, images = max(judged, key=lambda each: LEVELS.index(each[0].verdict.level or "none"))
        self._keep(*images)
        self._ship(building.session, report.verdict)
        return self._with_further_builds(report, building, images[0])

    def _against_digest(self, building: Building) -> Report:
        """Build once and look for the expected digest among the image's own."""
        expected = self._request.expect
        assert expected is not None  # noqa: S101  # the caller chose this way by it
        images, source = building.build(self._frozen, 1)
        report = judge_against_digest(expected, images, source, self._request.require)
        self._ship(building.session, report.verdict)
        if self._request.keep is not None:
            write_layout(images, self._request.keep / "second")
        return self._with_further_builds(report, building, None)

    def _with_further_builds(self, report: Report, building: Building, first: ImageSet | None) -> Report:
        """Add what was recorded, and what builds outside the verdict tell."""
        if building.network is not None:
            report = replace(report, downloads=building.network.downloads(report.first, report.second))
        further = FurtherBuilds(
            building.session,
            self._frozen,
            building.workspace,
            self._surroundings,
            self._watcher,
            after=self._builds[-1],
        )
        if self._request.vary and first is not None:
            report = further.add_variation(report, self._factors, self._left_out, first)
        if self._request.confirm:
            report, told = confirm(report, lambda: further.differences_remedied(self._epoch()))
            self._note(told)
        return further.add_offline(report) if self._request.probe_offline else report

    def _further_ordinals(self) -> range:
        return range(1, 2) if self._request.against is not None else range(2, self._request.builds + 1)

    def _keep(self, first: ImageSet, second: ImageSet) -> None:
        if self._request.keep is not None:
            write_layout(first, self._request.keep / "first")
            write_layout(second, self._request.keep / "second")

    def _ship(self, session: BuilderSession, verdict: Verdict) -> None:
        """Load and name what was verified, and nothing that was not."""
        if self._pushes is not None:
            self._pushes.give_name(verified=verdict.exit_code == 0)
        if not (self._request.load or self._request.tags):
            return
        if verdict.exit_code == 0:
            session.load(self._builds[0], self._request.tags)
        else:
            self._note("not loaded: the required level does not hold")

    def _inputs(self) -> Inputs | None:
        if self._plan is None:
            return None
        same = unchanged(self._plan, self._request.dockerfile, self._context)
        if not same:
            self._note("Dockerfile or context changed while the builds ran; they used the frozen copy")
        described = describe_inputs(self._plan, builds_run=len(self._builds), unchanged=same)
        return replace(described, varied=self._factors)

    def _note(self, sentence: str) -> None:
        self._notes.append(sentence)
        self._watcher.say(sentence)

    def _all_notes(self) -> tuple[str, ...]:
        """Give every note once; what the builder cannot do belongs here where it lowers what can be shown."""
        builder = self._builds[0].builder if self._builds else None
        lowers = builder is not None and not builder.shows_manifest and self._pushes is None
        limits = builder.limits if builder is not None and lowers else ()
        return tuple(dict.fromkeys((*self._notes, *limits)))
