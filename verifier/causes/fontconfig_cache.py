"""fontconfig remembers when a folder of fonts was last changed.

What varies: bytes 48 to 51 of a fontconfig cache, the folder's modification time, and its nanoseconds at 56 to 63.

Why it matters: every package with fonts makes a cache for each folder of fonts.

How it is recognised: by the format, in any path; the time lies within its own build's window, the nanoseconds are
below a thousand millions.

Remedy: `ARG SOURCE_DATE_EPOCH` in the stage, so that fc-cache sees it, or remove `/var/cache/fontconfig` in the same
RUN.

Source: fontconfig, src/fcint.h, `struct _FcCache`, and src/fccache.c.
"""

from __future__ import annotations

from collections.abc import Iterator

from verifier.causes.cause import Cause, Claim, Place, SideContext
from verifier.causes.moments import is_of_build
from verifier.causes.rules.leftovers import font_cache_risks
from verifier.formats.field import Field

__all__ = ["cause"]

_NANOSECONDS = 1_000_000_000


def _normalise(field: Field, place: Place, side: SideContext) -> Iterator[Claim]:  # noqa: ARG001
    if field.kind == "font-cache-time" and is_of_build(side, int.from_bytes(field.value, "little")):
        yield Claim(0, 4, "seconds")
    elif field.kind == "font-cache-nanoseconds" and int.from_bytes(field.value, "little") < _NANOSECONDS:
        yield Claim(0, 8, "nanoseconds")


cause = Cause(
    slug="fontconfig-cache",
    page=__doc__ or "",
    remedy="declare ARG SOURCE_DATE_EPOCH in the stage, or rm -rf /var/cache/fontconfig in the same RUN",
    timed=True,
    normalise=_normalise,
    risk=font_cache_risks,
)
