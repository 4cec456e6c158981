"""Take whole values as given, where causes know of both sides that they come from outside of the build."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Final

from verifier.causes.cause import Cause, Place
from verifier.causes.trial import Trial
from verifier.explain.places import Places
from verifier.explain.reader import Sides
from verifier.model.difference import Difference

_FIELDS: Final = frozenset({"content", "size", "mtime", "uid", "gid", "uname", "gname", "linkname", "layer", "entry"})
"""What can be taken as given, each value by itself. Modes, attributes, types, devices, whiteouts never are."""


def take_as_given(
    differences: Sequence[Difference],
    trials: Mapping[int, Trial],
    places: Places,
    sides: Sides,
    causes: Sequence[Cause],
) -> dict[int, Trial]:
    """Give new trials to the differences that nothing explains and a cause answers for on both sides."""
    givers = [cause for cause in causes if cause.given is not None]
    found = {}
    for number, item in enumerate(differences):
        if trials[number].equal or item.part != "layer" or item.field not in _FIELDS or not _is_plain(item):
            continue
        cause = _giver(places.of(item), sides, givers)
        if cause is not None:
            digest = hashlib.sha256(b"given " + cause.slug.encode()).digest()
            found[number] = Trial(first=digest, second=digest, substitutes={cause.slug: None}, given=cause)
    return found


def _is_plain(item: Difference) -> bool:
    return item.field != "entry" or (item.alone is not None and item.alone.plain)


def _giver(place: Place, sides: Sides, causes: Sequence[Cause]) -> Cause | None:
    for cause in causes:
        if cause.given is not None and all(cause.given(place, side) for side in sides):
            return cause
    return None
