"""How BuildKit is held to one base for every build, without a change to the user's Dockerfile.

A named context takes a base's place: a private tag on the engine's own image, or `docker-image://NAME@DIGEST` for a
builder that takes its bases from registries. Where a named context would take the place of a stage, or BuildKit cannot
have it, the base is watched instead: a change between the builds ends the run.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from verifier.builders.buildkit_progress import Vertex
from verifier.builders.docker_bases import ResolvedBase, check_unmoved, resolve_base
from verifier.builders.docker_traces import PRIVATE_HOST, Traces
from verifier.clients.buildx import Buildx
from verifier.errors import BaseNotHeldError, MalformedImageError, StoreError, UsageError
from verifier.model.plan import BaseReference, DigestKind, HeldBase, Plan
from verifier.oci.digest import parse_digest
from verifier.oci.reference import Reference, parse_reference

if TYPE_CHECKING:
    from verifier.clients.engine_client import Engine


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """One held base: `name` is the context that takes its place, `source` that context's value.

    `resolved` is the engine's image, None for a builder that knows registries alone.
    """

    held: HeldBase
    name: str
    source: str
    resolved: ResolvedBase | None


def hold_in_engine(engine: Engine, traces: Traces, run: str, references: Sequence[BaseReference]) -> tuple[Hold, ...]:
    """Hold bases in an engine by private tags, which keep each image from going, too. Raises BaseNotHeldError.

    A digest would not do: the old store finds no image of its own by one, nor does engine 26 one that was tagged here.
    """
    holds = []
    for number, reference in enumerate(references):
        base = resolve_base(engine, traces, reference)
        tag = f"{PRIVATE_HOST}/{run}/base:{number}"
        traces.add_tag(tag)
        engine.tag(base.id, tag)
        held = HeldBase(
            base=reference,
            digest=base.digest,
            digest_kind=base.digest_kind,
            pinned=base.pinned,
            diff_ids=base.diff_ids,
            holder=tag,
        )
        holds.append(Hold(held=held, name=context_name(base.reference), source=tag, resolved=base))
    return tuple(holds)


def hold_by_registry(buildx: Buildx, builder: str, references: Sequence[BaseReference]) -> tuple[Hold, ...]:
    """Hold bases for a builder that knows registries alone. Raises BaseNotHeldError."""
    return tuple(_hold_by_registry(buildx, builder, base) for base in references)


def context_arguments(
    plan: Plan, holds: Sequence[Hold], *, can_hold: bool, twins: Mapping[str, str]
) -> tuple[str, ...]:
    """Give the `--build-context` options that hold the bases of `plan`, as far as contexts can.

    `twins` are images to take in place of the bases, by the contexts' names.
    """
    arguments = {}
    for hold in holds:
        if hold.held.pinned and hold.name not in twins:
            continue
        if can_hold and not _names_stage(hold, plan):
            source = twins.get(hold.name, hold.source)
            arguments[hold.name] = f"--build-context={hold.name}=docker-image://{source}"
    return tuple(arguments.values())


def check_watched(engine: Engine | None, plan: Plan, holds: Sequence[Hold], *, can_hold: bool) -> None:
    """Check that what no context holds is still what it was. Raises BaseNotHeldError."""
    watched = tuple(
        hold.resolved
        for hold in holds
        if hold.resolved is not None and not hold.held.pinned and (not can_hold or _names_stage(hold, plan))
    )
    if engine is not None and watched:
        check_unmoved(engine, watched)


def check_named(vertices: Iterable[Vertex], holds: Sequence[Hold]) -> None:
    """Check the digests that BuildKit names with the bases it took from a registry. Raises BaseNotHeldError."""
    names = [vertex.name for vertex in vertices]
    for hold in holds:
        if hold.resolved is not None or hold.held.pinned:
            continue
        taken = f"{parse_reference(hold.held.base.reference).canonical}@"
        for name in names:
            if taken in name and f"{taken}{hold.held.digest}" not in name:
                raise BaseNotHeldError(
                    f"base image {hold.held.base.reference} (line {hold.held.base.instruction.line}) changed during "
                    f"the run: it was {hold.held.digest[:19]}, and the build took {name.partition(taken)[2][:19]}",
                    "pin it by digest",
                )


def context_name(reference: Reference) -> str:
    """Name a base as BuildKit looks for it among the named contexts: the familiar form, without `:latest`."""
    return str(reference).removesuffix(":latest")


def _names_stage(hold: Hold, plan: Plan) -> bool:
    """Whether a stage is called as the context would be: then the context would take the stage's place."""
    return any((item.stage.name or "").lower() == hold.name.lower() for item in plan.instructions)


def _hold_by_registry(buildx: Buildx, builder: str, base: BaseReference) -> Hold:
    try:
        reference = parse_reference(base.reference)
        wanted = reference if base.locked is None else replace(reference, digest=base.locked)
        found = buildx.resolve(builder, wanted.canonical)
        digest = wanted.digest or parse_digest(found.digest, "digest")
        diff_ids = tuple(parse_digest(item, "diff_ids") for item in found.diff_ids) if found.diff_ids else None
    except (UsageError, StoreError, MalformedImageError) as error:
        raise BaseNotHeldError(
            f"base image {base.reference} (line {base.instruction.line}) cannot be held: {error.message}",
            f"builder {builder} takes bases from registries alone; builder `default` sees the engine's images",
        ) from None
    kind: DigestKind = "index" if "index" in found.media_type or "list" in found.media_type else "manifest"
    source = str(reference) if reference.digest is not None else f"{reference}@{digest}"
    held = HeldBase(
        base=base,
        digest=digest,
        digest_kind=kind,
        pinned=reference.digest is not None,
        diff_ids=diff_ids,
        holder=source,
    )
    return Hold(held=held, name=context_name(reference), source=source, resolved=None)
