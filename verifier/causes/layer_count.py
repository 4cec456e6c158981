"""The same files are cut into another number of layers.

What varies: how many layers the image has: Buildah makes one of the whole Dockerfile unless `--layers` is given,
Podman one for each instruction; `--squash` makes one of all.

Why it matters: neither the manifest nor any `diff_id` can be the same, though the root file system is.

How it is recognised: both sides merge to the same root file system (`files/v1`), out of another number of layers. What
stands in a layer on one side only is taken as given, and so is what the history says of which instruction made one:
hence this is never called proven.

Remedy: say how layers are cut: `--layers=true` or `--layers=false`, with or without `--squash`, on both sides.

Source: buildah-build(1), `--layers`, `--squash`; podman-build(1).
"""

from __future__ import annotations

import re
from typing import Final

from verifier.causes.cause import Cause, Place, SideContext
from verifier.formats.field import Field

__all__ = ["cause"]

_EMPTY: Final = re.compile(r"/history/\d+/empty_layer")


def _given(place: Place, side: SideContext) -> bool:  # noqa: ARG001
    return place.is_cut and place.field in ("layer", "entry")


def _optional(field: Field, place: Place, side: SideContext) -> bool:  # noqa: ARG001
    is_mark = place.part == "config" and _EMPTY.fullmatch(field.name) is not None
    return place.is_cut and is_mark and field.value == b"true"


cause = Cause(
    slug="layer-count",
    page=__doc__ or "",
    remedy="say how layers are cut (--layers, --squash), and say the same on both sides",
    opaque=True,
    optional=_optional,
    given=_given,
)
