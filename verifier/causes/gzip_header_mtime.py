"""The layer's gzip header holds a time.

What varies: bytes 4 to 7 of the layer's blob, MTIME of the gzip format, and with them the blob's digest; the `diff_id`
and every other byte are the same.

Why it matters: registries and pins know layers by the blob's digest. What is in the layer is the same to the byte.

How it is recognised: both blobs were inflated and have one `diff_id`; they are of one size, and without these four
bytes they have one digest.

Remedy: a builder that writes no time there, as BuildKit, Docker, Buildah and Podman do; by hand, `gzip -n`.

Source: RFC 1952, section 2.3.1; gzip(1), `--no-name`.
"""

from __future__ import annotations

from collections.abc import Iterator

from verifier.causes.cause import HEADERS, Cause, Claim, Place, SideContext
from verifier.formats.field import Field

__all__ = ["cause"]


def _normalise(field: Field, place: Place, side: SideContext) -> Iterator[Claim]:  # noqa: ARG001
    if place.part == "layer" and place.field == "digest" and field.kind == "layer-mtime":
        yield Claim(0, len(field.value), "MTIME")


cause = Cause(
    slug="gzip-header-mtime",
    page=__doc__ or "",
    remedy="compress layers by a builder that writes no time into the gzip header, or with `gzip -n`",
    severity="note",
    reach=HEADERS,
    normalise=_normalise,
)
