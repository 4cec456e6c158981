"""One pair of images, compared, explained and judged; and one image held against a digest alone."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from pathlib import Path

from verifier import __version__
from verifier.assemble import (
    Source,
    describe_image,
    describe_side,
    expected_side,
    pair_platforms,
    untested_layers,
)
from verifier.builders.protocol import BuilderSession
from verifier.compare import compare as compare_images
from verifier.compare.kept import KeptContents
from verifier.explain.observed import join_risks
from verifier.judge import judge, judge_expected
from verifier.model.difference import Comparison
from verifier.model.finding import Explanation, Risk
from verifier.model.report import PlatformPair, Report
from verifier.model.request import VerifyRequest, Watcher
from verifier.model.verdict import Required
from verifier.oci.digest import Digest
from verifier.oci.image import ImageSet
from verifier.pipeline.images import explain_comparison
from verifier.pipeline.latent import find_latent
from verifier.pipeline.locked import refute_locked
from verifier.pipeline.origins import find_origins
from verifier.plan.context_facts import frozen_context_facts
from verifier.risks import find_risks

Images = tuple[ImageSet, ImageSet]
Sources = tuple[Source | None, Source | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """What judging works with; `stores` is closed when the report is made."""

    request: VerifyRequest
    session: BuilderSession
    workspace: Path
    stores: contextlib.ExitStack
    watcher: Watcher


def judge_pair(bench: Bench, images: Images, sources: Sources) -> Report:
    """Compare, explain and judge two images. Raises NoVerdictError where nothing can be decided."""
    request = bench.request
    kept = bench.stores.enter_context(KeptContents(bench.workspace)) if request.explain else None
    comparison = compare_images(
        *images, workspace=bench.workspace, verify_blobs=True, progress=bench.watcher.comparing, kept=kept
    )
    platforms = pair_platforms(*images, comparison, sources)
    explanation: Explanation | None = None
    notes: tuple[str, ...] = ()
    if kept is not None:
        explanation, notes = _explain(bench, comparison, images, sources, platforms, kept)
    first, second = (
        describe_side(each, None if source is None else source.build)
        for each, source in zip(images, sources, strict=True)
    )
    return Report(
        tool_version=__version__,
        verdict=judge(comparison, _required(request, sources), untested_layers(platforms)),
        first=first,
        second=second,
        platforms=platforms,
        index_equal=comparison.index_equal,
        differences=comparison.all_differences,
        explanation=explanation,
        risks=_risks(request, images[1], sources[1], platforms, comparison, explanation),
        notes=notes,
    )


def judge_against_digest(expected: Digest, images: ImageSet, source: Source, required: Required | None) -> Report:
    """Look for the expected digest among an image's own."""
    verdict, differences = judge_expected(expected, images, required)
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


def _explain(
    bench: Bench,
    comparison: Comparison,
    images: Images,
    sources: Sources,
    platforms: tuple[PlatformPair, ...],
    kept: KeptContents,
) -> tuple[Explanation | None, tuple[str, ...]]:
    origins = find_origins(comparison, images, sources, platforms, bench.session, bench.workspace, bench.stores)
    explanation = explain_comparison(
        comparison,
        images,
        sources,
        platforms,
        origins,
        kept=kept,
        prove_diff_ids=bench.request.prove_diff_ids,
    )
    return explanation, tuple(origins.notes)


def _risks(
    request: VerifyRequest,
    built: ImageSet,
    source: Source | None,
    platforms: tuple[PlatformPair, ...],
    comparison: Comparison,
    explanation: Explanation | None,
) -> tuple[Risk, ...]:
    """Judge the frozen Dockerfile and context by their text, joined with what was found; then what is latent."""
    if source is None or not request.explain:
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
    findings = () if explanation is None else explanation.findings
    known = join_risks(refute_locked(risks, source.plan.references, request.lock), findings)
    return known + find_latent(built, source, platforms, comparison.all_differences)


def _required(request: VerifyRequest, sources: Sources) -> Required | None:
    """Ask for no more than the builders can show, unless the user does."""
    builds = [source.build for source in sources if source is not None]
    shown = all(
        build.manifest_source == "registry" or (build.manifest_source is not None and build.builder.shows_manifest)
        for build in builds
    )
    return request.require or (None if shown else "config")
