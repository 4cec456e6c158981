"""dnf, yum or zypper installs whatever version is newest.

What varies: which version of a package the repositories hold on the day of the build, and of its dependencies.

Why it matters: updates come every day: the same Dockerfile gives other files next week.

How it is recognised: in the Dockerfile, `dnf`, `microdnf`, `tdnf` or `yum install` of packages whose name does not
end in a version, `zypper install` without `=VERSION`, and any upgrade.

Remedy: name packages as `NAME-VERSION-RELEASE` (`NAME=VERSION` for zypper), and take them from a repository of one
date, such as a mirror of your own or a numbered `--releasever`.

Source: dnf(8), "Specifying packages"; zypper(8), "Package specifications".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from verifier.causes.cause import Cause
from verifier.causes.rules.command_line import CommandLine, subcommand
from verifier.causes.rules.wording import latent, listed
from verifier.dockerfile.recipe import Recipe
from verifier.dockerfile.shell import Command
from verifier.model.finding import Risk

__all__ = ["cause"]

_SLUG: Final = "unpinned-rpm"
_NAMES: Final = frozenset({"dnf", "dnf5", "dnf-3", "microdnf", "tdnf", "yum", "zypper"})
_VALUED: Final = frozenset(
    {
        "-c", "--config", "-x", "--exclude", "--enablerepo", "--disablerepo", "--repo", "--repoid", "--releasever",
        "--installroot", "--setopt", "-r", "--from", "-t", "--type", "-R", "--root", "--comment", "--forcearch",
    }
)  # fmt: skip
_UPGRADES: Final = frozenset(
    {"distro-sync", "dist-upgrade", "dup", "patch", "up", "update", "upgrade", "upgrade-minimal"}
)
_INSTALLS: Final = frozenset({"builddep", "groupinstall", "in", "install", "reinstall", "si", "source-install"})
_VERSION: Final = re.compile(r"-(?:\d+:)?(?:\d[\w+~^]*(?:\.[\w+~^]+)+|\d[\w.+~^]*-\d[\w.+~^]*)$|-\$\{?\w+\}?$|=[^<>]+$")


def _risks(recipe: Recipe) -> Iterator[Risk]:
    for step, command in recipe.runs():
        if command.name not in _NAMES:
            continue
        verb, line = subcommand(command, _VALUED)
        if verb in {"group", "groups", "module"} and line.operands[:1] == ("install",):
            verb, line = f"{verb} install", CommandLine(line.options, line.operands[1:])
        loose = _loose(command, line)
        called = f"`{command.name} {verb}`"
        if verb in _UPGRADES and (loose or not line.operands):
            message = f"{called} replaces packages by whatever is newest on the day of the build"
            yield latent(_SLUG, step, message, command=command)
        elif (verb in _INSTALLS or verb.endswith(" install")) and loose:
            yield latent(_SLUG, step, f"{called} takes the newest version of {listed(loose)}", command=command)
        elif verb in _INSTALLS and [name for name in line.operands if not _is_file(name)]:
            message = f"{called} names versions, but not those of the dependencies"
            yield latent(_SLUG, step, message, command=command, severity="note")


def _loose(command: Command, line: CommandLine) -> list[str]:
    found = [name for name in line.operands if not _is_file(name) and not _VERSION.search(name)]
    return [*found, "what xargs hands over"] if command.more_arguments else found


def _is_file(name: str) -> bool:
    return name.endswith(".rpm") or "://" in name or name.startswith(("./", "/"))


cause = Cause(
    slug=_SLUG,
    page=__doc__ or "",
    remedy="name packages as NAME-VERSION-RELEASE and take them from a repository of one date",
    risk=_risks,
)
