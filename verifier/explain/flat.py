"""Write a content again with every claimed stretch replaced: bytes, where the counterfactual digests a tree.

What is derived (a checksum, a size) is left out, as it follows from the rest. A stream that a known compressor gives
back is replaced by its content and the compressor's name. A stream of a compressor that is not known cannot be written
again once something inside is claimed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from verifier.causes.cause import Cause, Place, SideContext
from verifier.causes.counterfactual import claims_of
from verifier.errors import MalformedImageError
from verifier.explain.members import unfold_with_members
from verifier.formats.field import Field, Node
from verifier.formats.unfold import unfold


def write_again(content: bytes, place: Place, side: SideContext, causes: Sequence[Cause]) -> bytes:
    """Give a content with what `causes` claim replaced. Raises MalformedImageError where that cannot be done."""
    # the digests of what is inside matter where those of files do
    node, side = unfold_with_members(content, side) if side.digests else (unfold(content), side)
    plain = _plain(node)
    if plain is not None and plain != content:
        raise MalformedImageError(f"the parts of a {node.format} do not lie one after the other")
    return b"".join(_pieces(node, place, side, causes))


def mask(field: Field, place: Place, side: SideContext, causes: Sequence[Cause]) -> str:
    """Give a number's digits, those that are claimed as zeros."""
    raw = bytearray(field.value)
    for _, claim in claims_of(field, place, side, causes):
        raw[claim.start : claim.end] = re.sub(rb"[0-9]", b"0", raw[claim.start : claim.end])
    return raw.decode("ascii", "replace")


def _plain(node: Node) -> bytes | None:
    """Put a node's parts together as they were; None where something in it was inflated."""
    pieces = []
    for part in node.parts:
        if isinstance(part, Field):
            pieces.append(part.value)
        elif part.encoder is not None or part.stream is not None or (inner := _plain(part)) is None:
            return None
        else:
            pieces.append(inner)
    return b"".join(pieces)


def _pieces(node: Node, place: Place, side: SideContext, causes: Sequence[Cause]) -> Iterator[bytes]:
    for part in node.parts:
        if isinstance(part, Field):
            if not part.derived:
                yield from _field_pieces(part, place, side, causes)
        elif part.stream is not None:
            if _is_claimed(part, place, side, causes):
                raise MalformedImageError("something varies inside a compressed stream whose compressor is not known")
            yield part.stream
        else:
            if part.encoder is not None:
                yield f"<{part.encoder}>".encode()
            yield from _pieces(part, place, side, causes)


def _field_pieces(field: Field, place: Place, side: SideContext, causes: Sequence[Cause]) -> Iterator[bytes]:
    position = 0
    for cause, claim in claims_of(field, place, side, causes):
        yield field.value[position : claim.start]
        yield f"<{cause.slug}: {claim.form}>".encode()
        position = claim.end
    yield field.value[position:]


def _is_claimed(node: Node, place: Place, side: SideContext, causes: Sequence[Cause]) -> bool:
    return any(
        _is_claimed(part, place, side, causes)
        if isinstance(part, Node)
        else not part.derived and bool(claims_of(part, place, side, causes))
        for part in node.parts
    )
