"""A JavaScript installer takes whatever version is newest.

What varies: which version of a package the registry holds on the day of the build, and of everything that it depends
on.

Why it matters: `npm install express` or a range in package.json gives other files next week; `npm ci` does not.

How it is recognised: in the Dockerfile, `npm`, `yarn`, `pnpm` and `bun` that add packages without an exact version (a
tag such as `@latest` is none), or that install a project without demanding its lock file. A package's exact version
says nothing of its dependencies: that is noted.

Remedy: commit the lock file and install with `npm ci`, `yarn install --immutable` (`--frozen-lockfile` before 2.0),
or `pnpm install --frozen-lockfile`.

Source: npm documentation, "npm-ci"; yarn, "yarn install"; pnpm, "pnpm install".
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

_SLUG: Final = "unpinned-npm"
_VALUED: Final = frozenset(
    {
        "--prefix", "-C", "--dir", "--cwd", "--registry", "--cache", "--loglevel", "-w", "--workspace", "--tag",
        "--cache-folder", "--network-timeout", "--modules-folder", "-F", "--filter", "--store-dir", "--package",
        "--network-concurrency", "--mutex", "--omit", "--include", "--userconfig",
    }
)  # fmt: skip
_LOCKS: Final = {
    "npm": ("package-lock.json", "npm-shrinkwrap.json"),
    "yarn": ("yarn.lock",),
    "pnpm": ("pnpm-lock.yaml",),
    "bun": ("bun.lock", "bun.lockb"),
}
_DEMANDS: Final = {
    "npm": "`npm ci`",
    "yarn": "`--immutable` or `--frozen-lockfile`",
    "pnpm": "`--frozen-lockfile`",
    "bun": "`--frozen-lockfile`",
}
_STRICT: Final = ("--frozen-lockfile", "--immutable", "--immutable-cache", "--pure-lockfile")
_ADD: Final = frozenset({"add", "i", "in", "install", "isntall"})
_EXACT: Final = re.compile(r".@v?\d+\.\d+\.\d+[\w.+-]*$|.@\$\{?\w+\}?$|.@.*\$")


def _risks(recipe: Recipe) -> Iterator[Risk]:
    for step, command in recipe.runs():
        if command.name in _LOCKS:
            yield from _judge(recipe, step, command)
        elif command.name in {"npx", "bunx"} or (command.name == "corepack" and "prepare" in command.arguments[:1]):
            yield from _judge_runner(step, command)


def _judge(recipe: Recipe, step: Step, command: Command) -> Iterator[Risk]:
    tool = command.name
    verb, line = subcommand(command, _VALUED)
    if tool == "yarn" and verb in {"global", "dlx"} and (verb == "dlx" or line.operands[:1] == ("add",)):
        verb, line = f"{verb} add", CommandLine(line.options, line.operands[1 if verb == "global" else 0 :])
    if verb in {"update", "upgrade", "up"}:
        yield latent(_SLUG, step, f"`{tool} {verb}` takes the newest version of everything", command=command)
        return
    packages = [name for name in line.operands if _is_package(name)]
    adds = verb in _ADD or verb.endswith(" add") or (tool == "pnpm" and verb == "dlx")
    if adds and (packages or command.more_arguments):
        yield from _judge_packages(step, command, f"`{tool} {verb}`", packages)
    elif (verb in _ADD - {"add"} and not line.operands and not line.has("-g", "--global")) or _is_bare_yarn(
        command, verb, line
    ):
        called = f"`{tool} {verb}`" if verb else f"`{tool}`"
        yield from _judge_project(recipe, step, command, called, line)
    elif tool == "npm" and verb in {"ci", "clean-install"}:
        locked = Locked(cause=_SLUG, called=f"`npm {verb}`", files=_LOCKS["npm"], strict=True, demand="")
        yield from judge_locked(recipe, step, command, locked)


def _is_bare_yarn(command: Command, verb: str, line: CommandLine) -> bool:
    return command.name == "yarn" and not verb and not line.has("--version", "-v", "--help", "-h")


def _judge_project(recipe: Recipe, step: Step, command: Command, called: str, line: CommandLine) -> Iterator[Risk]:
    tool = command.name
    strict = line.has(*_STRICT) and not line.has("--no-frozen-lockfile")
    locked = Locked(cause=_SLUG, called=called, files=_LOCKS[tool], strict=strict, demand=_DEMANDS[tool])
    yield from judge_locked(recipe, step, command, locked)


def _judge_packages(step: Step, command: Command, called: str, packages: list[str]) -> Iterator[Risk]:
    loose = [name for name in packages if not _is_pinned(name)]
    if command.more_arguments:
        loose.append("what xargs hands over")
    if loose:
        yield latent(_SLUG, step, f"{called} takes the newest version of {listed(loose)}", command=command)
    else:
        message = f"{called} names the version of {listed(packages)}, but not of what it depends on"
        yield latent(_SLUG, step, message, command=command, severity="note")


def _judge_runner(step: Step, command: Command) -> Iterator[Risk]:
    """Judge `npx PACKAGE@TAG`: without a tag, a package that is installed already would be run."""
    _, line = subcommand(command, _VALUED)
    named = [*line.values("--package"), *line.operands[:1]]
    if command.name == "corepack":
        named = [command.arguments[1]] if len(command.arguments) > 1 else []
    tagged = [name for name in named if re.search(r".@[\w^~]", name) and not _is_pinned(name)]
    if tagged:
        yield latent(_SLUG, step, f"`{command.name}` takes the newest version of {listed(tagged)}", command=command)


def _is_package(name: str) -> bool:
    return not name.startswith((".", "/", "~", "file:")) and not name.endswith((".tgz", ".tar.gz"))


def _is_pinned(name: str) -> bool:
    if "://" in name or name.startswith(("git@", "github:")):
        return re.search(r"#[0-9a-f]{7,40}$", name) is not None
    return _EXACT.search(name) is not None


cause = Cause(
    slug=_SLUG,
    page=__doc__ or "",
    remedy="commit the lock file and install with a command that demands it, such as `npm ci`",
    risk=_risks,
)
