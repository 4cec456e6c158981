"""TeX dumps its formats while the image is built.

What varies: formats and bases (`*.fmt`, `*.base`), which are images of a TeX engine's memory; the logs of making them;
and `ls-R`, the list of files in the order of the file system.

Why it matters: every TeX package rebuilds them when it is installed. SOURCE_DATE_EPOCH alone does not help.

How it is recognised: formats and bases by their format, in any path, plain or compressed: they begin with `W2TX` or
`W2MF`. Logs and lists by path, in a tree of TeX's own (`texmf` or `texmf-var`). What is in them is not looked into:
hence this is never called proven.

Remedy: remove `/var/lib/texmf/web2c` and `/var/lib/texmf/ls-R` in the same RUN and make them anew when they are needed
(`fmtutil-sys --all`, `mktexlsr`), or COPY formats that were made once.

Source: Web2C manual, "Memory dumps"; kpathsea manual, "Filename database".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from verifier.causes.cause import Cause, Claim, Place, SideContext
from verifier.formats.field import Field

__all__ = ["cause"]

_MAGICS: Final = (b"W2TX", b"W2MF")
_TREE: Final = re.compile(rb"/(?:.*/)?texmf(?:-var)?/(?:ls-R|web2c/(?:[^/]+/)?[^/]+\.(?:fmt|base|mem|log))")


def _normalise(field: Field, place: Place, side: SideContext) -> Iterator[Claim]:  # noqa: ARG001
    if place.field == "content" and field.kind == "bytes" and field.offset == 0 and field.value.startswith(_MAGICS):
        yield Claim(0, len(field.value), "memory dump")


def _given(place: Place, side: SideContext) -> bool:  # noqa: ARG001
    return place.field in {"content", "size"} and _TREE.fullmatch(place.path or b"") is not None


cause = Cause(
    slug="tex-format",
    page=__doc__ or "",
    remedy="remove /var/lib/texmf/web2c and ls-R in the same RUN, or COPY formats that were made once",
    opaque=True,
    normalise=_normalise,
    given=_given,
)
