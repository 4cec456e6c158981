"""apk keeps the packages' scripts in an archive, with the time.

What varies: the times of the members of `/lib/apk/db/scripts.tar` (apk-tools 3: `scripts.tar.gz`).

Why it matters: every `apk add` writes the archive anew.

How it is recognised: by path and by the tar format; the times lie within their own build's window.

Remedy: `ARG SOURCE_DATE_EPOCH` in the stage, so that apk sees it (apk-tools 2.14.1 and later).

Source: apk-tools, src/database.c, `apk_db_scriptdb_write`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from verifier.causes.cause import Cause, Claim, Place, SideContext
from verifier.causes.moments import is_of_build
from verifier.formats.field import Field

__all__ = ["cause"]

_PATHS: Final = tuple(
    folder + name for folder in (b"/lib/apk/db/", b"/usr/lib/apk/db/") for name in (b"scripts.tar", b"scripts.tar.gz")
)


def _normalise(field: Field, place: Place, side: SideContext) -> Iterator[Claim]:
    if place.path in _PATHS and field.kind == "tar-mtime":
        digits = field.value.strip(b" \0")
        if digits and not digits.strip(b"01234567") and is_of_build(side, int(digits, 8)):
            yield Claim(0, len(field.value), "tar mtime")


cause = Cause(
    slug="apk-scripts-tar",
    page=__doc__ or "",
    remedy="declare ARG SOURCE_DATE_EPOCH in the stage, so that apk sees it",
    timed=True,
    normalise=_normalise,
)
