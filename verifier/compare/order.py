"""The order of entries, where it differs: which entries come at another place, and both sequences in full.

An order is more than an order where it decides what is unpacked: a hard link in front of the file that it names, and an
entry beneath a symbolic link in front of that. Which entries stand so is told by itself.
"""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Iterator
from typing import Final

from verifier.compare.files import detail_of
from verifier.compare.tables import SpillList
from verifier.model.difference import NamedValue, WholeValues

MAX_LINKS: Final = 100_000
"""Links of one layer whose places are looked at; where there are more, all of the order is told as it is."""

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
    order = hasher.hexdigest().encode()
    early = _too_early(records)
    return (
        NamedValue("entry-order", order),
        NamedValue("entry-count", b"%d" % count),
        NamedValue("entries-too-early", order if early is None else hashlib.sha256(early).hexdigest().encode()),
    )


def _too_early(records: SpillList) -> bytes | None:
    """List the entries that stand in front of what they need, in no order; None where there are too many links."""
    targets: set[bytes] = set()
    symlinks: set[bytes] = set()
    for path, record in records:
        if record[:1] == b"h":
            targets.add(detail_of(record)[1])
        elif record[:1] == b"l":
            symlinks.add(path)
        if len(targets) + len(symlinks) > MAX_LINKS:
            return None
    found = []
    ahead = targets | symlinks
    for path, record in records:
        ahead.discard(path)
        needed = [folder for folder in _folders(path) if folder in symlinks] if symlinks else []
        needed += [detail_of(record)[1]] if record[:1] == b"h" else []
        if any(need in ahead for need in needed):
            found.append(b"%d:" % len(path) + path)
    return b"".join(sorted(found))


def _folders(path: bytes) -> Iterator[bytes]:
    position = path.find(b"/", 1)
    while position >= 0:
        yield path[:position]
        position = path.find(b"/", position + 1)
