"""apk installs whatever version is newest.

What varies: which version of a package the Alpine repository holds on the day of the build, and of its dependencies.

Why it matters: a stable branch of Alpine gets fixes every week and keeps no old version: the same Dockerfile gives
other files next week.

How it is recognised: in `/lib/apk/db/installed`, by another version of the same package, and what came with it. Files
of such a package, and of those that are there because it depends on them, follow from that where on each side the
content (of a link, the target) has the digest that apk recorded there. What a version should hold is not known: this is
never called proven. What is not as recorded, modes and owners are not put down to it. In the Dockerfile, `apk add`
without `=VERSION-rN`, with a range (`~=`, `>`), and `apk upgrade`.

Remedy: pin the base by its digest and each package as `NAME=VERSION-rN`; for builds that must work for years, mirror
the packages, since Alpine's repositories hold one version only.

Source: apk-world(5), "Package constraints".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from verifier.causes.cause import Cause, Claim, Place, SideContext
from verifier.causes.inventory import Inventory
from verifier.causes.rules.command_line import subcommand
from verifier.causes.rules.wording import latent, listed
from verifier.dockerfile.recipe import Recipe
from verifier.formats.field import Field
from verifier.formats.installed_packages import Away, Digests, Package, apk_packages, without_apk_records
from verifier.formats.package_records import apk_stretches
from verifier.model.finding import Risk

__all__ = ["cause"]

_SLUG: Final = "unpinned-apk"
_INSTALLED: Final = (b"/lib/apk/db/installed", b"/usr/lib/apk/db/installed")
_VALUED: Final = frozenset(
    {
        "-t", "--virtual", "-X", "--repository", "-p", "--root", "--arch", "--keys-dir", "--repositories-file",
        "--wait", "--cache-dir", "--cache-max-age", "--progress-fd", "--timeout",
    }
)  # fmt: skip


def _risks(recipe: Recipe) -> Iterator[Risk]:
    for step, command in recipe.runs():
        if command.name != "apk":
            continue
        verb, line = subcommand(command, _VALUED)
        if verb == "upgrade" or (verb == "add" and (line.has("--upgrade") or "u" in line.letters().replace("-", ""))):
            message = f"`apk {verb}` replaces packages by whatever is newest on the day of the build"
            yield latent(_SLUG, step, message, command=command)
        elif verb == "add":
            packages = [name for name in line.operands if not name.startswith("!") and not name.endswith(".apk")]
            loose = [name for name in packages if not _is_pinned(name)]
            if command.more_arguments:
                loose.append("what xargs hands over")
            if loose:
                yield latent(_SLUG, step, f"`apk add` takes the newest version of {listed(loose)}", command=command)
            elif packages:
                message = "`apk add` names versions; their dependencies are not, and the repository drops old versions"
                yield latent(_SLUG, step, message, command=command, severity="note")


def _is_pinned(name: str) -> bool:
    return "=" in name and not any(sign in name for sign in "~<>")


def _normalise(field: Field, place: Place, side: SideContext) -> Iterator[Claim]:  # noqa: ARG001
    if place.path in _INSTALLED and place.field == "content" and field.kind == "text":
        for stretch in apk_stretches(field.value):
            form = f"{'version' if stretch.is_version else 'record'} of {stretch.package}"
            yield Claim(stretch.start, stretch.end, form, opaque=not stretch.is_version)


def _packages(path: bytes, content: bytes) -> Iterator[Package]:  # noqa: ARG001
    return apk_packages(content)


def _files(package: Package, records: Mapping[bytes, bytes]) -> Digests:  # noqa: ARG001
    return package.files


def _without(path: bytes, text: bytes, away: Away) -> bytes:  # noqa: ARG001
    return without_apk_records(text, away)


cause = Cause(
    slug=_SLUG,
    page=__doc__ or "",
    remedy="pin the base by its digest and each package as NAME=VERSION-rN",
    normalise=_normalise,
    inventory=Inventory(
        is_database=_INSTALLED.__contains__,
        packages=_packages,
        files=_files,
        is_list=_INSTALLED.__contains__,
        without=_without,
    ),
    risk=_risks,
)
