"""Lock files of language package managers: whether the context holds one, and what follows from that."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from verifier.causes.rules.wording import latent, refuted
from verifier.dockerfile.recipe import Recipe, Step
from verifier.dockerfile.shell import Command
from verifier.model.finding import Risk


@dataclass(frozen=True, slots=True, kw_only=True)
class Locked:
    """A command that installs what a project names; `demand` is what would demand its lock file."""

    cause: str
    called: str
    files: Sequence[str]
    strict: bool
    demand: str


def judge_locked(recipe: Recipe, step: Step, command: Command, locked: Locked) -> Iterator[Risk]:
    """State what a project's install takes: by its lock file, perhaps by it, or whatever is newest."""
    names = " or ".join(f"`{name}`" for name in locked.files[:2])
    if locked.strict:
        yield refuted(locked.cause, step, f"{locked.called} takes what {names} says, or fails", command=command)
        return
    found = [] if recipe.context is None else [name for name in locked.files if recipe.context.named(name)]
    if found:
        message = f"{locked.called} may change `{found[0]}`: {locked.demand} would fail instead"
        yield latent(locked.cause, step, message, command=command, severity="note")
    elif recipe.context is not None and recipe.context.complete and not _made_elsewhere(recipe, locked.files):
        message = f"{locked.called} takes whatever is newest: the context has no {names}"
        yield latent(locked.cause, step, message, command=command)
    else:
        demand = f"; {locked.demand} would demand it" if locked.demand else ""
        message = f"{locked.called} takes whatever is newest unless there is {names}{demand}"
        yield latent(locked.cause, step, message, command=command, severity="note")


def _made_elsewhere(recipe: Recipe, names: Sequence[str]) -> bool:
    """Tell whether the project comes from anywhere but the context: cloned, downloaded, or copied from an image."""
    for step in recipe.steps:
        statement = step.statement
        copied = statement.keyword in {"COPY", "ADD"}
        if copied and statement.flag("from") and any(name in statement.rest for name in names):
            return True
        if copied and any("://" in source for source in statement.arguments[:-1]):
            return True
        if any(command.name in {"git", "curl", "wget"} for command in step.commands):
            return True
    return False
