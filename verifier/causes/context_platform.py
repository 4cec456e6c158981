"""The working copy was checked out on another system.

What varies: line ends (LF, or CR LF where git converts them), and whether the owner may execute a file, which Windows
has no notion of: builders' clients there send every file as 0755.

Why it matters: the image depends on who checked out; a script that begins with `#!/bin/sh` and CR does not even run.

How it is recognised: a COPY or ADD made the entry, and its text is the same but for line ends, or its mode has the
owner's execute bit on one side. What the bit should be is not known: such a finding is never called proven.

Remedy: `* text=auto eol=lf` in `.gitattributes`, and `COPY --chmod=`.

Source: gitattributes(5), `eol`; git-config(1), `core.autocrlf`, `core.fileMode`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from verifier.causes.cause import CONTENTS, HEADERS, Cause, Claim, Place, SideContext
from verifier.causes.made_by import is_copy
from verifier.formats.field import Field
from verifier.oci.tar_entry import FILE

__all__ = ["cause"]

MAX_TEXT_BYTES: Final = 1024 * 1024
"""Of one text whose line ends are looked at; sources are smaller."""

_LINE_END: Final = re.compile(rb"\r?\n")
_MODE: Final = re.compile(rb"[0-7]([67])[0-7]{2}")


def _normalise(field: Field, place: Place, side: SideContext) -> Iterator[Claim]:  # noqa: ARG001
    if place.part != "layer" or place.type != FILE or not is_copy(place):
        return
    if place.field == "content" and field.kind == "text" and len(field.value) <= MAX_TEXT_BYTES:
        for match in _LINE_END.finditer(field.value):
            yield Claim(match.start(), match.end(), "line end")
    elif place.field == field.kind == "mode":
        found = _MODE.fullmatch(field.value)
        if found is not None:
            yield Claim(found.start(1), found.end(1), "owner may execute or not", opaque=True)


cause = Cause(
    slug="context-platform",
    page=__doc__ or "",
    remedy="set `* text=auto eol=lf` in .gitattributes, and the permissions with COPY --chmod=",
    reach=CONTENTS | HEADERS,
    normalise=_normalise,
)
