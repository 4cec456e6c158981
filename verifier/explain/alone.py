"""Pair entries that one side alone has, where causes say that it is their names that vary.

Within a pair of layers, each side's lonely paths are renamed by the causes, one side at a time, and each entry becomes
its new name with everything else about it: type, mode, owner, attributes, link target, content, and its time unless
that lies within the build's window. An entry is explained where the other side has as many of the very same; where a
name may be somebody's own word, the other side's must be one that nobody chose. Of what is left, a file is also
explained where the other side has one of the same new name that differs in content only, and the causes explain that
content. Where several have one new name (a bundler's `index-<digest>.js`), it is the contents that tell them apart, and
each is paired with one whose content comes out the same.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final

from verifier.causes.cause import Cause, Place, SideContext
from verifier.causes.moments import is_of_build
from verifier.causes.trial import Trial, try_causes
from verifier.explain.places import Places
from verifier.explain.reader import SIDES, ContentReader, SideName, Sides
from verifier.formats.limits import MAX_CONTENT_BYTES
from verifier.formats.unfold import unfold
from verifier.model.difference import AloneEntry, Difference
from verifier.oci.platform import Platform
from verifier.oci.tar_entry import FILE

_Name = tuple[str, bytes]
"""The slug of the cause that renamed, and the digest of the renamed entry."""

_Named = list[tuple[int, bool]]
"""The numbers of the entries that come out the same; whether somebody may have chosen what was replaced."""

_Key = tuple[str, tuple[int | None, int | None] | None, bytes | None, int]
"""Which lonely entry it is: its platform, pair of layers, path and occurrence."""

_Read = tuple[int, bool, bytes]
"""A number, whether somebody may have chosen what was replaced, and the content."""

_Sides = tuple[dict[_Name, _Named], dict[_Name, _Named]]

_MAX_NAMESAKES: Final = 8
"""Of one side, entries of one new name that are told apart by trying each with each."""


def pair_alone(
    differences: Sequence[Difference],
    trials: Mapping[int, Trial],
    reader: ContentReader,
    places: Places,
    sides: Sides,
    causes: Sequence[Cause],
) -> dict[int, Trial]:
    """Give new trials to the lonely entries that are explained by their names. Raises what `reader` raises."""
    known = {cause.slug: cause for cause in causes}
    numbers = [number for number, item in enumerate(differences) if item.field == "entry" and item.layer is not None]
    found = {
        number: replace(trials[number], first=digest, second=digest, renamed=known[slug])
        for (slug, digest), pair in _balanced(differences, numbers, sides, causes)
        for number, _ in (*pair[0], *pair[1])
    }
    left = [number for number in numbers if number not in found and differences[number].entry_type == FILE]
    groups = [
        (name, pair)
        for name, pair in _balanced(differences, left, sides, causes, with_content=False)
        if len(pair[0]) <= _MAX_NAMESAKES
    ]
    contents = [
        _contents([differences[number] for _, pair in groups for number, _ in pair[side]], name, reader)
        for side, name in enumerate(SIDES)
    ]
    keys = {number: _key(differences[number]) for number in left}
    for (slug, digest), pair in groups:
        own = [
            [
                (number, doubtful, content)
                for number, doubtful in named
                if (content := read.get(keys[number])) is not None
            ]
            for named, read in zip(pair, contents, strict=True)
        ]
        for first, second, trial in _same_contents(own[0], own[1], differences, places, sides, causes):
            both = hashlib.sha256(digest + trial.first).digest()
            found |= dict.fromkeys((first, second), replace(trial, first=both, second=both, renamed=known[slug]))
    return found


def _same_contents(
    first: Sequence[_Read],
    second: Sequence[_Read],
    differences: Sequence[Difference],
    places: Places,
    sides: Sides,
    causes: Sequence[Cause],
) -> Iterator[tuple[int, int, Trial]]:
    """Pair files of one new name whose contents the causes explain, each with one alone, those of near sizes first."""
    left = [(number, doubtful, len(content), unfold(content)) for number, doubtful, content in second]
    for number, doubtful, content in first:
        node, size = unfold(content), len(content)
        place = replace(places.of(differences[number]), field="content")
        nearest = sorted((abs(one[2] - size), index) for index, one in enumerate(left))
        for other in [left[index] for _, index in nearest]:
            trial = None if doubtful and other[1] else try_causes((node, other[3]), place, sides, causes)
            if trial is not None and trial.equal:
                left.remove(other)
                yield number, other[0], trial
                break


def _balanced(
    differences: Sequence[Difference],
    numbers: Sequence[int],
    sides: Sides,
    causes: Sequence[Cause],
    *,
    with_content: bool = True,
) -> Iterator[tuple[_Name, tuple[_Named, _Named]]]:
    """Yield the renamed entries of which both sides have as many."""
    groups: dict[str, _Sides] = {}
    for number in numbers:
        item = differences[number]
        side = 0 if item.second is None else 1
        renamed = _renamed(item, side, sides, causes, with_content=with_content)
        if renamed is not None and item.layer is not None:
            name, doubtful = renamed
            key = json.dumps([str(item.platform), item.layer.first, item.layer.second])
            groups.setdefault(key, ({}, {}))[side].setdefault(name, []).append((number, doubtful))
    for first, second in groups.values():
        for name, own in first.items():
            numbers_of_both = _as_many(own, second.get(name, []))
            if numbers_of_both is not None:
                yield name, numbers_of_both


def _as_many(own: _Named, others: _Named) -> tuple[_Named, _Named] | None:
    """Give the entries of both sides if they are as many: all, or those that are in no doubt.

    Of a pair, one name may be in doubt.
    """
    sure = tuple([one for one in named if not one[1]] for named in (own, others))
    if len(own) == len(others) <= len(sure[0]) + len(sure[1]):
        return own, others
    return (sure[0], sure[1]) if len(sure[0]) == len(sure[1]) > 0 else None


def _renamed(
    item: Difference, side: int, sides: Sides, causes: Sequence[Cause], *, with_content: bool
) -> tuple[_Name, bool] | None:
    if item.alone is None or item.path is None:
        return None
    place = Place(part=item.part, field=item.field, path=item.path, type=item.entry_type)
    asked = ((cause.slug, cause.rename(place, sides[side])) for cause in causes if cause.rename is not None)
    found = [(slug, name) for slug, name in asked if name is not None]
    if not found:
        return None
    slug, name = min(found, key=lambda item: item[1].doubtful)
    rest = item.alone.facts if with_content else item.alone.frame
    parts = [slug, name.path.hex(), own_time(item.alone, sides[side]), rest, item.occurrence]
    return (slug, hashlib.sha256(json.dumps(parts).encode()).digest()), name.doubtful


def own_time(entry: AloneEntry, side: SideContext) -> str:
    """Give a lonely entry's time, where that is not its build's."""
    is_new = entry.mtime.isdigit() and is_of_build(side, int(entry.mtime))
    return "of the build" if is_new else entry.mtime


def _key(item: Difference) -> _Key:
    layer = None if item.layer is None else (item.layer.first, item.layer.second)
    return str(item.platform), layer, item.path, item.occurrence


def _contents(items: Sequence[Difference], side: SideName, reader: ContentReader) -> dict[_Key, bytes]:
    """Read lonely files' contents, one layer after another; what cannot be read, or is too large, is left out."""
    layers: dict[tuple[Platform, int], list[Difference]] = {}
    for item in items:
        layer = None if item.layer is None else getattr(item.layer, side)
        if layer is not None and item.platform is not None:
            layers.setdefault((item.platform, layer), []).append(item)
    found = {}
    for (platform, layer), group in layers.items():
        wanted = [(item.path or b"", item.occurrence) for item in group]
        read = reader.contents(side, platform, layer, wanted, MAX_CONTENT_BYTES)
        for item, key in zip(group, wanted, strict=True):
            content = read.get(key)
            if content is not None and item.alone is not None and _digest(content) == item.alone.content:
                found[_key(item)] = content
    return found


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
