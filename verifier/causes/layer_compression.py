"""One tar stream was compressed in two ways.

What varies: the bytes of the layer's blob, and so its digest and size, over one and the same `diff_id`: another
compressor, another version of it, another level, or another format (gzip, zstd) with its media type.

Why it matters: registries and pins know layers by the blob's digest. What is in the layer is the same to the byte.

How it is recognised: both blobs were inflated and have the `diff_id` that the configs agree on. In media types, what
names the compression is taken out.

Remedy: use one builder in one version, and say what it shall do:
`compression=…,compression-level=…,force-compression=true`.

Source: OCI image specification, "Image Layer Filesystem Changeset"; buildah#3866: a compressor's output is no
contract.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from verifier.causes.cause import DOCUMENTS, HEADERS, Cause, Claim, Place, SideContext
from verifier.formats.field import Field

__all__ = ["cause"]

_LAYER_TYPE: Final = re.compile(r"/layers/\d+/mediaType")
_SUFFIX: Final = re.compile(rb'(?<=\.tar)[.+]?(gzip|zstd|)(?="$)')


def _normalise(field: Field, place: Place, side: SideContext) -> Iterator[Claim]:  # noqa: ARG001
    if place.part == "layer" and place.field == "digest" and field.kind in ("digest", "layer-rest"):
        yield Claim(0, len(field.value), "digest over an equal diff_id")
    elif place.part == "manifest" and field.kind == "json" and _LAYER_TYPE.fullmatch(field.name):
        found = _SUFFIX.search(field.value)
        if found is not None:
            yield Claim(found.start(1), found.end(1), "compression")


cause = Cause(
    slug="layer-compression",
    page=__doc__ or "",
    remedy="build both times with one builder and fixed compression options, and record diff_ids beside digests",
    severity="note",
    reach=DOCUMENTS | HEADERS,
    normalise=_normalise,
)
