"""Composer takes whatever version is newest.

What varies: which versions of the packages fit on the day of the build.

Why it matters: `composer require`, `composer update`, and `composer install` without composer.lock give other files
next week.

How it is recognised: in the Dockerfile, by the command, and by whether the context holds composer.lock.

Remedy: commit composer.lock and run `composer install`, which takes what it says and checks the digests in it.

Source: Composer documentation, "install / i", "Commit your composer.lock file to version control".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from verifier.causes.cause import Cause
from verifier.causes.rules.command_line import CommandLine, subcommand
from verifier.causes.rules.locks import Locked, judge_locked
from verifier.causes.rules.wording import latent, listed, refuted
from verifier.dockerfile.recipe import Recipe, Step
from verifier.dockerfile.shell import Command
from verifier.model.finding import Risk

__all__ = ["cause"]

_SLUG: Final = "unpinned-composer"
_VALUED: Final = frozenset(
    {"-d", "--working-dir", "--prefer-install", "--ignore-platform-req", "--apcu-autoloader-prefix"}
)
_EXACT: Final = re.compile(r".[:=]v?\d+\.\d+(?:\.\d+)*$|.[:=]\$\S+$|#[0-9a-f]{40}$")


def _risks(recipe: Recipe) -> Iterator[Risk]:
    for step, command in recipe.runs():
        if command.name in {"composer", "composer.phar"} or (
            command.name == "php" and any(word.endswith("composer.phar") for word in command.arguments[:1])
        ):
            verb, line = subcommand(command, _VALUED)
            if command.name == "php" or verb == "global":
                verb, line = next(iter(line.operands), ""), CommandLine(line.options, line.operands[1:])
            yield from _judge(recipe, step, command, verb, line)


def _judge(recipe: Recipe, step: Step, command: Command, verb: str, line: CommandLine) -> Iterator[Risk]:
    if verb in {"update", "u", "upgrade"} and not line.has("--lock"):
        yield latent(_SLUG, step, "`composer update` takes the newest versions that fit", command=command)
    elif verb in {"require", "create-project"}:
        named = line.operands[:1] if verb == "create-project" else line.operands
        exact = verb == "create-project" and len(line.operands) > 2 and line.operands[2][:1].isdigit()
        loose = [] if exact else [name for name in named if not _EXACT.search(name)]
        if loose:
            yield latent(_SLUG, step, f"`composer {verb}` takes the newest version of {listed(loose)}", command=command)
        else:
            message = f"`composer {verb}` names the version of {listed(named)}, but not of what it depends on"
            yield latent(_SLUG, step, message, command=command, severity="note")
    elif verb in {"install", "i"}:
        if recipe.context is not None and recipe.context.named("composer.lock"):
            yield refuted(_SLUG, step, "`composer install` takes what `composer.lock` says", command=command)
            return
        locked = Locked(cause=_SLUG, called="`composer install`", files=("composer.lock",), strict=False, demand="")
        yield from judge_locked(recipe, step, command, locked)


cause = Cause(
    slug=_SLUG,
    page=__doc__ or "",
    remedy="commit composer.lock and run `composer install`",
    risk=_risks,
)
