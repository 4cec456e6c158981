"""The stage graph: which stages a target needs, and which images stand outside the Dockerfile."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from verifier.dockerfile.arguments import (
    BuildArgs,
    expand,
    given_values,
    global_scope,
    stage_scope,
    unset_variables,
)
from verifier.dockerfile.document import Dockerfile, Stage, Statement
from verifier.dockerfile.mounts import mounts
from verifier.errors import DockerfileError, UsageError
from verifier.model.plan import BaseReference
from verifier.oci.platform import Platform, parse_platform

SCRATCH = "scratch"
"""The base that is no image."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageUse:
    """One image from outside, as it stands in FROM, `COPY --from=` or `--mount=from=`.

    `word` is as written; `reference` is expanded, None where `problem` says why it could not be.
    """

    statement: Statement
    word: str
    reference: str | None
    platform: Platform | None = None
    problem: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Use:
    """One mention of a stage or an image."""

    statement: Statement
    stage: int | None
    reference: str
    platform: Platform | None


def find_target(dockerfile: Dockerfile, target: str | None) -> Stage:
    """Find the stage to build: the last one, or `target` by name or index. Raises UsageError naming the stages."""
    if not target:
        return dockerfile.stages[-1]
    index = _by_name(dockerfile, target, len(dockerfile.stages))
    if index is None and target.isdecimal() and int(target[:9]) < len(dockerfile.stages):
        index = int(target)
    if index is None:
        named = [stage.name for stage in dockerfile.stages if stage.name]
        hint = f"its stages are: {', '.join(named)}" if named else "it has no named stage"
        raise UsageError(f"{dockerfile.path}: there is no stage {target!r}", hint)
    return dockerfile.stages[index]


def chain(dockerfile: Dockerfile, stage: Stage, scope: Mapping[str, str] | None = None) -> tuple[Stage, ...]:
    """List the stages that `stage` stands on through FROM, the lowest first and `stage` itself last.

    `scope` holds the values for expressions in FROM, the Dockerfile's defaults where it is None.
    """
    values = global_scope(dockerfile, {}, None) if scope is None else scope
    found = [stage]
    below = _base_stage(dockerfile, stage, values)
    while below is not None:
        found.insert(0, dockerfile.stages[below])
        below = _base_stage(dockerfile, dockerfile.stages[below], values)
    return tuple(found)


def external_images(
    dockerfile: Dockerfile,
    target: str | None,
    build_args: BuildArgs,
    platform: Platform | None,
    *,
    environment: Mapping[str, str] | None = None,
    every_stage: bool = False,
) -> tuple[BaseReference, ...]:
    """List the images that building `target` takes from outside, in the order of the lines; `scratch` is none.

    ARGs are expanded with `build_args`, `environment` (for those without a value) and the platform's own. With
    `every_stage` all stages up to the target count, needed or not, as for the classic engine. Raises UsageError for an
    unknown target, DockerfileError for a blank or malformed expression, a stage number that is not there, or stages in
    a circle.
    """
    given = given_values(build_args, environment or {})
    scope = global_scope(dockerfile, given, platform)
    stage = find_target(dockerfile, target)
    uses = {
        item.index: tuple(_uses(dockerfile, item, given, scope, platform))
        for item in (dockerfile.stages[: stage.index + 1] if every_stage else dockerfile.stages)
    }
    needed = set(uses) if every_stage else _needed(dockerfile, stage.index, uses)
    final = chain(dockerfile, stage, scope)[0].source
    return tuple(
        BaseReference(
            reference=use.reference,
            instruction=use.statement.instruction,
            platform=use.platform,
            final=use.statement is final,
        )
        for index in sorted(needed)
        for use in uses[index]
        if use.stage is None and use.reference != SCRATCH
    )


def needed_stages(
    dockerfile: Dockerfile,
    target: str | None,
    build_args: BuildArgs,
    platform: Platform | None,
    *,
    environment: Mapping[str, str] | None = None,
) -> tuple[Stage, ...]:
    """List the stages that building `target` needs, in the order of the lines. Raises as `external_images` does."""
    given = given_values(build_args, environment or {})
    scope = global_scope(dockerfile, given, platform)
    uses = {stage.index: tuple(_uses(dockerfile, stage, given, scope, platform)) for stage in dockerfile.stages}
    wanted = _needed(dockerfile, find_target(dockerfile, target).index, uses)
    return tuple(stage for stage in dockerfile.stages if stage.index in wanted)


def image_uses(
    dockerfile: Dockerfile,
    build_args: BuildArgs = (),
    platform: Platform | None = None,
    *,
    environment: Mapping[str, str] | None = None,
) -> tuple[ImageUse, ...]:
    """List every mention of an image from outside, in all stages; what cannot be expanded says why.

    Raises DockerfileError where an ARG before the first FROM cannot be expanded.
    """
    given = given_values(build_args, environment or {})
    scope = global_scope(dockerfile, given, platform)
    found = []
    for stage in dockerfile.stages:
        words = [(stage.source, stage.base)]
        words += [(statement, word) for statement in stage.statements for word in sources(statement)]
        for statement, word in words:
            try:
                use = _use(dockerfile, stage, statement, word, given, scope, platform)
            except DockerfileError as error:
                found.append(ImageUse(statement=statement, word=word, reference=None, problem=error.message))
                continue
            if use.stage is None and use.reference != SCRATCH:
                found.append(ImageUse(statement=statement, word=word, reference=use.reference, platform=use.platform))
    return tuple(found)


def _uses(
    dockerfile: Dockerfile, stage: Stage, given: Mapping[str, str], scope: Mapping[str, str], platform: Platform | None
) -> Iterator[_Use]:
    yield _use(dockerfile, stage, stage.source, stage.base, given, scope, platform)
    for statement in stage.statements:
        for word in sources(statement):
            yield _use(dockerfile, stage, statement, word, given, scope, platform)


def _use(
    dockerfile: Dockerfile,
    stage: Stage,
    statement: Statement,
    word: str,
    given: Mapping[str, str],
    scope: Mapping[str, str],
    platform: Platform | None,
) -> _Use:
    """Read one mention: what `word` of `statement` means, a stage or an image."""
    if statement is stage.source:
        base = _base_stage(dockerfile, stage, scope)
        reference = _image(dockerfile, statement, word, scope)
        wanted = _platform(dockerfile, stage, scope, platform)
        return _Use(statement=statement, stage=base, reference=reference, platform=wanted)
    local = {}
    if "$" in word:
        local = stage_scope(dockerfile, chain(dockerfile, stage, scope), statement, given, scope)
    name = _image(dockerfile, statement, word, local)
    return _Use(
        statement=statement, stage=_source_stage(dockerfile, statement, name), reference=name, platform=platform
    )


def stages_taken_from(
    dockerfile: Dockerfile, stage: Stage, given: Mapping[str, str], scope: Mapping[str, str]
) -> tuple[int, ...]:
    """List the stages that a stage's COPYs and mounts take from, each once, in the order of the lines.

    `given` are the build arguments, `scope` the global scope. Raises DockerfileError for what cannot be expanded.
    """
    uses = _uses(dockerfile, stage, given, scope, None)
    found = (use.stage for use in uses if use.statement is not stage.source)
    return tuple(dict.fromkeys(index for index in found if index is not None))


def stage_of(dockerfile: Dockerfile, statement: Statement, name: str) -> int | None:
    """Find the stage that `--from=NAME` of a statement means; None for an image. Raises DockerfileError."""
    return _source_stage(dockerfile, statement, name)


def sources(statement: Statement) -> tuple[str, ...]:
    """List the stages or images that a COPY or a RUN takes from, not expanded."""
    if statement.keyword == "COPY":
        source = statement.flag("from")
        return (source,) if source else ()
    if statement.keyword == "RUN":
        wanted = (mount for mount in mounts(statement) if mount.get("type", "bind") != "tmpfs")
        return tuple(mount["from"] for mount in wanted if mount.get("from"))
    return ()


def _needed(dockerfile: Dockerfile, target: int, uses: Mapping[int, tuple[_Use, ...]]) -> set[int]:
    """Walk the graph depth first; a stage that is met again while it is still open closes a circle."""
    done: set[int] = set()
    opened: list[int] = []
    pending = [(target, False)]
    while pending:
        index, leaving = pending.pop()
        if leaving:
            opened.remove(index)
            done.add(index)
        elif index not in done:
            opened.append(index)
            pending.append((index, True))
            for use in uses[index]:
                if use.stage is None:
                    continue
                if use.stage in opened:
                    line = use.statement.instruction.line
                    raise DockerfileError(f"{dockerfile.path}:{line}: the stages stand in a circle", line=line)
                pending.append((use.stage, False))
    return done


def _by_name(dockerfile: Dockerfile, name: str, before: int) -> int | None:
    """Find the latest stage of that name above stage `before`; names are compared without case."""
    wanted = name.lower()
    return next((stage.index for stage in reversed(dockerfile.stages[:before]) if stage.name == wanted), None)


def _base_stage(dockerfile: Dockerfile, stage: Stage, scope: Mapping[str, str]) -> int | None:
    return _by_name(dockerfile, expand(dockerfile, stage.source, stage.base, scope), stage.index)


def _source_stage(dockerfile: Dockerfile, statement: Statement, name: str) -> int | None:
    stage = statement.instruction.stage.index
    if name.isdecimal():
        index = int(name[:9])
        if index < len(dockerfile.stages) and index != stage:
            return index
        line = statement.instruction.line
        raise DockerfileError(f"{dockerfile.path}:{line}: there is no stage {name} to take from", line=line)
    found = _by_name(dockerfile, name, stage)
    return _by_name(dockerfile, name, len(dockerfile.stages)) if found is None else found


def _image(dockerfile: Dockerfile, statement: Statement, word: str, scope: Mapping[str, str]) -> str:
    reference = expand(dockerfile, statement, word, scope)
    if reference and reference[-1] not in ":@/" and not any(char.isspace() for char in reference):
        return reference
    line = statement.instruction.line
    unset = unset_variables(word, scope)
    hint = f"give a value: --build-arg {unset[0]}=…" if unset else None
    message = f"{dockerfile.path}:{line}: {word!r} gives {reference!r}, which names no image"
    raise DockerfileError(message, hint, line=line)


def _platform(
    dockerfile: Dockerfile, stage: Stage, scope: Mapping[str, str], default: Platform | None
) -> Platform | None:
    if stage.platform is None:
        return default
    line = stage.source.instruction.line
    try:
        return parse_platform(expand(dockerfile, stage.source, stage.platform, scope))
    except UsageError as error:
        if isinstance(error, DockerfileError):
            raise
        raise DockerfileError(f"{dockerfile.path}:{line}: {error.message}", error.hint, line=line) from None
