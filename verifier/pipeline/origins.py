"""Join builders, stores and the Dockerfile for one question: which line made a file."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from pathlib import Path

from verifier.assemble import Source, stage_instructions
from verifier.builders.protocol import BuilderSession
from verifier.dockerfile import Dockerfile
from verifier.dockerfile.copies import Copies
from verifier.model.difference import Comparison
from verifier.model.plan import Plan
from verifier.model.report import PlatformPair, ReportedImage
from verifier.oci.image import ImageSet
from verifier.origins import OpenedImage, Origins, StageOpener
from verifier.pipeline.images import load_images


def copied_stages(plan: Plan, dockerfile: Dockerfile, environment: Mapping[str, str]) -> tuple[int, ...]:
    """List the stages that files of the target may come from, by index."""
    return _copies(plan, dockerfile, environment).stages_behind(plan.options.target)


def find_origins(
    comparison: Comparison,
    sides: tuple[ImageSet, ImageSet],
    sources: tuple[Source | None, Source | None],
    platforms: tuple[PlatformPair, ...],
    session: BuilderSession,
    workspace: Path,
    stores: contextlib.ExitStack,
) -> Origins:
    """Give what answers for each difference; stages are opened in `workspace`, as they are asked for."""
    source = sources[1] or sources[0]
    if source is None or len(platforms) != 1:
        return Origins(comparison.all_differences, platforms)
    described = (platforms[0].first, platforms[0].second)
    first, second = (
        None if built is None else _target(images, image)
        for built, images, image in zip(sources, sides, described, strict=True)
    )
    openers = (_opener(sources[0], session, workspace, stores), _opener(sources[1], session, workspace, stores))
    copies = _copies(source.plan, source.dockerfile, source.environment)
    return Origins(comparison.all_differences, platforms, (first, second), openers, copies)


def _copies(plan: Plan, dockerfile: Dockerfile, environment: Mapping[str, str]) -> Copies:
    return Copies(dockerfile, plan.options.build_args, plan.options.platform, environment)


def _target(images: ImageSet, described: ReportedImage | None) -> OpenedImage | None:
    if described is None or len(images.images) != 1:
        return None
    return OpenedImage(image=images.images[0], instructions=tuple(layer.instruction for layer in described.layers))


def _opener(
    source: Source | None, session: BuilderSession, workspace: Path, stores: contextlib.ExitStack
) -> StageOpener | None:
    if source is None:
        return None

    def opened(index: int) -> OpenedImage | None:
        location = session.stage(source.build, index)
        if location is None:
            return None
        images = load_images(location, None, workspace / f"stage-{source.build.ordinal}-{index}", stores)
        image = images.images[0]
        return OpenedImage(image=image, instructions=stage_instructions(image, source, index))

    return opened
