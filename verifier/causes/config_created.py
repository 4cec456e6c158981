"""The image config records when it was built.

What varies: `created` of the image config, and `created` of each history entry that the build added.

Why it matters: the config's digest is the image's identity, so no two builds ever have the same.

How it is recognised: the value at one of these two keys is an RFC 3339 time within its own build's window. Entries
that come from the base image are the same on both sides, and are left alone.

Remedy: build with SOURCE_DATE_EPOCH (BuildKit 0.11, Buildah 1.41) or `--timestamp` (Buildah, Podman). The classic
engine has no such option.

Source: OCI image specification, "Image Configuration"; BuildKit, docs/build-repro.md; buildah-build(1).
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

_KEYS: Final = re.compile(r"/created|/history/\d+/created")


def _normalise(field: Field, place: Place, side: SideContext) -> Iterator[Claim]:
    if place.part != "config" or field.kind != "json" or not _KEYS.fullmatch(field.name):
        return
    time = parse_rfc3339(field.value.strip(b'"'))
    if time is not None and is_of_build(side, *time):
        yield Claim(1, len(field.value) - 1, "RFC 3339")


cause = Cause(
    slug="config-created",
    page=__doc__ or "",
    remedy="build with SOURCE_DATE_EPOCH (verify-build --reproducible shows the effect), or --timestamp",
    timed=True,
    reach=DOCUMENTS,
    normalise=_normalise,
)
