"""apt keeps an image of its memory.

What varies: `/var/cache/apt/pkgcache.bin` and `srcpkgcache.bin`, 40 MB of tables with hashes, offsets and file times.

Why it matters: it makes the layer large as well as different.

How it is recognised: by path and by the signature that apt writes at the start (98 FE 76 DC). The whole content is
taken as given: hence this is never called proven.

Remedy: remove them in the same RUN: `rm -f /var/cache/apt/*.bin`, or `apt-get clean`.

Source: apt, apt-pkg/pkgcache.h, `pkgCache::Header`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from verifier.causes.cause import Cause, Claim, Place, SideContext
from verifier.formats.field import Field

__all__ = ["cause"]

_PATHS: Final = (b"/var/cache/apt/pkgcache.bin", b"/var/cache/apt/srcpkgcache.bin")
_SIGNATURES: Final = (b"\x98\xfe\x76\xdc", b"\xdc\x76\xfe\x98")


def _normalise(field: Field, place: Place, side: SideContext) -> Iterator[Claim]:  # noqa: ARG001
    if place.path in _PATHS and place.field == "content" and field.value.startswith(_SIGNATURES):
        yield Claim(0, len(field.value), "apt cache")


cause = Cause(
    slug="apt-pkgcache",
    page=__doc__ or "",
    remedy="remove it in the same RUN: rm -f /var/cache/apt/*.bin",
    opaque=True,
    normalise=_normalise,
)
