"""ADD unpacks an archive with the times and owners that are in it.

What varies: nothing, as long as the archive is the same file. Made anew, it has other times, perhaps another order
and other owners, and all of them come into the image.

Why it matters: a builder that rewrites times changes those too; one that does not keeps them, so that the remedy lies
where the archive is made.

How it is recognised: by ADD of a local source whose name is a tar archive's. The archive may well be fixed: only a
note.

Remedy: make the archive with `tar --sort=name --mtime=@$SOURCE_DATE_EPOCH --owner=0 --group=0 --numeric-owner`,
compress it with `gzip -n`, and keep it in version control or fetch it by its digest.

Source: Dockerfile reference, "ADD", "Adding local tar archives"; reproducible-builds.org, "Archive metadata".
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from verifier.causes.cause import Cause
from verifier.causes.rules.wording import latent, listed
from verifier.dockerfile.features import is_git_source
from verifier.dockerfile.recipe import Recipe
from verifier.model.finding import Risk

__all__ = ["cause"]

_SLUG: Final = "local-tar-add"
_SUFFIXES: Final = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz", ".tar.zst")


def _risks(recipe: Recipe) -> Iterator[Risk]:
    for step in recipe.steps:
        statement = step.statement
        if statement.keyword != "ADD" or statement.flag("unpack") == "false":
            continue
        archives = [
            source
            for source in statement.arguments[:-1]
            if source.lower().endswith(_SUFFIXES) and "://" not in source and not is_git_source(source)
        ]
        if archives:
            message = f"the times and owners in {listed(archives)} come into the image: made anew, it has others"
            yield latent(_SLUG, step, message, severity="note")


cause = Cause(
    slug=_SLUG,
    page=__doc__ or "",
    remedy="make the archive with sorted names, fixed times and owners, and compress it with `gzip -n`",
    severity="note",
    risk=_risks,
)
