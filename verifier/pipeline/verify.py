"""The main job, step by step: freeze, hold the bases, build, compare, explain, judge, ship."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from verifier import __version__
from verifier.assemble import (
    Source,
    absent_notes,
    describe_image,
    describe_inputs,
    describe_side,
    expected_side,
    for_platforms_of,
    pair_platforms,
    report_error,
    untested_layers,
)
from verifier.builders.choose import choose_builder
from verifier.builders.protocol import BuilderSession
from verifier.compare import compare as compare_images
from verifier.compare.kept import KeptContents
from verifier.dockerfile import Dockerfile, parse_dockerfile
from verifier.dockerfile.arguments import BuildArgs
from verifier.errors import BuildError, NoVerdictError, ResourceError
from verifier.explain.observed import join_risks
from verifier.judge import judge, judge_expected
from verifier.model.build import Build, BuilderName
from verifier.model.finding import Finding, Risk
from verifier.model.plan import BuildOptions, Plan
from verifier.model.report import Inputs, PlatformPair, Report
from verifier.model.request import Surroundings, VerifyRequest, Watcher
from verifier.model.variation import Factor, LeftOut
from verifier.model.verdict import LEVELS, Required, Verdict
from verifier.oci.image import ImageSet
from verifier.pipeline.confirm import confirm
from verifier.pipeline.further import FurtherBuilds
from verifier.pipeline.images import explain_comparison, load_images
from verifier.pipeline.latent import find_latent
from verifier.pipeline.ledger import remember
from verifier.pipeline.locked import hold_to_lock, read_lock_file, refute_locked, told_of_lock
from verifier.pipeline.network import NetworkRecord, record_network
from verifier.pipeline.origins import copied_stages, find_origins
from verifier.pipeline.published import Taken, hinted, hold_bases, take
from verifier.pipeline.pushing import Pushes
from verifier.pipeline.variation import choose_factors
from verifier.plan import choose_epoch, freeze, read_dockerfile, seconds_until_apart, unchanged
from verifier.plan.context_facts import frozen_context_facts
from verifier.plan.variation import vary_plan
from verifier.redact import redact
from verifier.risks import find_risks
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
        self._network: NetworkRecord | None = None
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
                session.refuse(self._plan)
                if self._pushes is not None:
                    self._pushes.check()
                if request.record_network:
                    self._network = record_network(
                        self._plan, dockerfile, self._surroundings.environment, self._surroundings.now
                    )
                    self._notes += stores.enter_context(self._network).notes
                hints = hinted(self._plan.references, self._taken.bases, dockerfile)
                bases = hold_bases(session, self._plan.references, hints, self._note)
                self._plan = replace(self._plan, bases=bases)
                decide = self._against_digest if request.expect else self._against_images
                report = decide(session, dockerfile, workspace, stores)
        finally:
            self._notes += [f"could not be removed: {name}" for name in session.leftovers()]
        if request.remember:
            self._notes += remember(report, self._plan, request.ledger, self._surroundings)
        return replace(report, inputs=self._inputs(), notes=self._all_notes())

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

    def _against_images(
        self, session: BuilderSession, dockerfile: Dockerfile, workspace: Path, stores: contextlib.ExitStack
    ) -> Report:
        """Compare every further build with the first side, and report the pair that agrees least."""
        request, today = self._request, self._surroundings.now().date()
        first, first_source = self._first_side(session, dockerfile, workspace, stores)
        judged: list[tuple[Report, ImageSet, ImageSet]] = []
        assert self._plan is not None  # noqa: S101  # frozen before anything is built
        varied = vary_plan(self._plan, self._factors, workspace / "varied")
        for ordinal in self._further_ordinals():
            second, source = self._build(session, dockerfile, ordinal, workspace, stores, varied)
            side = for_platforms_of(second, first) if first_source is None else first
            sources = (first_source, source)
            report = self._judged(side, second, sources, session, workspace, stores)
            judged.append((tolerate(report, request.tolerances, today), side, second))
        report, kept_first, kept_second = max(judged, key=lambda each: LEVELS.index(each[0].verdict.level or "none"))
        self._keep(kept_first, kept_second)
        self._ship(session, report.verdict)
        return self._with_further_builds(report, session, kept_first, workspace)

    def _with_further_builds(
        self, report: Report, session: BuilderSession, first: ImageSet | None, workspace: Path
    ) -> Report:
        """Add what was recorded, and what builds outside the verdict tell."""
        assert self._plan is not None  # noqa: S101  # frozen before anything is built
        if self._network is not None:
            report = replace(report, downloads=self._network.downloads(report.first, report.second))
        further = FurtherBuilds(
            session, self._plan, workspace, self._surroundings, self._watcher, after=self._builds[-1]
        )
        if self._request.vary and first is not None:
            report = further.add_variation(report, self._factors, self._left_out, first)
        if self._request.confirm:
            report, told = confirm(report, lambda: further.differences_remedied(self._epoch()))
            self._note(told)
        return further.add_offline(report) if self._request.probe_offline else report

    def _first_side(
        self, session: BuilderSession, dockerfile: Dockerfile, workspace: Path, stores: contextlib.ExitStack
    ) -> tuple[ImageSet, Source | None]:
        if self._existing is not None:
            return self._existing, None
        return self._build(session, dockerfile, 1, workspace, stores)

    def _further_ordinals(self) -> range:
        return range(1, 2) if self._request.against is not None else range(2, self._request.builds + 1)

    def _judged(
        self,
        first: ImageSet,
        second: ImageSet,
        sources: tuple[Source | None, Source | None],
        session: BuilderSession,
        workspace: Path,
        stores: contextlib.ExitStack,
    ) -> Report:
        kept = stores.enter_context(KeptContents(workspace)) if self._request.explain else None
        comparison = compare_images(
            first, second, workspace=workspace, verify_blobs=True, progress=self._watcher.comparing, kept=kept
        )
        platforms = pair_platforms(first, second, comparison, sources)
        explanation = None
        if self._request.explain:
            origins = find_origins(comparison, (first, second), sources, platforms, session, workspace, stores)
            explanation = explain_comparison(
                comparison,
                (first, second),
                sources,
                platforms,
                origins,
                kept=kept,
                prove_diff_ids=self._request.prove_diff_ids,
            )
            self._notes += origins.notes
        return Report(
            tool_version=__version__,
            verdict=judge(comparison, self._required(sources), untested_layers(platforms)),
            first=describe_side(first, None if sources[0] is None else sources[0].build),
            second=describe_side(second, None if sources[1] is None else sources[1].build),
            platforms=platforms,
            index_equal=comparison.index_equal,
            differences=comparison.all_differences,
            explanation=explanation,
            risks=self._risks(sources[1], () if explanation is None else explanation.findings)
            + (find_latent(second, sources[1], platforms, comparison.all_differences) if self._request.explain else ()),
        )

    def _risks(self, source: Source | None, findings: Sequence[Finding]) -> tuple[Risk, ...]:
        """Judge the frozen Dockerfile and context by their text, joined with what was found."""
        if source is None or not self._request.explain:
            return ()
        options = source.plan.options
        risks = find_risks(
            source.dockerfile,
            frozen_context_facts(source.plan.context),
            target=options.target,
            build_args=options.build_args,
            platform=options.platform,
            environment=source.environment,
        )
        return join_risks(refute_locked(risks, source.plan.references, self._request.lock), findings)

    def _required(self, sources: tuple[Source | None, Source | None]) -> Required | None:
        """Ask for no more than the builders can show, unless the user does."""
        builds = [source.build for source in sources if source is not None]
        shown = all(
            build.manifest_source == "registry" or (build.manifest_source is not None and build.builder.shows_manifest)
            for build in builds
        )
        return self._request.require or (None if shown else "config")

    def _against_digest(
        self, session: BuilderSession, dockerfile: Dockerfile, workspace: Path, stores: contextlib.ExitStack
    ) -> Report:
        """Build once and look for the expected digest among the image's own."""
        expected = self._request.expect
        assert expected is not None  # noqa: S101  # the caller chose this way by it
        images, source = self._build(session, dockerfile, 1, workspace, stores)
        verdict, differences = judge_expected(expected, images, self._request.require)
        self._ship(session, verdict)
        if self._request.keep is not None:
            write_layout(images, self._request.keep / "second")
        report = Report(
            tool_version=__version__,
            verdict=verdict,
            first=expected_side(expected),
            second=describe_side(images, source.build),
            platforms=tuple(
                PlatformPair(
                    platform=str(image.platform),
                    first=None,
                    second=describe_image(image, source, None, verified=False),
                    layers=(),
                )
                for image in images.images
            ),
            differences=differences,
        )
        return self._with_further_builds(report, session, None, workspace)

    def _build(
        self,
        session: BuilderSession,
        dockerfile: Dockerfile,
        ordinal: int,
        workspace: Path,
        stores: contextlib.ExitStack,
        plan: Plan | None = None,
    ) -> tuple[ImageSet, Source]:
        plan = plan or self._plan
        assert plan is not None  # noqa: S101  # frozen before anything is built
        if self._builds:
            self._surroundings.sleep(seconds_until_apart(self._builds[-1].started, self._surroundings.now()))
        of = self._further_ordinals()[-1] if self._request.expect is None else 1
        try:
            build = self._run(session, self._with_stages(plan, dockerfile), ordinal, of)
        except BuildError as error:
            error.message = error.message.replace(f"build {ordinal} ", f"build {ordinal} of {of} ", 1)
            raise
        self._builds.append(build)
        self._notes += build.warnings
        images = load_images(build.location, None, workspace / f"image-{ordinal}", stores)
        if self._pushes is not None:
            build, images = self._pushes.push(build, images, workspace / f"pushed-{ordinal}", stores)
            self._builds[-1] = build
        environment = self._surroundings.environment
        return images, Source(plan=plan, dockerfile=dockerfile, build=build, environment=environment)

    def _run(self, session: BuilderSession, plan: Plan, ordinal: int, of: int) -> Build:
        run = session.build if self._network is None else self._network.recorded(session.build)
        return run(plan, ordinal, self._watcher.building(ordinal, of))

    def _with_stages(self, plan: Plan, dockerfile: Dockerfile) -> Plan:
        """Name the stages that an explanation may look into."""
        if not self._request.explain or self._request.expect is not None:
            return plan
        stages = copied_stages(plan, dockerfile, self._surroundings.environment)
        return replace(plan, copied_stages=stages)

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
