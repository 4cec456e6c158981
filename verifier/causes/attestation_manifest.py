"""The provenance attestation describes one build, not the image.

What varies: in the in-toto statement beside the image, when the build began and ended, and the number it was given:
`buildInvocationID`, `buildStartedOn`, `buildFinishedOn` (SLSA 0.2), `invocationId`, `startedOn`, `finishedOn` (SLSA
1).

Why it matters: the image manifest is the same, but the index around it is not, nor is its digest.

How it is recognised: by these keys. A time must lie within its own build's window; the number is BuildKit's identity,
25 characters of base 36, or a UUID, and is taken as given: hence this is never called proven.

Remedy: `--provenance=false --sbom=false`, or BUILDX_NO_DEFAULT_ATTESTATIONS=1, or pin the image manifest's digest.

Source: BuildKit, docs/attestations/slsa-provenance.md; https://slsa.dev/spec/v1.0/provenance.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from verifier.causes.cause import DOCUMENTS, Cause, Claim, Place, SideContext
from verifier.causes.moments import is_of_build
from verifier.formats.field import Field
from verifier.formats.times import parse_rfc3339

__all__ = ["cause"]

_TIMES: Final = re.compile(r".*/metadata/(?:buildStartedOn|buildFinishedOn|startedOn|finishedOn)")
_NUMBERS: Final = re.compile(r".*/metadata/(?:buildInvocationID|invocationId)")
_NUMBER: Final = re.compile(rb'"(?:[0-9a-z]{25}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})"')


def _normalise(field: Field, place: Place, side: SideContext) -> Iterator[Claim]:
    if place.part != "attestation" or field.kind != "json":
        return
    if _NUMBERS.fullmatch(field.name) and _NUMBER.fullmatch(field.value):
        yield Claim(1, len(field.value) - 1, "identity")
    elif _TIMES.fullmatch(field.name):
        time = parse_rfc3339(field.value.strip(b'"'))
        if time is not None and is_of_build(side, *time):
            yield Claim(1, len(field.value) - 1, "RFC 3339")


cause = Cause(
    slug="attestation-manifest",
    page=__doc__ or "",
    remedy="build with --provenance=false --sbom=false, or pin the image manifest's digest instead of the index's",
    severity="note",
    opaque=True,
    timed=True,
    reach=DOCUMENTS,
    normalise=_normalise,
)
