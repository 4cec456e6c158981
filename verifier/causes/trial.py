"""Put one difference to the proof: both sides' counterfactuals, each made without a look at the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from verifier.causes.cause import Cause, Place, SideContext
from verifier.causes.counterfactual import ABSENT, Claimed, Counterfactual, replace_claims
from verifier.formats.field import Node

Pair = tuple[Node | None, Node | None]
"""One value of both sides, unfolded; None where a side has none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What became of one difference.

    `first` and `second` are the counterfactual digests. Where they are equal, `varying` are the claims whose values
    differ. `substitutes` says for each of their causes which others would do in its place, None where nothing does.
    `seen` are the causes that claimed something, equal or not; `renamed` is the cause of an entry's name that varies;
    `recompressed` says that a stream was left out.
    """

    first: bytes
    second: bytes
    varying: tuple[tuple[Claimed, Claimed], ...] = ()
    substitutes: Mapping[str, frozenset[str] | None] = field(default_factory=dict)
    seen: frozenset[str] = frozenset()
    recompressed: bool = False
    renamed: Cause | None = None

    @property
    def equal(self) -> bool:
        """Whether nothing is left of the difference."""
        return self.first == self.second

    @property
    def opaque(self) -> bool:
        """Whether something was taken as given: an opaque claim, or a stream whose compressor is not known."""
        is_named = self.renamed is not None and self.renamed.opaque
        return self.recompressed or is_named or any(first.cause.opaque for first, _ in self.varying)

    @property
    def causes(self) -> frozenset[str]:
        """The slugs of the causes that the difference is put down to."""
        slugs = frozenset(first.cause.slug for first, _ in self.varying)
        return slugs if self.renamed is None else slugs | {self.renamed.slug}


def try_causes(pair: Pair, place: Place, sides: tuple[SideContext, SideContext], causes: Sequence[Cause]) -> Trial:
    """Let `causes` claim what they can on each side, and compare what is left."""
    first, second = _both(pair, place, sides, causes)
    seen = frozenset(item.cause.slug for item in (*first.claimed, *second.claimed))
    if first.digest != second.digest:
        return Trial(first=first.digest, second=second.digest, seen=seen)
    varying = _varying(first, second)
    return Trial(
        first=first.digest,
        second=second.digest,
        varying=varying,
        substitutes={
            slug: _without(slug, pair, place, sides, causes) for slug in {item.cause.slug for item, _ in varying}
        },
        seen=seen,
        recompressed=first.recompressed,
    )


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


def _without(
    slug: str, pair: Pair, place: Place, sides: tuple[SideContext, SideContext], causes: Sequence[Cause]
) -> frozenset[str] | None:
    first, second = _both(pair, place, sides, [cause for cause in causes if cause.slug != slug])
    if first.digest != second.digest:
        return None
    return frozenset(item.cause.slug for item, _ in _varying(first, second))
