"""ADD unpacks an archive with the times and owners that are in it.

What varies: nothing, as long as the archive is the same file. Made anew, it has other times, perhaps another order
and other owners, and all of them come into the image.

Why it matters: a builder that rewrites times changes those too; one that does not keeps them, so that the remedy lies
where the archive is made.

How it is recognised: in the Dockerfile, by ADD of a local source whose name is a tar archive's; it may well be fixed:
only a note. In two images, by content, times, owners and files that differ in the layer of such an ADD; what they
should be is not known: hence this is never called proven.

Remedy: make the archive with `tar --sort=name --mtime=@$SOURCE_DATE_EPOCH --owner=0 --group=0 --numeric-owner`,
compress it with `gzip -n`, and keep it in version control or fetch it by its digest.

Source: Dockerfile reference, "ADD", "Adding local tar archives"; reproducible-builds.org, "Archive metadata".
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from verifier.causes.cause import Cause, Place, SideContext
from verifier.causes.made_by import is_archive, keyword, sources
from verifier.causes.rules.wording import latent, listed
from verifier.dockerfile.recipe import Recipe
from verifier.model.finding import Risk

__all__ = ["cause"]

_SLUG: Final = "local-tar-add"
_FIELDS: Final = frozenset({"content", "size", "mtime", "uid", "gid", "uname", "gname", "linkname", "entry"})


def _risks(recipe: Recipe) -> Iterator[Risk]:
    for step in recipe.steps:
        statement = step.statement
        if statement.keyword != "ADD" or statement.flag("unpack") == "false":
            continue
        archives = [source for source in statement.arguments[:-1] if is_archive(source)]
        if archives:
            message = f"the times and owners in {listed(archives)} come into the image: made anew, it has others"
            yield latent(_SLUG, step, message, severity="note")


def _given(place: Place, side: SideContext) -> bool:  # noqa: ARG001
    if place.is_base or keyword(place) != "ADD" or place.field not in _FIELDS:
        return False
    found = sources(place)
    return bool(found) and all(is_archive(source) for source in found)


cause = Cause(
    slug=_SLUG,
    page=__doc__ or "",
    remedy="make the archive with sorted names, fixed times and owners, and compress it with `gzip -n`",
    severity="note",
    given=_given,
    risk=_risks,
)
