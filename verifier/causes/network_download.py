"""A RUN downloads something that nothing checks.

What varies: what an address serves, or where a branch or a tag points, on the day of the build.

Why it matters: both builds of one verification fetch within minutes and mostly get the same bytes; next month, or
from another mirror, they are others, and nobody is told.

How it is recognised: in the Dockerfile, by `curl`, `wget`, `aria2c`, `git clone`, `svn` and `hg` whose result is not
checked in the same instruction. A check counts where the digest is written in the Dockerfile (`sha256sum -c`) or the
commit is (`git checkout COMMIT`), and where the instruction fails along with it: behind `;` without `set -e`, or before
`|| true`, it checks nothing. A digest that is downloaded beside the file checks nothing but the transport, and a
signature names who made the file, not which bytes. In two images, by the content of the very file that such a
command keeps; what it should be is not known: hence this is never called proven.

Remedy: check the digest in the same instruction: `curl -fsSLo f URL && echo "DIGEST  f" | sha256sum -c -`; or `ADD
--checksum=`; or `git checkout` with the whole commit id.

Source: sha256sum(1); git-checkout(1); curl(1).
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Final

from verifier.causes.cause import Cause, Place, SideContext
from verifier.causes.made_by import keyword
from verifier.causes.rules.digest_checks import Check, digest_checks, has_signature_check
from verifier.causes.rules.downloads import Download, basename, downloads
from verifier.causes.rules.repositories import judge_repositories, remotes
from verifier.causes.rules.wording import latent, listed, refuted, shortened
from verifier.dockerfile.arguments import declarations
from verifier.dockerfile.parse import parse_dockerfile
from verifier.dockerfile.recipe import Recipe, Step, known_word, read_recipe
from verifier.dockerfile.shell import Script
from verifier.errors import VerifyBuildError
from verifier.model.finding import Risk

__all__ = ["cause"]

_SLUG: Final = "network-download"
_NEWEST: Final = re.compile(r"(?:^|[/_=-])latest(?:$|[/._?-])", re.IGNORECASE)
_HISTORY: Final = re.compile(r"RUN (?:\|\d+ .*?)?/bin/sh -c ", re.DOTALL)
_BRANCH: Final = re.compile(r"/(?:refs/heads/)?(main|master|HEAD|develop|trunk)/")
_RENAMING: Final = frozenset({"mv", "cp", "ln", "install", "cat", "tee", "dd"})
_INSTALLERS: Final = frozenset({"dnf", "microdnf", "yum", "zypper", "rpm"})


def _risks(recipe: Recipe) -> Iterator[Risk]:
    for step in recipe.steps:
        if step.statement.keyword == "RUN":
            yield from _judge_downloads(recipe, step)
            yield from judge_repositories(_SLUG, step, _open_arguments(recipe, step), remotes(recipe, step))
            yield from _judge_packages(step)


def _judge_downloads(recipe: Recipe, step: Step) -> Iterator[Risk]:
    for _, risk in _judged(recipe, step):
        yield risk


def _judged(recipe: Recipe, step: Step) -> Iterator[tuple[Download, Risk]]:
    found = list(downloads(step.script))
    fetched = {basename(item.file) for item in found if item.file}
    checks = list(digest_checks(step.script, _open_arguments(recipe, step), fetched, _copied(recipe, step)))
    content = [item for item in found if not item.is_aid] or found
    signed = has_signature_check(step.script)
    for item in content:
        check = _check_of(item, checks, content, _mentioned(step.script))
        yield item, _judge(step, item, check, signed=signed)


def _mentioned(script: Script) -> frozenset[str]:
    """Name the files that are given to commands which move, copy or write files."""
    others = (command for command in script.commands if command.name in _RENAMING)
    return frozenset(basename(word) for command in others for word in command.arguments)


def _check_of(
    item: Download, checks: Sequence[Check], content: Sequence[Download], renamed: frozenset[str]
) -> Check | None:
    """Find the check of a download: by the file's name, or because only one can be meant.

    A check that names a file which nothing here makes, `renamed` are what is moved or copied, is another file's.
    """
    if item.file is None:
        return None
    after = sorted((check for check in checks if check.position > item.position), key=lambda check: check.ignored)
    name = basename(item.file)
    named = [check for check in after if name in check.files]
    if named:
        return named[0]
    files = {basename(other.file) for other in content if other.file}
    open_checks = [
        check
        for check in after
        if not files & set(check.files)
        and (not check.files or any("$" in name or name == "-" or name in renamed for name in check.files))
    ]
    kept = [other for other in content if other.file]
    return open_checks[0] if open_checks and (len(kept) == 1 or len(open_checks) >= len(kept)) else None


def _judge(step: Step, item: Download, check: Check | None, *, signed: bool) -> Risk:
    tool, url = item.command.name, f"`{shortened(item.url)}`"
    if item.checked:
        return refuted(
            _SLUG, step, f"`{tool}` downloads {url}: the address or an option names the content", command=item.command
        )
    if check is not None and check.origin in {"written", "argument"} and not check.ignored:
        return refuted(_SLUG, step, f"`{tool}` downloads {url}, whose digest is checked", command=item.command)
    if check is not None and (check.ignored or check.origin == "downloaded") and not signed:
        message = f"`{tool}` downloads {url}, which is checked against a digest that is downloaded as well"
        if check.ignored:
            message = f"`{tool}` downloads {url}: its digest is checked, and the RUN goes on where that fails"
        return latent(_SLUG, step, message, command=item.command)
    if check is not None and check.origin == "elsewhere":
        message = f"`{tool}` downloads {url}; it is checked, but against a digest that is not known here"
        return latent(_SLUG, step, message, command=item.command, severity="note")
    if signed and item.file is not None:
        message = f"`{tool}` downloads {url}: a signature is checked, which names who made it, not which bytes"
        return latent(_SLUG, step, message, command=item.command, severity="note")
    branch = _BRANCH.search(item.url)
    moving = ", which names whatever is newest" if _NEWEST.search(item.url) else ""
    moving = moving or (f", which is on the branch `{branch[1]}`" if branch else "")
    does = "runs" if item.runs else "downloads"
    return latent(_SLUG, step, f"`{tool}` {does} {url}{moving}, and nothing checks its digest", command=item.command)


def _judge_packages(step: Step) -> Iterator[Risk]:
    for command in step.commands:
        addresses = [word for word in command.arguments if re.match(r"(?:https?|ftp)://", word)]
        adds = {"install", "localinstall", "reinstall", "in"} & set(command.arguments) or command.name == "rpm"
        key = command.name == "rpm" and "--import" in command.arguments
        if command.name in _INSTALLERS and addresses and adds:
            does = "imports" if key else "installs"
            message = f"`{command.name}` {does} {listed(addresses)}, and nothing checks the digest"
            yield latent(_SLUG, step, message, command=command)


def _copied(recipe: Recipe, step: Step) -> frozenset[str]:
    """Name the files that were copied from the context before the step."""
    names: set[str] = set()
    for other in recipe.earlier(step):
        statement = other.statement
        if statement.keyword in {"COPY", "ADD"} and not statement.flag("from"):
            local = [source for source in statement.arguments[:-1] if "://" not in source]
            names |= {basename(known_word(recipe, other, source)) for source in local}
    return frozenset(names)


def _open_arguments(recipe: Recipe, step: Step) -> frozenset[str]:
    """List the build arguments that are declared before the step and have no value known here."""
    names: set[str] = set()
    for other in recipe.earlier(step):
        if other.statement.keyword == "ARG":
            names |= {name for name, default in declarations(other.statement) if default is None}
    return frozenset(name for name in names if not step.scope.get(name))


def _given(place: Place, side: SideContext) -> bool:  # noqa: ARG001
    if place.is_base or place.path is None or place.field not in ("content", "size") or keyword(place) != "RUN":
        return False
    path = place.path.decode("utf-8", "surrogateescape")
    return any(
        path == file or (not file.startswith("/") and path.endswith("/" + file)) for file in _unchecked(place.made_by)
    )


@lru_cache(maxsize=256)
def _unchecked(made_by: str) -> frozenset[str]:
    """Name the files that a RUN, given by its text alone, downloads and does not check."""
    text = _HISTORY.sub("RUN ", made_by)
    try:
        recipe = read_recipe(parse_dockerfile(f"FROM scratch\n{text}\n".encode(), "RUN"))
    except VerifyBuildError:
        return frozenset()
    return frozenset(
        posixpath.normpath(item.file)
        for step in recipe.steps
        for item, risk in _judged(recipe, step)
        if item.file and risk.status == "latent"
    )


cause = Cause(
    slug=_SLUG,
    page=__doc__ or "",
    remedy="check the digest, or check out the commit, in the same instruction",
    given=_given,
    risk=_risks,
)
