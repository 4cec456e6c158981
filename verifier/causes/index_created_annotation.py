"""The index records when it was built.

What varies: the annotation `org.opencontainers.image.created` of an index or manifest, or of a descriptor in the
index.

Why it matters: the digest of the index differs although every image in it is the same, and people pin that digest
too.

How it is recognised: the annotation's value is an RFC 3339 time within its own build's window.

Remedy: build with SOURCE_DATE_EPOCH, or pin the digest of the image manifest instead of the index.

Source: OCI image specification, "Annotations"; BuildKit, docs/annotations.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from verifier.causes.cause import DOCUMENTS, Cause, Claim, Place, SideContext
from verifier.causes.moments import is_of_build
from verifier.formats.field import Field
from verifier.formats.times import parse_rfc3339

__all__ = ["cause"]

_KEY: Final = "/annotations/org.opencontainers.image.created"


def _normalise(field: Field, place: Place, side: SideContext) -> Iterator[Claim]:
    if place.part not in ("index", "manifest") or field.kind != "json" or not field.name.endswith(_KEY):
        return
    time = parse_rfc3339(field.value.strip(b'"'))
    if time is not None and is_of_build(side, *time):
        yield Claim(1, len(field.value) - 1, "RFC 3339")


cause = Cause(
    slug="index-created-annotation",
    page=__doc__ or "",
    remedy="build with SOURCE_DATE_EPOCH, or pin the image manifest's digest instead of the index's",
    severity="note",
    timed=True,
    reach=DOCUMENTS,
    normalise=_normalise,
)
