"""Align two sequences so that one element too many does not make all later ones differ."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from verifier.model.difference import LayerPair
from verifier.oci.digest import Digest
from verifier.oci.image import Layer

if TYPE_CHECKING:
    import difflib

MAX_ALIGNED: Final = 2_000
"""Sequences longer than this, common ends not counted, are paired by position: aligning is quadratic."""

_CONTENT_DIGEST: Final = re.compile(r"\b[0-9a-f]{64}\b")

Pair = tuple[int | None, int | None]


def align(first: list[str], second: list[str]) -> list[Pair]:
    """Pair equal elements, in order; between them, those in replaced stretches by position.

    Gives positions in both, None where one side has no partner. The sides exchanged give the same pairs, exchanged.
    """
    if first > second:  # difflib prefers the first of several alignments; which one that is must not matter
        return [(number, other) for other, number in align(second, first)]
    start = 0
    while start < min(len(first), len(second)) and first[start] == second[start]:
        start += 1
    end = 0
    while end < min(len(first), len(second)) - start and first[-1 - end] == second[-1 - end]:
        end += 1
    middle, other_middle = first[start : len(first) - end], second[start : len(second) - end]
    pairs: list[Pair] = [(number, number) for number in range(start)]
    if max(len(middle), len(other_middle)) > MAX_ALIGNED:
        pairs += _by_position(range(start, len(first) - end), range(start, len(second) - end))
    else:
        for _, low, high, other_low, other_high in _matcher(middle, other_middle).get_opcodes():
            pairs += _by_position(range(start + low, start + high), range(start + other_low, start + other_high))
    return pairs + [(len(first) - number, len(second) - number) for number in range(end, 0, -1)]


def align_layers(first: Sequence[Layer], second: Sequence[Layer]) -> tuple[LayerPair, ...]:
    """Pair layers: equal `diff_id`s first, between those by the history that made them, then by position."""
    pairs: list[LayerPair] = []
    equal = _equal_pairs([layer.diff_id for layer in first], [layer.diff_id for layer in second])
    low = other_low = 0
    for high, other_high in [*equal, (len(first), len(second))]:
        made = align(
            [_made_by(layer) for layer in first[low:high]], [_made_by(layer) for layer in second[other_low:other_high]]
        )
        pairs += (
            LayerPair(
                first=None if number is None else low + number, second=None if other is None else other_low + other
            )
            for number, other in made
        )
        if high < len(first):
            pairs.append(LayerPair(first=high, second=other_high))
        low, other_low = high + 1, other_high + 1
    return tuple(pairs)


def _equal_pairs(first: list[Digest], second: list[Digest]) -> list[tuple[int, int]]:
    if first > second:
        return [(number, other) for other, number in _equal_pairs(second, first)]
    if first == second:
        return [(number, number) for number in range(len(first))]
    blocks = _matcher(first, second).get_matching_blocks()
    return [(block.a + number, block.b + number) for block in blocks for number in range(block.size)]


def _matcher(first: list[Any], second: list[Any]) -> difflib.SequenceMatcher[Any]:
    import difflib  # noqa: PLC0415 - an equal pair needs none

    return difflib.SequenceMatcher(None, first, second, autojunk=False)


def _made_by(layer: Layer) -> str:
    """Give the history that made a layer; the content digests in it (`COPY file:…`) vary with what is copied."""
    return "" if layer.history is None else _CONTENT_DIGEST.sub("digest", layer.history.created_by)


def _by_position(first: range, second: range) -> list[Pair]:
    common = min(len(first), len(second))
    pairs: list[Pair] = list(zip(first, second, strict=False))
    pairs += [(number, None) for number in first[common:]]
    return pairs + [(None, number) for number in second[common:]]
