"""RubyGems or Bundler takes whatever version is newest.

What varies: which version of a gem the server holds on the day of the build, and of its dependencies.

Why it matters: `gem install rails`, or a Gemfile without its lock file, gives other files next week.

How it is recognised: in the Dockerfile, `gem install` without `-v VERSION` or `NAME:VERSION`, and `bundle install`
where nothing demands Gemfile.lock.

Remedy: commit Gemfile.lock and set `BUNDLE_FROZEN=1` (or `BUNDLE_DEPLOYMENT=1`) before `bundle install`; give single
gems their version with `gem install NAME:VERSION`.

Source: Bundler documentation, "bundle config", `frozen`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from verifier.causes.cause import Cause
from verifier.causes.rules.command_line import CommandLine, subcommand
from verifier.causes.rules.locks import Locked, judge_locked
from verifier.causes.rules.wording import latent, listed
from verifier.dockerfile.recipe import Recipe, Step
from verifier.dockerfile.shell import Command
from verifier.model.finding import Risk

__all__ = ["cause"]

_SLUG: Final = "unpinned-gem"
_VALUED: Final = frozenset(
    {
        "-v", "--version", "-i", "--install-dir", "-n", "--bindir", "-s", "--source", "--platform", "-P", "-p",
        "--http-proxy", "-j", "--jobs", "--retry", "--without", "--with", "--path", "--gemfile", "--binstubs",
    }
)  # fmt: skip
_FROZEN: Final = ("BUNDLE_FROZEN", "BUNDLE_DEPLOYMENT")
_LOOSE_VERSION: Final = re.compile(r"[<>~!]|^$")


def _risks(recipe: Recipe) -> Iterator[Risk]:
    for step, command in recipe.runs():
        verb, line = subcommand(command, _VALUED)
        if command.name == "gem" and verb in {"install", "i", "update"}:
            yield from _judge_gem(step, command, verb, line)
        elif command.name in {"bundle", "bundler"} and (verb in {"install", "update"} or not command.arguments):
            yield from _judge_bundle(recipe, step, command, verb or "install", line)


def _judge_gem(step: Step, command: Command, verb: str, line: CommandLine) -> Iterator[Risk]:
    if verb == "update":
        if not line.has("--system") or not line.operands:
            yield latent(_SLUG, step, "`gem update` takes the newest versions", command=command)
        return
    versions = line.values("-v", "--version")
    gems = [name for name in line.operands if not name.endswith(".gem")]
    pinned = bool(versions) and not any(_LOOSE_VERSION.search(version) for version in versions)
    loose = [] if pinned else [name for name in gems if not re.search(r".:[^<>~]+$", name)]
    if loose:
        yield latent(_SLUG, step, f"`gem install` takes the newest version of {listed(loose)}", command=command)
    elif gems and not line.has("--ignore-dependencies"):
        message = f"`gem install` names the version of {listed(gems)}, but not of what it depends on"
        yield latent(_SLUG, step, message, command=command, severity="note")


def _judge_bundle(recipe: Recipe, step: Step, command: Command, verb: str, line: CommandLine) -> Iterator[Risk]:
    if verb == "update":
        yield latent(_SLUG, step, "`bundle update` takes the newest versions", command=command)
        return
    if line.has("--local"):
        return
    strict = line.has("--frozen", "--deployment") or _is_frozen(recipe, step, command)
    locked = Locked(
        cause=_SLUG, called="`bundle install`", files=("Gemfile.lock",), strict=strict, demand="`BUNDLE_FROZEN=1`"
    )
    yield from judge_locked(recipe, step, command, locked)


def _is_frozen(recipe: Recipe, step: Step, command: Command) -> bool:
    if any(step.scope.get(name, "") not in {"", "0", "false"} for name in _FROZEN):
        return True
    if any(name in _FROZEN and word.text not in {"", "0", "false"} for name, word in command.assignments):
        return True
    for other in (*recipe.earlier(step), step):
        for item in other.commands:
            words = item.arguments
            if item.name in {"bundle", "bundler"} and words[:1] == ("config",):
                settings = set(words)
                if settings & {"frozen", "deployment"} and settings & {"true", "1"}:
                    return True
            if not item.argv and item.exported and any(name in _FROZEN for name, _ in item.assignments):
                return True
    return False


cause = Cause(
    slug=_SLUG,
    page=__doc__ or "",
    remedy="commit Gemfile.lock and set BUNDLE_FROZEN=1, or name a version for each gem",
    risk=_risks,
)
