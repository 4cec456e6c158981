"""The history tells the same step in another builder's words.

What varies: around the command in `history[].created_by`: `RUN` before it and ` # buildkit` behind it, or
`/bin/sh -c #(nop)` before it; and BuildKit's comment with the version of its format.

Why it matters: the config's digest differs although nothing in the image does.

How it is recognised: these words are taken off as the builders write them; what is left, the command, must be the same.

Remedy: one builder in one version, and `# syntax=` pinned by digest.

Source: BuildKit, solver/llbsolver and frontend/dockerfile ("buildkit.dockerfile.v0"); moby, builder/dockerfile.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from verifier.causes.cause import DOCUMENTS, Cause, Claim, Place, SideContext
from verifier.formats.field import Field

__all__ = ["cause"]

_CREATED_BY: Final = re.compile(r"/history/\d+/created_by")
_COMMENT: Final = re.compile(r"/history/\d+/comment")
_RUN: Final = re.compile(rb'"((?:RUN (?=/|\|))?)(?:/|\|).*?((?: # buildkit)?)"', re.DOTALL)
_OTHER: Final = re.compile(rb'"((?:/bin/sh -c #\(nop\) +)?)[A-Z]+ .*?( *(?: # buildkit)?)"', re.DOTALL)
_FORMAT: Final = re.compile(rb'"(buildkit\.[a-z.]{1,40}\.v\d{1,3})"')


def _normalise(field: Field, place: Place, side: SideContext) -> Iterator[Claim]:  # noqa: ARG001
    if place.part != "config" or field.kind != "json":
        return
    if _COMMENT.fullmatch(field.name):
        found = _FORMAT.fullmatch(field.value)
        if found is not None:
            yield Claim(found.start(1), found.end(1), "version of the history's format")
    elif _CREATED_BY.fullmatch(field.name):
        found = _OTHER.fullmatch(field.value) if b"#(nop)" in field.value else None
        found = found or _RUN.fullmatch(field.value) or _OTHER.fullmatch(field.value)
        if found is not None:
            yield Claim(found.start(1), found.end(1), "builder's words before")
            yield Claim(found.start(2), found.end(2), "builder's words behind")


def _optional(field: Field, place: Place, side: SideContext) -> bool:  # noqa: ARG001
    is_comment = place.part == "config" and _COMMENT.fullmatch(field.name) is not None
    return is_comment and _FORMAT.fullmatch(field.value) is not None


cause = Cause(
    slug="history-text",
    page=__doc__ or "",
    remedy="build with one builder in one version, and pin `# syntax=` by its digest",
    severity="note",
    reach=DOCUMENTS,
    normalise=_normalise,
    optional=_optional,
)
