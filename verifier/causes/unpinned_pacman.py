"""pacman installs whatever version is newest.

What varies: every package: Arch Linux is a rolling distribution, and its mirrors hold one version of each.

Why it matters: the same Dockerfile gives other files tomorrow.

How it is recognised: in the Dockerfile, `pacman -S` with packages, or with `u` for an upgrade.

Remedy: point `/etc/pacman.d/mirrorlist` at one day of the Arch Linux Archive, such as
`Server=https://archive.archlinux.org/repos/2025/01/01/$repo/os/$arch`.

Source: Arch Linux wiki, "Arch Linux Archive".
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from verifier.causes.cause import Cause
from verifier.causes.rules.command_line import read_line
from verifier.causes.rules.wording import latent, listed, refuted
from verifier.dockerfile.recipe import Recipe, Step
from verifier.model.finding import Risk

__all__ = ["cause"]

_SLUG: Final = "unpinned-pacman"
_VALUED: Final = frozenset({"--root", "--dbpath", "--config", "--cachedir", "--ignore", "--arch", "--overwrite"})


def _risks(recipe: Recipe) -> Iterator[Risk]:
    for step, command in recipe.runs():
        if command.name != "pacman":
            continue
        line = read_line(command, _VALUED)
        letters = line.letters()
        if "S" not in letters and not line.has("--sync"):
            continue
        if "u" in letters or line.has("--sysupgrade"):
            message = "`pacman -Su` replaces packages by whatever is newest on the day of the build"
        elif line.operands and not set(letters) & set("csigl"):
            message = f"`pacman -S` takes the newest version of {listed(line.operands)}"
        else:
            continue
        if _from_archive(recipe, step):
            yield refuted(_SLUG, step, "`pacman` takes from one day of the Arch Linux Archive", command=command)
        else:
            yield latent(_SLUG, step, message, command=command)


def _from_archive(recipe: Recipe, step: Step) -> bool:
    steps = (*recipe.earlier(step), step)
    return any("archive.archlinux.org/repos/2" in other.statement.rest for other in steps)


cause = Cause(
    slug=_SLUG,
    page=__doc__ or "",
    remedy="take the packages from one day of the Arch Linux Archive",
    risk=_risks,
)
