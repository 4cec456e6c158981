"""Replace what causes claim, and digest what is left: the one-sided half of the proof.

A field becomes a sequence of literal bytes and claims; a claim's bytes do not count, its cause and form do. The
digest is a Merkle digest over the tree of fields, every part with its length before it, so that no two sequences look
the same. Derived fields count by name alone. A compressed stream that no known compressor gives back counts as it is,
unless something inside was claimed: then it must differ, how is not known, and whatever rests on it is opaque.
"""

from __future__ import annotations

import bisect
import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from verifier.causes.cause import Cause, Claim, Place, SideContext
from verifier.formats.field import Field, Node

ABSENT: Final = hashlib.sha256(b"absent").digest()
"""The digest of what a side does not have."""


_Update = Callable[[bytes], None]


class Claimed(NamedTuple):
    """One stretch that a cause claims: where the field stands, the claim, and the bytes that it replaces."""

    cause: Cause
    trail: tuple[str, ...]
    field: Field
    claim: Claim
    value: bytes

    @property
    def opaque(self) -> bool:
        """Whether the value is taken as given, without knowing what it should be."""
        return self.cause.opaque or self.claim.opaque

    @property
    def meaning(self) -> str | bytes:
        """What must differ for the cause to be to blame."""
        return self.value if self.claim.meaning is None else self.claim.meaning


@dataclass(slots=True)
class Counterfactual:
    """One content of one side, with everything claimed replaced.

    `claimed` is in the order of the fields: two sides of one digest have as many, by the same causes. `recompressed`
    says that a stream was left out whose compressor is not known.
    """

    digest: bytes
    claimed: list[Claimed] = field(default_factory=list)
    recompressed: bool = False


def replace_claims(node: Node, place: Place, side: SideContext, causes: Sequence[Cause]) -> Counterfactual:
    """Let `causes` claim what they can of a content, the first ones first."""
    result = Counterfactual(digest=b"")
    result.digest = _digest_node(node, (), place, side, causes, result)
    return result


def _digest_node(
    node: Node,
    trail: tuple[str, ...],
    place: Place,
    side: SideContext,
    causes: Sequence[Cause],
    result: Counterfactual,
) -> bytes:
    before = len(result.claimed)
    hasher = hashlib.sha256()
    update = hasher.update
    _feed(update, b"node", node.name.encode(), node.format.encode(), (node.encoder or "").encode())
    inner = (*trail, node.name) if node.name else trail
    for part in node.parts:
        if isinstance(part, Node):
            _feed(update, b"part", _digest_node(part, inner, place, side, causes, result))
        elif part.derived:
            _feed(update, b"derived", part.name.encode())
        else:
            _feed(update, b"field", part.name.encode(), part.kind.encode())
            claims = claims_of(part, place, side, causes)
            result.claimed += (
                Claimed(cause, inner, part, claim, part.value[claim.start : claim.end]) for cause, claim in claims
            )
            _feed_segments(update, part.value, claims)
    if node.stream is not None:
        if len(result.claimed) > before:
            result.recompressed = True
            _feed(update, b"recompressed")
        else:
            _feed(update, b"stream", node.stream)
    return hasher.digest()


def claims_of(part: Field, place: Place, side: SideContext, causes: Sequence[Cause]) -> list[tuple[Cause, Claim]]:
    """Give what `causes` claim of one field, in ascending order, the first causes' claims before any that overlap."""
    taken: list[tuple[Cause, Claim]] = []
    for cause in causes:
        if cause.normalise is not None:
            found = list(cause.normalise(part, place, side))
            if found:
                taken = _merge(taken, [(cause, claim) for claim in found])
    return taken


def _merge(taken: list[tuple[Cause, Claim]], found: list[tuple[Cause, Claim]]) -> list[tuple[Cause, Claim]]:
    """Add to `taken` what overlaps none of it; both ascend, and so does what comes out."""
    starts = [claim.start for _, claim in taken]
    free = []
    for item in found:
        claim = item[1]
        after = bisect.bisect_left(starts, claim.end)
        # the last one that begins before this ends
        if after == 0 or taken[after - 1][1].end <= claim.start:
            free.append(item)
    return sorted([*taken, *free], key=lambda item: item[1].start) if free else taken


def _feed_segments(update: _Update, value: bytes, claims: Iterable[tuple[Cause, Claim]]) -> None:
    position = 0
    for cause, claim in claims:
        _feed(update, b"literal", value[position : claim.start])
        _feed(update, b"claim", cause.slug.encode(), claim.form.encode())
        position = claim.end
    _feed(update, b"literal", value[position:])


def _feed(update: _Update, *parts: bytes) -> None:
    for part in parts:
        update(len(part).to_bytes(8, "big"))
        update(part)
