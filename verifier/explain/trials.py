"""Put every difference of a comparison to the proof, values at once, contents layer by layer as they are read."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from verifier.causes.cause import Cause, Place
from verifier.causes.counterfactual import ABSENT
from verifier.causes.trial import Trial, try_causes
from verifier.explain.alone import pair_alone
from verifier.explain.contents import read_both
from verifier.explain.documents import Documents, key_of, may_be_left_out
from verifier.explain.given import take_as_given
from verifier.explain.likeness import MAX_LIKENED, Likeness, likeness
from verifier.explain.listed import try_with_digests
from verifier.explain.originals import take_with_originals
from verifier.explain.packaged import take_with_packages
from verifier.explain.places import Places
from verifier.explain.reader import ContentReader, Sides, is_content_of_both
from verifier.explain.values import is_sample, scalars_of, value_node
from verifier.formats.limits import MAX_CONTENT_BYTES
from verifier.formats.unfold import unfold
from verifier.model.difference import Difference, LayerPair
from verifier.oci.platform import Platform

_FOLLOWS: Final = hashlib.sha256(b"follows from the content").digest()

_Entry = tuple[Platform | None, LayerPair | None, bytes | None, int]


@dataclass(slots=True, kw_only=True)
class Trials:
    """The trial of each difference, in their order; `unread` says of some why nobody looked into them.

    `likeness` says of contents that are not explained what else they were tried for.
    """

    trials: list[Trial]
    unread: dict[int, str] = field(default_factory=dict)
    likeness: dict[int, Likeness] = field(default_factory=dict)


def run_trials(
    differences: Sequence[Difference],
    reader: ContentReader,
    sides: Sides,
    causes: Sequence[Cause],
    places: Places,
    documents: Documents,
) -> Trials:
    """Try every difference. Raises what `reader` raises."""
    known: dict[int, Trial] = {}
    unread: dict[int, str] = {}
    likenesses: dict[int, Likeness] = {}
    known.update(_try_contents(differences, reader, sides, causes, unread, likenesses, places))
    known.update(_sizes(differences, known))
    for number, item in enumerate(differences):
        if number not in known:
            known[number] = _try_value(item, places.of(item), sides, causes, documents)
    known.update(pair_alone(differences, known, reader, places, sides, causes))
    known.update(take_as_given(differences, known, places, sides, causes))
    known.update(take_with_packages(differences, known, reader, places, sides, causes))
    listed = try_with_digests(differences, known, reader, places, sides, causes)
    known.update(listed | _sizes(differences, listed))
    streams = take_with_originals(differences, known, sides)
    known.update(streams | _sizes(differences, streams))
    return Trials(trials=[known[number] for number in range(len(differences))], unread=unread, likeness=likenesses)


def _sizes(differences: Sequence[Difference], contents: Mapping[int, Trial]) -> dict[int, Trial]:
    """Give the trials of sizes that follow from contents which are explained."""
    known = {_entry_of(differences[number]): trial for number, trial in contents.items() if trial.equal}
    return {
        number: replace(known[_entry_of(item)], first=_FOLLOWS, second=_FOLLOWS)
        for number, item in enumerate(differences)
        if item.field == "size" and _entry_of(item) in known
    }


def _entry_of(item: Difference) -> _Entry:
    return item.platform, item.layer, item.path, item.occurrence


def _try_contents(
    differences: Sequence[Difference],
    reader: ContentReader,
    sides: Sides,
    causes: Sequence[Cause],
    unread: dict[int, str],
    likenesses: dict[int, Likeness],
    places: Places,
) -> Iterator[tuple[int, Trial]]:
    """Read the contents that differ, and try each."""
    numbers = (number for number, item in enumerate(differences) if is_content_of_both(item))
    for number, (first, second) in read_both(differences, numbers, reader):
        item = differences[number]
        if first is None or second is None:
            unread[number] = f"not read: larger than {MAX_CONTENT_BYTES} bytes, or too much of it in one layer"
        elif (_digest(first), _digest(second)) != (item.first, item.second):
            unread[number] = "not read: it is no longer what was compared"
        else:
            trial = try_causes((unfold(first), unfold(second)), places.of(item), sides, causes)
            if not trial.equal and len(likenesses) < MAX_LIKENED:
                likenesses[number] = likeness(first, second)
            yield number, trial


def _digest(content: bytes) -> str:
    return "sha256:" + hashlib.sha256(content).hexdigest()


def _try_value(item: Difference, place: Place, sides: Sides, causes: Sequence[Cause], documents: Documents) -> Trial:
    """Try one value of a header or a document; a value that one side lacks is no part of that side."""
    key = key_of(item)
    if item.field == "encoding" and key is not None:
        return try_causes(documents.nodes(key), place, sides, causes)
    if is_sample(item) or (item.first == item.second and item.whole is None):
        return Trial(first=b"first", second=b"second")
    if key is not None and None in (item.first, item.second):
        optional = _optional(item, place, sides, causes)
        if optional:
            alone: dict[str, frozenset[str] | None] = dict.fromkeys((cause.slug for cause in optional), None)
            return Trial(first=ABSENT, second=ABSENT, optional=optional, substitutes=alone)
    return try_causes((value_node(item, "first"), value_node(item, "second")), place, sides, causes)


def _optional(item: Difference, place: Place, sides: Sides, causes: Sequence[Cause]) -> tuple[Cause, ...]:
    """Name the causes by which a value that one side lacks says no more than none; empty where it says more."""
    side = sides[0] if item.second is None else sides[1]
    found = [may_be_left_out(part, place, side, causes) for part in scalars_of(item)]
    known = tuple(dict.fromkeys(cause for cause in found if cause is not None))
    return () if None in found else known
