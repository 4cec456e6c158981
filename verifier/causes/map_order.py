"""The members of a JSON object stand in another order.

What varies: the order in which a builder writes the keys of config, manifest or index; every value is the same.

Why it matters: digests are of bytes, so that the same statement in another order is another image.

How it is recognised: sorted by their keys, both sides' objects are the same, with the same spelling of keys and the
same white space; lists must be in one order.

Remedy: a builder, and a version of it, that sorts what it writes (BuildKit sorts proxy arguments from 0.29 on).

Source: RFC 8259, section 4: "an object is an unordered collection".
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from verifier.causes.cause import DOCUMENTS, Cause, Claim, Place, SideContext
from verifier.formats.field import Field
from verifier.formats.json_layout import sorted_layout

__all__ = ["cause"]


def _normalise(field: Field, place: Place, side: SideContext) -> Iterator[Claim]:  # noqa: ARG001
    if place.part in ("manifest", "config", "index") and field.kind == "json-layout":
        try:
            kept = sorted_layout(field.value)
        except ValueError:
            return
        yield Claim(0, len(field.value), f"members, sorted: {hashlib.sha256(kept).hexdigest()}")


cause = Cause(
    slug="map-order",
    page=__doc__ or "",
    remedy="build with one builder in one version, one that sorts what it writes",
    severity="note",
    reach=DOCUMENTS,
    normalise=_normalise,
)
