"""Assemble what the stages found into the nouns of the report: sides, layers with their lines, platforms."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from verifier import __version__
from verifier.errors import NoVerdictError
from verifier.model.build import Build
from verifier.model.difference import Comparison, ImageComparison, LayerPair, SideDigests
from verifier.model.instruction import Instruction
from verifier.model.plan import Plan
from verifier.model.report import (
    Inputs,
    Origin,
    PlatformPair,
    Report,
    ReportedError,
    ReportedImage,
    ReportedLayer,
    Side,
)
from verifier.model.verdict import Required, Verdict
from verifier.oci.digest import Digest
from verifier.oci.image import Image, ImageSet

if TYPE_CHECKING:
    from verifier.causes.cause import SideContext
    from verifier.dockerfile import Dockerfile


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """What one side's images were built from; absent for an image that existed before."""

    plan: Plan
    dockerfile: Dockerfile
    build: Build
    environment: Mapping[str, str]


def describe_inputs(plan: Plan, *, builds_run: int, unchanged: bool) -> Inputs:
    """Describe the frozen inputs; build arguments by name alone."""
    options = plan.options
    return Inputs(
        dockerfile_path=plan.dockerfile.path,
        dockerfile_digest=plan.dockerfile.digest,
        dockerfile_text=plan.dockerfile.text,
        syntax=plan.dockerfile.syntax,
        context_digest=plan.context.digest,
        archive_digest=plan.context.archive_digest,
        context_files=plan.context.files,
        context_bytes=plan.context.bytes,
        build_args=tuple(sorted(name for name, _ in options.build_args)),
        platform=None if options.platform is None else str(options.platform),
        target=options.target,
        epoch=options.epoch,
        varied=(),
        builds_run=builds_run,
        bases=plan.bases,
        unchanged=unchanged,
    )


def describe_side(images: ImageSet, build: Build | None) -> Side:
    """Describe one side: which builder made it and when, or only what it is called."""
    index = None if images.index is None else images.index.digest
    if build is None:
        return Side(
            builder=None,
            options=(),
            reference=images.reference,
            started=None,
            finished=None,
            index_digest=index,
            manifest_source=None,
        )
    return Side(
        builder=build.builder,
        options=build.options,
        reference=f"build {build.ordinal}",
        started=build.started,
        finished=build.finished,
        index_digest=index,
        manifest_source=build.manifest_source,
    )


def expected_side(expected: Digest) -> Side:
    """Describe a first side of which only the digest is known."""
    return Side(
        builder=None,
        options=(),
        reference=expected,
        started=None,
        finished=None,
        index_digest=None,
        manifest_source=None,
        expected=expected,
    )


def pair_platforms(
    first: ImageSet, second: ImageSet, comparison: Comparison, sources: tuple[Source | None, Source | None]
) -> tuple[PlatformPair, ...]:
    """Join both sides by platform, in the comparison's order, then the platforms that one side lacks."""
    compared = {item.platform: item for item in comparison.images}
    platforms = list(compared)
    platforms += sorted({image.platform for side in (first, second) for image in side.images} - set(platforms))
    pairs = []
    for platform in platforms:
        one = next((image for image in first.images if image.platform == platform), None)
        two = next((image for image in second.images if image.platform == platform), None)
        found = compared.get(platform)
        pairs.append(
            PlatformPair(
                platform=str(platform),
                first=None if one is None else describe_image(one, sources[0], *_seen(found, "first")),
                second=None if two is None else describe_image(two, sources[1], *_seen(found, "second")),
                layers=found.layers if found is not None else _unpaired(one, two),
            )
        )
    return tuple(pairs)


def _seen(found: ImageComparison | None, side: str) -> tuple[SideDigests | None, bool]:
    if found is None:
        return None, False
    return (found.first, found.verified_first) if side == "first" else (found.second, found.verified_second)


def _unpaired(first: Image | None, second: Image | None) -> tuple[LayerPair, ...]:
    ones = (LayerPair(first=number, second=None) for number in range(len(first.layers) if first else 0))
    twos = (LayerPair(first=None, second=number) for number in range(len(second.layers) if second else 0))
    return (*ones, *twos)


def describe_image(image: Image, source: Source | None, digests: SideDigests | None, verified: bool) -> ReportedImage:
    """Describe one image: its digests, and each layer with the instruction that made it."""
    origins = _origins(image, source)
    instructions = _instructions(image, source, origins)
    return ReportedImage(
        platform=str(image.platform),
        manifest_digest=None if image.manifest is None else image.manifest.digest,
        config_digest=image.config.digest,
        files_digest=None if digests is None else digests.files,
        verified=verified,
        layers=tuple(
            ReportedLayer(
                digest=layer.descriptor.digest,
                diff_id=layer.diff_id,
                size=layer.descriptor.size,
                media_type=layer.descriptor.media_type,
                created_by="" if layer.history is None else layer.history.created_by,
                instruction=instruction,
                origin=origin,
                rebuilt=_rebuilt(source, instruction, origin),
            )
            for layer, instruction, origin in zip(image.layers, instructions, origins, strict=True)
        ),
    )


def _origins(image: Image, source: Source | None) -> tuple[Origin | None, ...]:
    """Tell base layers from built ones, by the held base's own `diff_ids`."""
    if source is None:
        return (None,) * len(image.layers)
    base = _base_diff_ids(source.plan)
    if base is None:
        return (None,) * len(image.layers)
    shared = _shared_layers(image, base)
    return tuple("base" if number < shared else "built" for number in range(len(image.layers)))


def _shared_layers(image: Image, base: tuple[Digest, ...]) -> int:
    shared = 0
    for layer, diff_id in zip(image.layers, base, strict=False):
        if layer.diff_id != diff_id:
            break
        shared += 1
    return shared


def _base_diff_ids(plan: Plan) -> tuple[Digest, ...] | None:
    """Give the layers of the image that the target stands on; none for `FROM scratch`, None when unknown."""
    if not any(reference.final for reference in plan.references):
        return ()
    return next((held.diff_ids for held in plan.bases if held.base.final), None)


def stage_instructions(image: Image, source: Source, index: int) -> tuple[Instruction | None, ...]:
    """Give the instruction that made each layer of a stage's image; None for the base's and in doubt."""
    plan = source.plan
    held = {base.base.instruction: base.diff_ids for base in plan.bases}
    options = plan.options
    from verifier.dockerfile.copies import Copies  # noqa: PLC0415  # only where something was built

    copies = Copies(source.dockerfile, options.build_args, options.platform, source.environment)
    base = held.get(copies.source(index))
    return _attributed(image, source, str(index), _shared_layers(image, base or ()))


def _instructions(
    image: Image, source: Source | None, origins: tuple[Origin | None, ...]
) -> tuple[Instruction | None, ...]:
    if source is None:
        return (None,) * len(image.layers)
    return _attributed(image, source, source.plan.options.target, origins.count("base"))


def _attributed(image: Image, source: Source, target: str | None, base_layers: int) -> tuple[Instruction | None, ...]:
    from verifier.dockerfile import attribute  # noqa: PLC0415  # only where something was built

    return attribute(
        source.dockerfile,
        target,
        image.config,
        base_layers,
        source.build.builder.name,
        build_args=source.plan.options.build_args,
        environment=source.environment,
    )


def _rebuilt(source: Source | None, instruction: Instruction | None, origin: Origin | None) -> bool | None:
    if source is None or origin == "base" or instruction is None:
        return None
    steps = [step for step in source.build.steps if step.instruction == instruction]
    return not any(step.cached for step in steps) if steps else None


def side_context(source: Source | None) -> SideContext:
    """Tell what the causes may know of a side: its build's window by the builder's clock, where there was a build."""
    from verifier.causes.cause import SideContext, Window  # noqa: PLC0415  # the catalogue takes long to import

    if source is None:
        return SideContext()
    build = source.build
    return SideContext(
        window=Window(start=build.started.timestamp(), end=build.finished.timestamp()),
        epoch=source.plan.options.epoch,
        builder=build.builder.name,
        host_names=frozenset((*build.host_names, *_sandbox_names(source))),
        rewritten=source.plan.options.reproducible,
        base_layers=len(_base_diff_ids(source.plan) or ()),
    )


def has_local_times(source: Source | None) -> bool:
    """Tell whether a build was put into another time zone or language on purpose."""
    secrets = () if source is None else source.plan.options.secrets
    return any(f"id=verify-build-{factor}" in secret for secret in secrets for factor in ("timezone", "locale"))


def _sandbox_names(source: Source) -> tuple[str, ...]:
    """Give the name of BuildKit's containers: a constant, unless a build argument to the frontend says otherwise."""
    if source.build.builder.name != "buildkit":
        return ()
    given = dict(source.plan.options.build_args).get("BUILDKIT_SANDBOX_HOSTNAME")
    return (given or "buildkitsandbox",)


def untested_layers(platforms: tuple[PlatformPair, ...]) -> tuple[str, ...]:
    """Name the equal layers whose second build came from a cache: their equality proves nothing."""
    named = []
    for pair in platforms:
        for layers in pair.layers:
            if pair.first is None or pair.second is None or layers.first is None or layers.second is None:
                continue
            first, second = pair.first.layers[layers.first], pair.second.layers[layers.second]
            if second.rebuilt is False and first.diff_id == second.diff_id and second.instruction is not None:
                named.append(f"line {second.instruction.line} ({second.instruction.text})")
    return tuple(named)


def absent_notes(images: ImageSet) -> tuple[str, ...]:
    """Tell which platforms of an index were not there to be compared."""
    absent = (str(descriptor.platform or descriptor.digest) for descriptor in images.absent)
    named = ", ".join(sorted(absent))
    return (f"{images.reference}: its index names {named}, which the store does not hold",) if named else ()


def for_platforms_of(built: ImageSet, existing: ImageSet) -> ImageSet:
    """Leave out of an image that existed the platforms that were not built: nothing can be said of them."""
    return replace(existing, images=tuple(existing.image_for(image.platform) for image in built.images))


def report_error(
    error: NoVerdictError, required: Required | None, inputs: Inputs | None, notes: tuple[str, ...]
) -> Report:
    """Make the report of a run that reached no verdict."""
    return Report(
        tool_version=__version__,
        verdict=Verdict(outcome="no-verdict", level=None, required=required or "manifest"),
        error=ReportedError(code=error.code, message=error.message, hint=error.hint),
        inputs=inputs,
        notes=notes,
    )
