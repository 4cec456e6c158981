"""The go command takes whatever version is newest.

What varies: which version of a module is the newest on the day of the build.

Why it matters: `go install example.com/tool@latest` gives another program next week. A version is enough to pin: the
checksum database holds the digest of every module version, and go.sum those of a project's dependencies.

How it is recognised: in the Dockerfile, `go install`, `go get` and `go run` of a module with `@latest`, another query
or no version, `go get -u`, and `go mod tidy`.

Remedy: `go install MODULE@vX.Y.Z`; commit go.mod and go.sum, and do not change them during the build.

Source: Go Modules Reference, "Version queries", "Module authentication".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from verifier.causes.cause import Cause
from verifier.causes.rules.command_line import CommandLine, subcommand
from verifier.causes.rules.wording import latent, listed
from verifier.dockerfile.recipe import Recipe, Step
from verifier.dockerfile.shell import Command
from verifier.model.finding import Risk

__all__ = ["cause"]

_SLUG: Final = "unpinned-go"
_VALUED: Final = frozenset(
    {"-C", "-ldflags", "-tags", "-o", "-mod", "-modfile", "-p", "-gcflags", "-asmflags", "-buildmode", "-installsuffix"}
)
_EXACT: Final = re.compile(r"@(?:v\d+\.\d+\.\d+\S*|v?\$\S+|[0-9a-f]{12,40}|v?\d\S*\$\S*)$")
_MODULE: Final = re.compile(r"[\w-]+(?:\.[\w-]+)+/\S+")


def _risks(recipe: Recipe) -> Iterator[Risk]:
    for step, command in recipe.runs():
        if command.name != "go":
            continue
        verb, line = subcommand(command, _VALUED)
        if verb in {"install", "get", "run"}:
            yield from _judge(step, command, verb, line)
        elif verb == "mod" and line.operands[:1] == ("tidy",):
            message = "`go mod tidy` may add the newest version of what go.mod does not name"
            yield latent(_SLUG, step, message, command=command, severity="note")


def _judge(step: Step, command: Command, verb: str, line: CommandLine) -> Iterator[Risk]:
    named = line.operands[:1] if verb == "run" else line.operands
    modules = [name for name in named if _MODULE.match(name)]
    loose = [name for name in modules if "@" in name and not _EXACT.search(name)]
    if verb == "get":
        if line.has("-u", "-u=patch"):
            yield latent(_SLUG, step, "`go get -u` takes the newest versions", command=command)
            return
        loose += [name for name in modules if "@" not in name]
    if loose:
        yield latent(_SLUG, step, f"`go {verb}` takes the newest version of {listed(loose)}", command=command)
    unnamed = [name for name in modules if "@" not in name]
    if verb == "install" and unnamed:
        message = (
            f"`go install` names no version of {listed(unnamed)}: go.mod has to, and before Go 1.16 it is the newest"
        )
        yield latent(_SLUG, step, message, command=command, severity="note")


cause = Cause(
    slug=_SLUG,
    page=__doc__ or "",
    remedy="name the version: `go install MODULE@vX.Y.Z`, and commit go.sum",
    risk=_risks,
)
