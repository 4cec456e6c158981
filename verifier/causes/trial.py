"""Put one difference to the proof: both sides' counterfactuals, each made without a look at the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from verifier.causes.cause import Cause, Place, SideContext, reach_of
from verifier.causes.counterfactual import ABSENT, Claimed, Counterfactual, replace_claims
from verifier.causes.equal_parts import MANY_PARTS, without_equal_parts
from verifier.formats.deepen import deepen
from verifier.formats.field import Node

_ANOTHER_STREAM: Final = b"another stream"
_ANOTHER_ORIGIN: Final = b"another origin"

Pair = tuple[Node | None, Node | None]
"""One value of both sides, unfolded; None where a side has none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What became of one difference.

    `first` and `second` are the counterfactual digests. Where they are equal, `varying` are the claims whose values
    differ. `substitutes` says for each of their causes which others would do in its place, None where nothing does.
    `seen` are the causes that claimed something, and where a difference is left, something that differs; `renamed` is
    the cause of an entry's name that varies; `recompressed` says that a stream was left out, or a digest that cannot
    be made again; `given` is the cause that takes the whole value as given; `optional` are those that say of a value
    which one side lacks that it may be left out.
    """

    first: bytes
    second: bytes
    varying: tuple[tuple[Claimed, Claimed], ...] = ()
    substitutes: Mapping[str, frozenset[str] | None] = field(default_factory=dict)
    seen: frozenset[str] = frozenset()
    recompressed: bool = False
    renamed: Cause | None = None
    given: Cause | None = None
    optional: tuple[Cause, ...] = ()

    @property
    def equal(self) -> bool:
        """Whether nothing is left of the difference."""
        return self.first == self.second

    @property
    def opaque(self) -> bool:
        """Whether something was taken as given: an opaque claim, or a stream whose compressor is not known."""
        is_named = self.renamed is not None and self.renamed.opaque
        is_named = is_named or self.given is not None or any(cause.opaque for cause in self.optional)
        return self.recompressed or is_named or any(item.opaque for pair in self.varying for item in pair)

    @property
    def causes(self) -> frozenset[str]:
        """The slugs of the causes that the difference is put down to."""
        slugs = frozenset(first.cause.slug for first, _ in self.varying)
        return slugs | {cause.slug for cause in (self.renamed, self.given, *self.optional) if cause is not None}


def try_causes(pair: Pair, place: Place, sides: tuple[SideContext, SideContext], causes: Sequence[Cause]) -> Trial:
    """Let those of `causes` that reach a place claim what they can on each side, and compare what is left."""
    reach = reach_of(place)
    causes = [cause for cause in causes if cause.normalise is not None and reach in cause.reach]
    if pair[0] is not None and pair[1] is not None:
        pair = without_equal_parts(pair[0], pair[1], MANY_PARTS)
    trial = _tried(pair, place, sides, causes)
    deeper = None if trial.equal else _deeper(pair)
    return trial if deeper is None else _tried(deeper, place, sides, causes)


def _tried(pair: Pair, place: Place, sides: tuple[SideContext, SideContext], causes: Sequence[Cause]) -> Trial:
    if pair[0] is not None and pair[1] is not None:
        pair = without_equal_parts(pair[0], pair[1])
    first, second = _both(pair, place, sides, causes)
    seen = frozenset(item.cause.slug for item in (*first.claimed, *second.claimed))
    if first.digest != second.digest:
        return Trial(first=first.digest, second=second.digest, seen=_at_work(first, second))
    everything = _varying(first, second)
    if first.recompressed and not everything:
        # nothing inside of it varies: the stream differs for a reason of its own
        return Trial(first=first.digest, second=_ANOTHER_STREAM)
    varying = _leading(everything)
    if any(item.claim.dependent or (item.claim.doubtful and other.claim.doubtful) for item, other in varying):
        return Trial(first=first.digest, second=_ANOTHER_ORIGIN)
    return Trial(
        first=first.digest,
        second=second.digest,
        varying=varying,
        substitutes={
            slug: _without(slug, pair, place, sides, causes) for slug in {item.cause.slug for item, _ in varying}
        },
        seen=seen,
        recompressed=first.recompressed or len(varying) < len(everything),
    )


def _deeper(pair: Pair) -> Pair | None:
    """Unfold further what is dear to unfold; None where there is nothing of the kind."""
    first, second = (None if node is None else deepen(node) for node in pair)
    return None if (first, second) == pair else (first, second)


def _both(
    pair: Pair, place: Place, sides: tuple[SideContext, SideContext], causes: Sequence[Cause]
) -> tuple[Counterfactual, Counterfactual]:
    first, second = (
        Counterfactual(digest=ABSENT) if node is None else replace_claims(node, place, side, causes)
        for node, side in zip(pair, sides, strict=True)
    )
    return first, second


def _varying(first: Counterfactual, second: Counterfactual) -> tuple[tuple[Claimed, Claimed], ...]:
    # equal digests: as many claims on both sides, one for one
    return tuple(
        (item, other)
        for item, other in zip(first.claimed, second.claimed, strict=True)
        if item.meaning != other.meaning
    )


def _at_work(first: Counterfactual, second: Counterfactual) -> frozenset[str]:
    """Name the causes whose claims, alike in form, differ in value: part of what is left may be theirs."""
    sides: list[dict[tuple[str, str], list[str | bytes]]] = []
    for side in (first, second):
        values: dict[tuple[str, str], list[str | bytes]] = {}
        for item in side.claimed:
            values.setdefault((item.cause.slug, item.claim.form), []).append(item.meaning)
        sides.append(values)
    return frozenset(key[0] for key, values in sides[0].items() if sides[1].get(key, values) != values)


def _leading(varying: tuple[tuple[Claimed, Claimed], ...]) -> tuple[tuple[Claimed, Claimed], ...]:
    """Leave out what follows from something else that varies in the same container, or in one inside of it."""
    trails = {item.trail for item, _ in varying if not item.claim.follows}
    leading = {trail[:depth] for trail in trails for depth in range(len(trail) + 1)}
    return tuple(pair for pair in varying if not pair[0].claim.follows or pair[0].trail not in leading)


def _without(
    slug: str, pair: Pair, place: Place, sides: tuple[SideContext, SideContext], causes: Sequence[Cause]
) -> frozenset[str] | None:
    first, second = _both(pair, place, sides, [cause for cause in causes if cause.slug != slug])
    if first.digest != second.digest:
        return None
    return frozenset(item.cause.slug for item, _ in _varying(first, second))
