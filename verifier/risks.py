"""Find what a Dockerfile's text lets expect, without any build: every static rule of the catalogue, joined."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from verifier.causes import CAUSES
from verifier.causes.cause import Cause
from verifier.dockerfile import Dockerfile
from verifier.dockerfile.arguments import BuildArgs
from verifier.dockerfile.recipe import read_recipe
from verifier.model.context_facts import ContextFacts
from verifier.model.finding import Risk
from verifier.model.instruction import Instruction
from verifier.oci.platform import Platform


@dataclass(frozen=True, slots=True, kw_only=True)
class Risks:
    """What the static rules found, and what they looked at."""

    risks: tuple[Risk, ...]
    stages_judged: int
    unread: tuple[Instruction, ...]


def judge_dockerfile(
    dockerfile: Dockerfile,
    context: ContextFacts | None = None,
    *,
    target: str | None = None,
    build_args: BuildArgs = (),
    platform: Platform | None = None,
    environment: Mapping[str, str] | None = None,
    causes: Iterable[Cause] = CAUSES,
) -> Risks:
    """Find the risks as `find_risks` does, with what could not be judged. Raises as it does."""
    recipe = read_recipe(
        dockerfile,
        context=context,
        target=target,
        build_args=build_args,
        platform=platform,
        environment=environment,
    )
    found = {_of_trigger(risk): None for cause in causes if cause.risk is not None for risk in cause.risk(recipe)}
    return Risks(
        risks=tuple(sorted(found, key=_order)),
        stages_judged=len(recipe.stages),
        unread=tuple(statement.instruction for statement in recipe.unread),
    )


def find_risks(
    dockerfile: Dockerfile,
    context: ContextFacts | None = None,
    *,
    target: str | None = None,
    build_args: BuildArgs = (),
    platform: Platform | None = None,
    environment: Mapping[str, str] | None = None,
    causes: Iterable[Cause] = CAUSES,
) -> tuple[Risk, ...]:
    """List the risks of building `target`, sorted by line: `latent`, or `refuted` where the instruction checks it.

    Only the stages that the target needs are judged: no other can reach the image. Rules about the context say nothing
    where `context` is None. Raises UsageError for an unknown target, DockerfileError for what no builder would begin.
    """
    return judge_dockerfile(
        dockerfile,
        context,
        target=target,
        build_args=build_args,
        platform=platform,
        environment=environment,
        causes=causes,
    ).risks


def _of_trigger(risk: Risk) -> Risk:
    """Tell what an ONBUILD brings upon other images from what this build does."""
    if risk.instruction is None or risk.instruction.text[:8].upper() != "ONBUILD ":
        return risk
    return replace(risk, severity="note", message=f"in a build on this image: {risk.message}")


def _order(risk: Risk) -> tuple[int, int, str, str]:
    line = 0 if risk.instruction is None else risk.instruction.line
    return line, risk.line or line, risk.cause, risk.message
