"""ADD downloads something that nothing checks.

What varies: what the address serves on the day of the build; BuildKit also takes the file's time from
`Last-Modified`.

Why it matters: the server can serve something else at any time; a branch or a tag of a repository can be moved.

How it is recognised: in the Dockerfile, by ADD with an `http` or `https` address and no `--checksum`, and with a git
address whose fragment is no commit id. In two images, by content, times and files that differ in the layer of such an
ADD; what they should be is not known: hence this is never called proven.

Remedy: `ADD --checksum=sha256:… URL DEST`; `ADD https://host/repository.git#COMMIT DEST`, or `?checksum=COMMIT`.

Source: Dockerfile reference, "ADD", "--checksum", "Adding files from a Git repository".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from verifier.causes.cause import Cause, Place, SideContext
from verifier.causes.made_by import is_remote, keyword, sources
from verifier.causes.rules.wording import latent, refuted, shortened
from verifier.dockerfile.features import is_git_source
from verifier.dockerfile.recipe import Recipe, Step, known_word
from verifier.model.finding import Risk

__all__ = ["cause"]

_SLUG: Final = "remote-add"
_FIELDS: Final = frozenset({"content", "size", "mtime", "entry"})
_COMMIT: Final = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_QUERY: Final = re.compile(r"[?&](?:checksum|commit)=([0-9a-f]{7,64})")
_CHECKSUM: Final = re.compile(r"sha(?:256|384|512):[0-9a-f]{64,128}")


def _risks(recipe: Recipe) -> Iterator[Risk]:
    for step in recipe.steps:
        if step.statement.keyword == "ADD":
            for source in step.statement.arguments[:-1]:
                yield from _judge(recipe, step, known_word(recipe, step, source))


def _judge(recipe: Recipe, step: Step, source: str) -> Iterator[Risk]:
    checksum = known_word(recipe, step, step.statement.flag("checksum") or "")
    shown = f"`{shortened(source)}`"
    if is_git_source(source):
        fragment = source.partition("#")[2].partition(":")[0]
        if _COMMIT.fullmatch(fragment) or _QUERY.search(source) or re.fullmatch(r"[0-9a-f]{40}", checksum):
            yield refuted(_SLUG, step, f"{shown} is taken at a commit")
        else:
            what = f"`{fragment}` can be moved" if fragment else "its default branch moves"
            yield latent(_SLUG, step, f"{shown} names no commit: {what}")
    elif source.startswith(("http://", "https://", "ftp://")):
        if _CHECKSUM.fullmatch(checksum):
            yield refuted(_SLUG, step, f"the digest of {shown} is checked")
        elif "$" in checksum:
            message = f"the digest of {shown} is a build argument without a default"
            yield latent(_SLUG, step, message, severity="note")
        else:
            yield latent(_SLUG, step, f"{shown} is downloaded and nothing checks its digest")


def _given(place: Place, side: SideContext) -> bool:  # noqa: ARG001
    if place.is_base or keyword(place) != "ADD" or place.field not in _FIELDS:
        return False
    found = sources(place)
    return bool(found) and all(is_remote(source) for source in found)


cause = Cause(
    slug=_SLUG,
    page=__doc__ or "",
    remedy="give the digest with `ADD --checksum=sha256:…`, or the commit of a git address",
    given=_given,
    risk=_risks,
)
