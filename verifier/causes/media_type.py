"""Docker's media types on one side, OCI's on the other.

What varies: `mediaType` of the manifest, of the config and of the layers, and nothing of what they name.

Why it matters: the manifest's digest differs although config and layers are the same to the byte.

How it is recognised: each value is one of the names that the two specifications have for the same thing.

Remedy: pin the builder, or say which: `--output …,oci-mediatypes=true`, Buildah's and Podman's `--format oci`.

Source: OCI image specification, "Compatibility Matrix"; buildah-build(1), `--format`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from verifier.causes.cause import DOCUMENTS, Cause, Claim, Place, SideContext
from verifier.formats.field import Field

__all__ = ["cause"]

_KINDS: Final = {
    b"application/vnd.docker.distribution.manifest.v2+json": "manifest",
    b"application/vnd.oci.image.manifest.v1+json": "manifest",
    b"application/vnd.docker.distribution.manifest.list.v2+json": "index",
    b"application/vnd.oci.image.index.v1+json": "index",
    b"application/vnd.docker.container.image.v1+json": "config",
    b"application/vnd.oci.image.config.v1+json": "config",
}
# `.tar.gzip` and `.tar+gzip` are one thing
_LAYER: Final = re.compile(
    rb'"(application/vnd\.(?:docker\.image\.rootfs\.diff\.tar\.?|oci\.image\.layer\.v1\.tar\+?))(gzip|zstd|)"'
)


def _normalise(field: Field, place: Place, side: SideContext) -> Iterator[Claim]:  # noqa: ARG001
    if place.part not in ("manifest", "index") or field.kind != "json" or not field.name.endswith("/mediaType"):
        return
    kind = _KINDS.get(field.value.strip(b'"'))
    if kind is not None:
        yield Claim(1, len(field.value) - 1, kind)
        return
    layer = _LAYER.fullmatch(field.value)
    if layer is not None:
        yield Claim(layer.start(1), layer.end(1), "layer", "docker" if b".docker." in layer[1] else "oci")


cause = Cause(
    slug="media-type",
    page=__doc__ or "",
    remedy="pin the builder, or ask for one kind of manifest (oci-mediatypes=true, --format oci)",
    severity="note",
    reach=DOCUMENTS,
    normalise=_normalise,
)
