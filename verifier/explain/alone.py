"""Pair entries that one side alone has, where causes say that it is their names that vary.

Within a pair of layers, each side's lonely paths are renamed by the causes, one side at a time, and each entry becomes
its new name with everything else about it: type, mode, owner, attributes, link target, content, and its time unless
that lies within the build's window. An entry is explained where the other side has as many of the very same.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from verifier.causes.cause import Cause, Place
from verifier.causes.moments import is_of_build
from verifier.causes.trial import Trial
from verifier.explain.reader import Sides
from verifier.model.difference import Difference

_Name = tuple[str, bytes]
"""The slug of the cause that renamed, and the digest of the renamed entry."""

_Sides = tuple[dict[_Name, list[int]], dict[_Name, list[int]]]


def pair_alone(
    differences: Sequence[Difference], trials: Mapping[int, Trial], sides: Sides, causes: Sequence[Cause]
) -> dict[int, Trial]:
    """Give new trials to the lonely entries that are explained by their names."""
    groups: dict[str, _Sides] = {}
    for number, item in enumerate(differences):
        if item.field != "entry" or item.alone is None or item.layer is None:
            continue
        side = 0 if item.second is None else 1
        name = _renamed(item, side, sides, causes)
        if name is not None:
            key = json.dumps([str(item.platform), item.layer.first, item.layer.second])
            groups.setdefault(key, ({}, {}))[side].setdefault(name, []).append(number)
    known = {cause.slug: cause for cause in causes}
    return {
        number: replace(trials[number], first=digest, second=digest, renamed=known[slug])
        for group in groups.values()
        for (slug, digest), numbers in _balanced(group)
        for number in numbers
    }


def _balanced(group: _Sides) -> Iterator[tuple[_Name, list[int]]]:
    """Yield the renamed entries of which both sides have as many."""
    first, second = group
    for name, numbers in first.items():
        others = second.get(name, [])
        if len(numbers) == len(others):
            yield name, [*numbers, *others]


def _renamed(item: Difference, side: int, sides: Sides, causes: Sequence[Cause]) -> _Name | None:
    if item.alone is None or item.path is None:
        return None
    place = Place(part=item.part, field=item.field, path=item.path, type=item.entry_type)
    for cause in causes:
        path = None if cause.rename is None else cause.rename(place, sides[side])
        if path is not None:
            is_new = item.alone.mtime.isdigit() and is_of_build(sides[side], int(item.alone.mtime))
            time = "of the build" if is_new else item.alone.mtime
            parts = [cause.slug, path.hex(), time, item.alone.facts, item.occurrence]
            return cause.slug, hashlib.sha256(json.dumps(parts).encode()).digest()
    return None
