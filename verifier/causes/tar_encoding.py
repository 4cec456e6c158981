"""Two archives say the same and write it in two ways.

What varies: the tar format (v7, ustar, GNU, pax), how numbers and names are spelled, pax records of access and change
times, and how many blocks of zeros end the archive.

Why it matters: what is unpacked is the same, and yet the `diff_id` differs.

How it is recognised: all parsed fields are compared by themselves. Of the rest of a header only what archivers are
known to write counts as writing; a byte that follows none of these ways stays unexplained. The archive's end must be
whole blocks of zeros.

Remedy: one builder in one version on both sides; by hand, one archiver with `--format=…`.

Source: POSIX.1-2008, "ustar Interchange Format", "pax Interchange Format"; GNU tar manual, "Basic Tar Format".
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from typing import Final

from verifier.causes.cause import HEADERS, Cause, Claim, Place, SideContext
from verifier.formats.field import Field

__all__ = ["cause"]

MAX_END_BYTES: Final = 1024 * 1024
"""Of zeros at the end of an archive; GNU tar fills up to 10 KiB unless it is told otherwise."""

_BLOCK: Final = 512


def _normalise(field: Field, place: Place, side: SideContext) -> Iterator[Claim]:  # noqa: ARG001
    if place.part != "layer":
        return
    if field.kind == "tar-encoding" or (field.kind == "trailer" and _is_zeros(field.value)):
        yield Claim(0, len(field.value), field.kind)


def _is_zeros(value: bytes) -> bool:
    """Tell whether an archive's end, given by size and digest, is two blocks of zeros or more, as the format wants."""
    end = json.loads(value)
    size, digest = end.get("size"), end.get("digest")
    if not isinstance(size, int) or size % _BLOCK or not 2 * _BLOCK <= size <= MAX_END_BYTES:
        return False
    return bool(digest == "sha256:" + hashlib.sha256(bytes(size)).hexdigest())


cause = Cause(
    slug="tar-encoding",
    page=__doc__ or "",
    remedy="make layers with one builder in one version, or with one archiver and a fixed --format",
    severity="note",
    reach=HEADERS,
    normalise=_normalise,
)
