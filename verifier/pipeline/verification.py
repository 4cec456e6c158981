"""The only module that knows every stage: one function a command, in the order of the README's picture.

Dockerfile + context → plan → two builds → two images → differences → verdict → report
"""

from __future__ import annotations

import contextlib
from dataclasses import replace
from pathlib import Path

from verifier import __version__
from verifier.assemble import (
    Source,
    describe_image,
    describe_inputs,
    describe_side,
    expected_side,
    pair_platforms,
    untested_layers,
)
from verifier.builders.choose import choose_builder, survey
from verifier.builders.protocol import BuilderSession
from verifier.compare import compare as compare_images
from verifier.dockerfile import Dockerfile, parse_dockerfile
from verifier.errors import BuildError, NoVerdictError, ResourceError
from verifier.judge import judge, judge_expected
from verifier.model.build import Build, BuilderStatus
from verifier.model.plan import BuildOptions, Plan
from verifier.model.report import Inputs, PlatformPair, Report, ReportedError
from verifier.model.request import CompareRequest, Surroundings, VerifyRequest, Watcher
from verifier.model.verdict import LEVELS, Required, Verdict
from verifier.oci.image import ImageSet
from verifier.oci.platform import Platform
from verifier.oci.reference import parse_image_name
from verifier.plan import choose_epoch, freeze, read_dockerfile, seconds_until_apart, unchanged
from verifier.redact import redact
from verifier.stores import open_store, write_layout
from verifier.workspace import open_workspace


def verify(request: VerifyRequest, surroundings: Surroundings, watcher: Watcher) -> Report:
    """Build a Dockerfile as often as asked from one frozen set of inputs, compare, and judge.

    Where no verdict is reached the report says why (`error`); bad usage raises UsageError.
    """
    run = _Verification(request, surroundings, watcher)
    try:
        with open_workspace() as workspace:
            report = run.report(workspace)
    except NoVerdictError as error:
        report = run.report_without_verdict(error)
    except (OSError, MemoryError) as error:
        report = run.report_without_verdict(ResourceError.from_system(error))
    return redact(report, request.build_args, everything=request.redact_build_args)


def compare(request: CompareRequest, watcher: Watcher) -> Report:
    """Compare two images that exist already. Raises as `verify` does."""
    try:
        with open_workspace() as workspace, contextlib.ExitStack() as stores:
            first = _load(request.first, request.platform, workspace / "first", stores)
            second = _load(request.second, request.platform, workspace / "second", stores)
            comparison = compare_images(
                first, second, workspace=workspace, verify_blobs=request.verify_blobs, progress=watcher.comparing
            )
            return Report(
                tool_version=__version__,
                verdict=judge(comparison, request.require),
                first=describe_side(first, None),
                second=describe_side(second, None),
                platforms=pair_platforms(first, second, comparison, (None, None)),
                index_equal=comparison.index_equal,
                differences=comparison.all_differences,
                notes=(*_absent_notes(first), *_absent_notes(second)),
            )
    except NoVerdictError as error:
        return _without_verdict(error, request.require, None, ())
    except (OSError, MemoryError) as error:
        return _without_verdict(ResourceError.from_system(error), request.require, None, ())


def doctor() -> tuple[BuilderStatus, ...]:
    """Ask every builder whether it answers here."""
    return survey()


class _Verification:
    """One run of `verify`: remembers how far it came, so that a run without a verdict can still say what it knows."""

    def __init__(self, request: VerifyRequest, surroundings: Surroundings, watcher: Watcher) -> None:
        self._request = request
        self._surroundings = surroundings
        self._watcher = watcher
        self._plan: Plan | None = None
        self._builds: list[Build] = []
        self._notes: list[str] = []

    def report(self, workspace: Path) -> Report:
        request = self._request
        parse_dockerfile(read_dockerfile(request.dockerfile), str(request.dockerfile))  # before anything else is asked
        builder, why = choose_builder(request.builder, need_reproducible=request.reproducible)
        self._note(why)
        self._plan = freeze(
            request.dockerfile,
            self._context,
            workspace,
            builder.identify().name,
            self._options(),
            environment=self._surroundings.environment,
        )
        self._notes += self._plan.warnings
        dockerfile = parse_dockerfile(self._plan.dockerfile.raw, self._plan.dockerfile.path)
        with contextlib.ExitStack() as stores:
            session = builder.open(workspace)
            try:
                with session:
                    session.refuse(self._plan)
                    self._plan = replace(self._plan, bases=session.hold(self._plan.references))
                    decide = self._against_digest if request.expect else self._against_images
                    report = decide(session, dockerfile, workspace, stores)
            finally:
                self._notes += [f"could not be removed: {name}" for name in session.leftovers()]
        return replace(report, inputs=self._inputs(), notes=self._all_notes())

    def report_without_verdict(self, error: NoVerdictError) -> Report:
        log = error.log if isinstance(error, BuildError) else ()
        self._notes += [f"build output: {line}" for line in log]
        return _without_verdict(error, self._request.require, self._inputs(), self._all_notes())

    @property
    def _context(self) -> Path:
        return self._request.context or self._request.dockerfile.parent

    def _options(self) -> BuildOptions:
        request = self._request
        epoch = None
        if request.reproducible or request.source_date_epoch is not None:
            epoch = choose_epoch(request.source_date_epoch, self._surroundings.environment, self._context)
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
        )

    def _against_images(
        self, session: BuilderSession, dockerfile: Dockerfile, workspace: Path, stores: contextlib.ExitStack
    ) -> Report:
        """Compare every further build with the first side, and report the pair that agrees least."""
        first, first_source = self._first_side(session, dockerfile, workspace, stores)
        reports = []
        for ordinal in self._further_ordinals():
            second, source = self._build(session, dockerfile, ordinal, workspace, stores)
            pair = (_for_platforms_of(second, first) if first_source is None else first), second
            reports.append(self._judged(*pair, (first_source, source), workspace))
            self._keep(*pair)
        report = max(reports, key=lambda each: LEVELS.index(each.verdict.level or "none"))
        self._ship(session, report.verdict)
        return report

    def _first_side(
        self, session: BuilderSession, dockerfile: Dockerfile, workspace: Path, stores: contextlib.ExitStack
    ) -> tuple[ImageSet, Source | None]:
        request = self._request
        if request.against is not None:
            existing = _load(request.against, request.platform, workspace / "against", stores)
            self._notes += _absent_notes(existing)
            return existing, None
        return self._build(session, dockerfile, 1, workspace, stores)

    def _further_ordinals(self) -> range:
        return range(1, 2) if self._request.against is not None else range(2, self._request.builds + 1)

    def _judged(
        self, first: ImageSet, second: ImageSet, sources: tuple[Source | None, Source | None], workspace: Path
    ) -> Report:
        comparison = compare_images(
            first, second, workspace=workspace, verify_blobs=True, progress=self._watcher.comparing
        )
        platforms = pair_platforms(first, second, comparison, sources)
        return Report(
            tool_version=__version__,
            verdict=judge(comparison, self._required(sources), untested_layers(platforms)),
            first=describe_side(first, None if sources[0] is None else sources[0].build),
            second=describe_side(second, None if sources[1] is None else sources[1].build),
            platforms=platforms,
            index_equal=comparison.index_equal,
            differences=comparison.all_differences,
        )

    def _required(self, sources: tuple[Source | None, Source | None]) -> Required | None:
        """Ask for no more than the builders can show, unless the user does."""
        shown = all(source is None or source.build.manifest_source is not None for source in sources)
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
        return Report(
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

    def _build(
        self,
        session: BuilderSession,
        dockerfile: Dockerfile,
        ordinal: int,
        workspace: Path,
        stores: contextlib.ExitStack,
    ) -> tuple[ImageSet, Source]:
        plan = self._plan
        assert plan is not None  # noqa: S101  # frozen before anything is built
        if self._builds:
            self._surroundings.sleep(seconds_until_apart(self._builds[-1].started, self._surroundings.now()))
        of = self._further_ordinals()[-1] if self._request.expect is None else 1
        try:
            build = session.build(plan, ordinal, self._watcher.building(ordinal, of))
        except BuildError as error:
            error.message = error.message.replace(f"build {ordinal} ", f"build {ordinal} of {of} ", 1)
            raise
        self._builds.append(build)
        self._notes += build.warnings
        images = _load(build.location, None, workspace / f"image-{ordinal}", stores)
        environment = self._surroundings.environment
        return images, Source(plan=plan, dockerfile=dockerfile, build=build, environment=environment)

    def _keep(self, first: ImageSet, second: ImageSet) -> None:
        if self._request.keep is not None:
            write_layout(first, self._request.keep / "first")
            write_layout(second, self._request.keep / "second")

    def _ship(self, session: BuilderSession, verdict: Verdict) -> None:
        """Load what was verified, and nothing that was not."""
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
        return describe_inputs(self._plan, builds_run=len(self._builds), unchanged=same)

    def _note(self, sentence: str) -> None:
        self._notes.append(sentence)
        self._watcher.say(sentence)

    def _all_notes(self) -> tuple[str, ...]:
        limits = self._builds[0].builder.limits if self._builds else ()
        return tuple(dict.fromkeys((*self._notes, *limits)))


def _load(name: str, platform: Platform | None, workspace: Path, stores: contextlib.ExitStack) -> ImageSet:
    workspace.mkdir(exist_ok=True)
    store = open_store(parse_image_name(name), workspace)
    stores.callback(store.close)
    return store.load(platform)


def _absent_notes(images: ImageSet) -> tuple[str, ...]:
    """Tell which platforms of an index were not there to be compared."""
    absent = (str(descriptor.platform or descriptor.digest) for descriptor in images.absent)
    named = ", ".join(sorted(absent))
    return (f"{images.reference}: its index names {named}, which the store does not hold",) if named else ()


def _for_platforms_of(built: ImageSet, existing: ImageSet) -> ImageSet:
    """Leave out of an image that existed the platforms that were not built: nothing can be said of them."""
    return replace(existing, images=tuple(existing.image_for(image.platform) for image in built.images))


def _without_verdict(
    error: NoVerdictError, required: Required | None, inputs: Inputs | None, notes: tuple[str, ...]
) -> Report:
    return Report(
        tool_version=__version__,
        verdict=Verdict(outcome="no-verdict", level=None, required=required or "manifest"),
        error=ReportedError(code=error.code, message=error.message, hint=error.hint),
        inputs=inputs,
        notes=notes,
    )
