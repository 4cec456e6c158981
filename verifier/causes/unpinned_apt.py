"""apt installs whatever version is newest.

What varies: which version of a package, and of everything that it depends on, the archive holds on the day of the
build.

Why it matters: security updates come every day. Two builds a minute apart agree; the same Dockerfile gives other
files next week, and other behaviour.

How it is recognised: in `/var/lib/dpkg/status`, by another version of the same package, and what came with it; in the
logs of dpkg and apt, where these write versions. Files of such a package, and of those that are there because it
depends on them, follow from that: what dpkg's own lists give to it, where on each side the content has the MD5 that
dpkg recorded there, links to what it lists as well, and bytecode of such sources. So do links that one side
alone has to such a file, and what is made of such files alone: debconf's templates, the bundle of certificates and
their list. What a version should hold is not known: this is never called proven. What is not as recorded, modes and
owners are not put down to it.

In the Dockerfile, `apt-get install` and its kin without `=VERSION`, and any upgrade. A version by itself pins no
dependency, and Debian's mirrors drop versions that were replaced: that is only noted. A source at snapshot.debian.org
or snapshot.ubuntu.com, or `--snapshot`, settles all of it.

Remedy: install from a snapshot of the archive, of one date:
`RUN echo "deb [check-valid-until=no] http://snapshot.debian.org/archive/debian/20250101T000000Z bookworm main" >
/etc/apt/sources.list && rm -f /etc/apt/sources.list.d/debian.sources`.

Source: snapshot.debian.org; apt-get(8), `--snapshot`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from verifier.causes.cause import Cause, Claim, Place, SideContext
from verifier.causes.inventory import Inventory
from verifier.causes.rules.apt_sources import from_snapshot
from verifier.causes.rules.command_line import CommandLine, subcommand
from verifier.causes.rules.wording import latent, listed, refuted
from verifier.dockerfile.recipe import Recipe, Step
from verifier.dockerfile.shell import Command
from verifier.formats.debian_lists import DEBIAN_LISTS
from verifier.formats.field import Field
from verifier.formats.installed_packages import Away, Package, dpkg_files, dpkg_packages
from verifier.formats.package_logs import logged_versions
from verifier.formats.package_records import dpkg_stretches
from verifier.model.finding import Risk

__all__ = ["cause"]

_SLUG: Final = "unpinned-apt"
_NAMES: Final = frozenset({"apt", "apt-fast", "apt-get", "aptitude"})
_VALUED: Final = frozenset(
    {
        "-t", "--target-release", "--default-release", "-o", "--option", "-c", "--config-file", "-a",
        "--host-architecture", "-S", "--snapshot",
    }
)  # fmt: skip
_STATUS: Final = b"/var/lib/dpkg/status"
_RECORDS: Final = frozenset({_STATUS, _STATUS + b"-old", b"/var/log/apt/eipp.log.xz"})
_INFO: Final = re.compile(rb"(/var/lib/dpkg/info/[^/]+)\.[a-z0-9-]+")
_UPGRADES: Final = frozenset({"upgrade", "dist-upgrade", "full-upgrade", "safe-upgrade"})
_INSTALLS: Final = frozenset({"install", "reinstall", "build-dep", "satisfy", "source", "download"})


def _risks(recipe: Recipe) -> Iterator[Risk]:
    for step, command in recipe.runs():
        if command.name == "install_packages":
            yield from _judge(recipe, step, command, "install", subcommand(command, ())[1])
        elif command.name in _NAMES:
            verb, line = subcommand(command, _VALUED)
            yield from _judge(recipe, step, command, verb, line)


def _judge(recipe: Recipe, step: Step, command: Command, verb: str, line: CommandLine) -> Iterator[Risk]:
    called = f"`{command.name} {verb}`" if command.name in _NAMES else f"`{command.name}`"
    if line.has("--print-uris", "-s", "--simulate", "--dry-run", "--just-print"):
        return
    if verb in _UPGRADES:
        problem = f"{called} replaces packages by whatever is newest on the day of the build"
    elif verb in _INSTALLS:
        packages = [name for name in line.operands if not _is_local(name)]
        if command.name == "install_packages" and verb == "install":
            first = command.argv[1].text if len(command.argv) > 1 else ""
            packages = [first, *packages] if first and not first.startswith("-") else packages
        loose = [name for name in packages if "=" not in name]
        if command.more_arguments:
            loose.append("what xargs hands over")
        if loose:
            problem = f"{called} takes the newest version of {listed(loose)}"
        elif packages:
            problem = ""
        else:
            return
    else:
        return
    if line.has("--snapshot", "-S") or from_snapshot(recipe, step):
        yield refuted(_SLUG, step, f"{called} takes from a snapshot of the archive", command=command)
    elif problem:
        yield latent(_SLUG, step, problem, command=command)
    else:
        message = f"{called} names versions, but not those of the dependencies, and mirrors drop replaced versions"
        yield latent(_SLUG, step, message, command=command, severity="note")


def _is_local(name: str) -> bool:
    return name.startswith(("./", "../", "/")) or name.endswith(".deb")


def _normalise(field: Field, place: Place, side: SideContext) -> Iterator[Claim]:  # noqa: ARG001
    if place.path is None or place.field != "content" or field.kind != "text":
        return
    stretches = dpkg_stretches(field.value) if place.path in _RECORDS else logged_versions(place.path, field.value)
    for stretch in stretches:
        form = f"{'version' if stretch.is_version else 'record'} of {stretch.package}"
        yield Claim(stretch.start, stretch.end, form, opaque=not stretch.is_version)


def _packages(path: bytes, content: bytes) -> Iterator[Package]:  # noqa: ARG001
    return dpkg_packages(content)


def _stem(path: bytes) -> bytes | None:
    match = _INFO.fullmatch(path)
    return None if match is None else match[1]


def _without(path: bytes, text: bytes, away: Away) -> bytes:
    return DEBIAN_LISTS[path](text, away)


cause = Cause(
    slug=_SLUG,
    page=__doc__ or "",
    remedy="install from a dated snapshot of the archive (snapshot.debian.org, snapshot.ubuntu.com)",
    normalise=_normalise,
    inventory=Inventory(
        is_database=_STATUS.__eq__,
        packages=_packages,
        files=dpkg_files,
        stem=_stem,
        is_list=DEBIAN_LISTS.__contains__,
        without=_without,
    ),
    risk=_risks,
)
