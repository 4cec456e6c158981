"""The same entries stand in another order.

What varies: where an entry comes in the layer's archive; which entries there are, and everything about each, is
compared by itself.

Why it matters: the `diff_id` covers the whole archive, so that another order is another layer.

How it is recognised: entries are paired by their paths; those that both sides have are the same ones by construction,
and only their sequence differs. Which entries stand in front of what they need, as a hard link in front of its file,
must be the same on both sides: there the order decides what is unpacked.

Remedy: one builder in one version, which sorts entries; by hand, `tar --sort=name`.

Source: OCI image specification, "Image Layer Filesystem Changeset"; GNU tar manual, `--sort`.
"""

from __future__ import annotations

from collections.abc import Iterator

from verifier.causes.cause import HEADERS, Cause, Claim, Place, SideContext
from verifier.formats.field import Field

__all__ = ["cause"]


def _normalise(field: Field, place: Place, side: SideContext) -> Iterator[Claim]:  # noqa: ARG001
    if place.part == "layer" and place.field == "order" and field.kind == "entry-order":
        yield Claim(0, len(field.value), "sequence")


cause = Cause(
    slug="entry-order",
    page=__doc__ or "",
    remedy="make layers with one builder in one version, or with tar --sort=name",
    severity="note",
    reach=HEADERS,
    normalise=_normalise,
)
