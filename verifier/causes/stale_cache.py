"""A cached layer keeps what was the newest when it was made.

What varies: the package lists that a RUN of its own fetched: a builder with a cache takes the layer of last month, a
fresh builder fetches today's, and the instruction after it installs from whichever is there.

Why it matters: builds with a warm cache agree with each other and with nobody else; the first build on another machine
differs, or fails, because the listed versions are gone.

How it is recognised: in the Dockerfile, by a RUN that updates package lists and installs nothing, with an installation
in a later RUN of the same stage. Where a verification finds layers that the builder took from a cache, it gives no
verdict on their account.

Remedy: update and install in one RUN: `apt-get update && apt-get install …`; verify with a fresh builder, as this tool
does.

Source: Docker documentation, "Building best practices", "apt-get"; hadolint DL3009.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from verifier.causes.cause import Cause
from verifier.causes.rules.wording import latent
from verifier.dockerfile.recipe import Recipe, Step
from verifier.dockerfile.shell import Command
from verifier.model.finding import Risk

__all__ = ["cause"]

_SLUG: Final = "stale-cache"
_UPDATES: Final = {
    "apt-get": frozenset({"update"}),
    "apt": frozenset({"update"}),
    "aptitude": frozenset({"update"}),
    "apk": frozenset({"update"}),
    "dnf": frozenset({"makecache"}),
    "yum": frozenset({"makecache"}),
    "zypper": frozenset({"refresh", "ref"}),
}
_INSTALLS: Final = frozenset({"install", "add", "upgrade", "dist-upgrade", "full-upgrade", "build-dep", "in"})
_FAMILIES: Final = {"apt": "apt-get", "aptitude": "apt-get", "yum": "dnf"}


def _risks(recipe: Recipe) -> Iterator[Risk]:
    for number, step in enumerate(recipe.steps):
        for command in step.commands:
            if not _UPDATES.get(command.name, frozenset()) & set(command.arguments):
                continue
            if _installs(step, command) or not any(_installs(other, command) for other in _later(recipe, number)):
                continue
            message = f"`{command.name}` fetches package lists in a RUN of its own: a cache keeps them for later RUNs"
            yield latent(_SLUG, step, message, command=command)


def _later(recipe: Recipe, number: int) -> Iterator[Step]:
    stage = recipe.steps[number].statement.instruction.stage.index
    return (step for step in recipe.steps[number + 1 :] if step.statement.instruction.stage.index == stage)


def _installs(step: Step, update: Command) -> bool:
    family = _FAMILIES.get(update.name, update.name)
    return any(
        _FAMILIES.get(command.name, command.name) == family and _INSTALLS & set(command.arguments)
        for command in step.commands
    )


cause = Cause(
    slug=_SLUG,
    page=__doc__ or "",
    remedy="update package lists and install in one RUN, and verify without a cache",
    risk=_risks,
)
