"""conda installs whatever version is newest.

What varies: which version and build of a package the channels hold on the day of the build, and of its dependencies.

Why it matters: the solver's answer changes with every upload to a channel; `numpy=1.26` has many builds.

How it is recognised: in the Dockerfile, `conda`, `mamba` or `micromamba` that install or update packages without an
explicit lock file.

Remedy: lock the environment (`conda list --explicit --md5`, or conda-lock) and create it from that file: `conda
create --file explicit.txt`.

Source: conda documentation, "Managing environments", "Building identical conda environments".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from verifier.causes.cause import Cause
from verifier.causes.rules.command_line import subcommand
from verifier.causes.rules.wording import latent, listed
from verifier.dockerfile.recipe import Recipe
from verifier.model.finding import Risk

__all__ = ["cause"]

_SLUG: Final = "unpinned-conda"
_NAMES: Final = frozenset({"conda", "mamba", "micromamba"})
_VALUED: Final = frozenset(
    {"-n", "--name", "-p", "--prefix", "-c", "--channel", "-f", "--file", "--root-prefix", "-r", "--solver"}
)
_VERSION: Final = re.compile(r"[^<>!~]={1,2}[\d$][^*<>]*$")


def _risks(recipe: Recipe) -> Iterator[Risk]:
    for step, command in recipe.runs():
        if command.name not in _NAMES:
            continue
        verb, line = subcommand(command, _VALUED)
        operands = line.operands
        if verb == "env" and operands[:1] in {("create",), ("update",)}:
            files = line.values("-f", "--file") or ("environment.yml",)
            message = f"`{command.name} env {operands[0]}` solves {listed(files)} anew: it is no explicit lock file"
            yield latent(_SLUG, step, message, command=command)
        elif verb in {"install", "create", "update", "upgrade"}:
            loose = [name for name in operands if not _VERSION.search(name)]
            if verb.startswith("up"):
                yield latent(_SLUG, step, f"`{command.name} {verb}` takes the newest versions", command=command)
            elif loose:
                message = f"`{command.name} {verb}` takes the newest version of {listed(loose)}"
                yield latent(_SLUG, step, message, command=command)
            elif operands:
                message = f"`{command.name} {verb}` names versions, but not those of the dependencies"
                yield latent(_SLUG, step, message, command=command, severity="note")


cause = Cause(
    slug=_SLUG,
    page=__doc__ or "",
    remedy="lock the environment and create it from the explicit file",
    risk=_risks,
)
