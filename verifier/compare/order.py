"""The order of entries, where it differs: which entries come at another place, and both sequences in full."""

from __future__ import annotations

import hashlib
from array import array
from typing import Final

from verifier.compare.tables import SpillList
from verifier.model.difference import NamedValue, WholeValues

_ALONE: Final = -1


def first_parting(partners: array[int]) -> tuple[int, int] | None:
    """Find the first entry of the first side that comes at another place than on the second.

    `partners` holds the index in the second layer of each entry of the first, -1 without one. Gives both sides' index
    of where the orders part; None where they agree on all entries that both have.
    """
    following: int | None = None
    parted: tuple[int, int] | None = None
    for index in range(len(partners) - 1, -1, -1):
        partner = partners[index]
        if partner < 0:
            continue
        if following is not None and partner > following:
            parted = (index, following)
        following = partner if following is None else min(following, partner)
    return parted


def sequences(first: SpillList, second: SpillList, partners: array[int]) -> WholeValues:
    """Give the digests of both sides' sequences of the entries that both have: the same ones, hence order alone."""
    paired = bytearray(len(second))
    for partner in partners:
        if partner != _ALONE:
            paired[partner] = 1
    return WholeValues(
        first=_sequence(first, [partner != _ALONE for partner in partners]), second=_sequence(second, paired)
    )


def _sequence(records: SpillList, paired: bytearray | list[bool]) -> tuple[NamedValue, ...]:
    hasher = hashlib.sha256()
    count = 0
    for (path, _), is_paired in zip(records, paired, strict=False):
        if is_paired:
            hasher.update(b"%d:" % len(path) + path)
            count += 1
    return NamedValue("entry-order", hasher.hexdigest().encode()), NamedValue("entry-count", b"%d" % count)
