"""/etc/shadow counts the days since a password changed.

What varies: the third field of `/etc/shadow` (and of its backup `shadow-`), in days since 1970.

Why it matters: two builds on one day agree; the build of tomorrow will not.

How it is recognised: by path and grammar, and a day that is one of its own build's.

Remedy: `ARG SOURCE_DATE_EPOCH` in the stage, so that useradd and chpasswd see it (shadow 4.11 and later).

Source: shadow(5).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from verifier.causes.cause import Cause, Claim, Place, SideContext
from verifier.causes.moments import is_of_build
from verifier.causes.rules.leftovers import shadow_risks
from verifier.formats.field import Field

__all__ = ["cause"]

_PATHS: Final = (b"/etc/shadow", b"/etc/shadow-")
_LINE: Final = re.compile(rb"^[^:\n]+:[^:\n]*:(\d{1,6}):", re.MULTILINE)
_DAY: Final = 86400


def _normalise(field: Field, place: Place, side: SideContext) -> Iterator[Claim]:
    if place.path not in _PATHS or place.field != "content" or field.kind != "text":
        return
    for match in _LINE.finditer(field.value):
        if is_of_build(side, int(match[1]) * _DAY, _DAY):
            yield Claim(match.start(1), match.end(1), "days")


cause = Cause(
    slug="shadow-lastchg",
    page=__doc__ or "",
    remedy="declare ARG SOURCE_DATE_EPOCH in the stage and pass it, so that useradd and passwd use it",
    timed=True,
    normalise=_normalise,
    risk=shadow_risks,
)
