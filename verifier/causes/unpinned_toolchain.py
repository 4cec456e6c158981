"""A version manager installs whatever release a channel points at.

What varies: which compiler or runtime a name such as `stable`, `nightly`, `lts` or `latest` means on the day of the
build.

Why it matters: another compiler gives other binaries.

How it is recognised: in the Dockerfile, `rustup` with a channel, `nvm install` with an alias, `sdk install` without a
version.

Remedy: name the release: `rustup toolchain install 1.85.0`, `nvm install 22.14.0`, `sdk install java 21.0.6-tem`.

Source: The rustup book, "Channels"; nvm, "Usage".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from verifier.causes.cause import Cause
from verifier.causes.rules.command_line import CommandLine, read_line
from verifier.causes.rules.wording import latent
from verifier.dockerfile.recipe import Recipe
from verifier.dockerfile.shell import Command
from verifier.model.finding import Risk

__all__ = ["cause"]

_SLUG: Final = "unpinned-toolchain"
_VALUED: Final = frozenset({"--profile", "-c", "--component", "-t", "--target", "--toolchain", "--default-toolchain"})
_RUSTUP: Final = (("default",), ("install",), ("update",))
_CHANNEL: Final = re.compile(r"(?:stable|beta|nightly)(?![\w-]*\d{4}-\d{2}-\d{2})")


def _risks(recipe: Recipe) -> Iterator[Risk]:
    for step, command in recipe.runs():
        moving = _moving(command, read_line(command, _VALUED))
        if moving:
            message = f"`{command.name}` takes whatever release `{moving}` means on the day of the build"
            yield latent(_SLUG, step, message, command=command)


def _moving(command: Command, line: CommandLine) -> str:
    operands = line.operands
    named: tuple[str, ...] = ()
    if command.name == "rustup":
        if operands == ("update",):
            return "rustup update"
        verb = operands[:1]
        named = operands[2:] if verb == ("toolchain",) else operands[1:] if verb in _RUSTUP else ()
    elif command.name in {"rustup-init", "rustup-init.sh"}:
        named = line.values("--default-toolchain")
    elif command.name == "nvm" and operands[:1] == ("install",):
        alias = [name for name in operands[1:2] if not re.fullmatch(r"v?\d+\.\d+\.\d+|\S*\$\S*", name)]
        return "--lts" if line.has("--lts") else "".join(alias)
    elif command.name == "sdk" and operands[:1] == ("install",) and len(operands) == 2:
        return operands[1]
    return next((name for name in named if _CHANNEL.match(name)), "")


cause = Cause(
    slug=_SLUG,
    page=__doc__ or "",
    remedy="name the release instead of a channel",
    risk=_risks,
)
