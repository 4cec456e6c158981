"""Gather differences for people: thousands of leaves become a few groups, the largest first."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from verifier.model.difference import Difference, LayerPair

_NUMBER: Final = re.compile(r"(?<=/)\d+(?=/|$)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Differences of one part, layer and field; list positions in JSON pointers are written as `*`."""

    platform: str | None
    part: str
    layer: LayerPair | None
    field: str
    differences: tuple[Difference, ...]


def group_differences(differences: Iterable[Difference]) -> tuple[Group, ...]:
    """Group by platform, part, layer and field; the largest group first, equals in the report's own order."""
    groups: dict[tuple[str | None, str, LayerPair | None, str], list[Difference]] = {}
    for item in differences:
        platform = None if item.platform is None else str(item.platform)
        field = _NUMBER.sub("*", item.field) if item.field.startswith("/") else item.field
        groups.setdefault((platform, item.part, item.layer, field), []).append(item)
    made = [
        Group(platform=platform, part=part, layer=layer, field=field, differences=tuple(items))
        for (platform, part, layer, field), items in groups.items()
    ]
    return tuple(sorted(made, key=lambda group: -len(group.differences)))
