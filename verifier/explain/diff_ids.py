"""Check the proof by another way: write both sides' layers again with every claimed value replaced, and digest them.

The counterfactual is a digest over differences; this is the real `diff_id` of a real tar stream, and every byte that is
not claimed goes into it. A pair of layers is written where all its differences are explained and each of them is one
that can be written: a time or mode in octal digits, a content. Names that vary, order, whole entries and what was taken
as given are not.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from typing import Final, Protocol

from verifier.causes import CAUSES, listed_digest
from verifier.causes.cause import Cause
from verifier.errors import MalformedImageError
from verifier.explain.flat import mask, write_again
from verifier.explain.identities import with_identities
from verifier.explain.listed import digest_tables, knowing, size_tables
from verifier.explain.places import Places
from verifier.explain.reader import SIDES, ContentReader, Instructions, SideName, Sides, is_content_of_both
from verifier.explain.values import value_node
from verifier.formats.field import Field
from verifier.formats.limits import MAX_CONTENT_BYTES
from verifier.model.difference import Comparison, Difference, LayerPair
from verifier.model.finding import Explanation, NormalisedLayer
from verifier.oci.digest import Digest
from verifier.oci.platform import Platform
from verifier.oci.tar_edit import Edits, EntryEdit

_WRITABLE: Final = frozenset({"content", "mtime", "mode", "size"})


class LayerWriter(ContentReader, Protocol):
    """Reads again what differed, and writes a layer's stream again."""

    def normalised_diff_id(self, side: SideName, platform: Platform, layer: int, edits: Edits, limit: int) -> Digest:
        """Digest the stream with `edits`. Raises MalformedImageError for what cannot be written, StoreError."""


def prove_diff_ids(
    comparison: Comparison,
    explanation: Explanation,
    *,
    sides: Sides,
    layers: LayerWriter,
    instructions: Instructions,
    causes: Sequence[Cause] = CAUSES,
) -> Explanation:
    """Add the `diff_id`s of every pair of layers that differs. Raises StoreError and DigestMismatchError."""
    all_differences = comparison.all_differences
    left = {id(all_differences[item.difference]) for item in explanation.residue}
    givers = {cause.slug for cause in causes if cause.given is not None or cause.inventory is not None}
    given = {
        id(all_differences[number])
        for finding in explanation.findings
        if finding.cause in givers
        for number in finding.differences
    }
    listed = any(finding.cause == listed_digest.cause.slug for finding in explanation.findings)
    contents = [number for number, item in enumerate(all_differences) if is_content_of_both(item)]
    tables = digest_tables(all_differences, contents, layers) if listed else {}
    sizes = size_tables(all_differences) if listed else {}
    sides = with_identities(sides, comparison, layers)
    places = Places(comparison, layers, sides, instructions)
    proven = []
    for image in comparison.images:
        prover = _Prover(knowing(sides, tables, image.platform, sizes), layers, places, causes)
        for pair in image.layers:
            if pair.first is not None and pair.second is not None:
                if image.first.layers[pair.first] == image.second.layers[pair.second]:
                    continue
                own = [item for item in image.differences if item.layer == pair]
                reason = None
                if any(id(item) in left for item in own):
                    reason = "not all of its differences are explained"
                elif any(id(item) in given for item in own):
                    reason = "whole values of it are taken as given"
                proven.append(
                    prover.prove(image.platform, pair, own)
                    if reason is None
                    else _unwritten(image.platform, pair, reason)
                )
            else:
                proven.append(_unwritten(image.platform, pair, "the other side has no such layer"))
    return replace(explanation, diff_ids=tuple(proven))


def _unwritten(platform: Platform, pair: LayerPair, reason: str) -> NormalisedLayer:
    return NormalisedLayer(platform=str(platform), layer=pair, first=None, second=None, reason=reason)


class _Prover:
    """What is needed to write any layer again."""

    def __init__(self, sides: Sides, layers: LayerWriter, places: Places, causes: Sequence[Cause]) -> None:
        self._sides = sides
        self._layers = layers
        self._places = places
        self._causes = causes

    def prove(self, platform: Platform, pair: LayerPair, differences: Sequence[Difference]) -> NormalisedLayer:
        """Write both layers of a pair whose differences are explained, or say why not."""
        others = sorted({item.field for item in differences} - _WRITABLE)
        if others or not differences:
            return _unwritten(platform, pair, f"differences of this kind are not written: {', '.join(others) or '-'}")
        try:
            with ThreadPoolExecutor(max_workers=2) as pool:
                first, second = pool.map(lambda side: self._write(side, platform, pair, differences), (0, 1))
        except MalformedImageError as error:
            if type(error) is not MalformedImageError:  # a digest that does not match is no question of writing
                raise
            return _unwritten(platform, pair, error.message)
        return NormalisedLayer(platform=str(platform), layer=pair, first=first, second=second)

    def _write(self, side: int, platform: Platform, pair: LayerPair, differences: Sequence[Difference]) -> Digest:
        edits: dict[tuple[bytes, int], EntryEdit] = {}
        for item in differences:
            key = (item.path or b"", item.occurrence)
            edits[key] = self._edit(edits.get(key, EntryEdit()), item, side)
        layer = pair.first if side == 0 else pair.second
        return self._layers.normalised_diff_id(SIDES[side], platform, layer or 0, edits, MAX_CONTENT_BYTES)

    def _edit(self, edit: EntryEdit, item: Difference, side: int) -> EntryEdit:
        """Add to an entry's edit what one difference of it asks for, by this side's value alone."""
        context, place = self._sides[side], self._places.of(item)
        if item.field == "content":
            return replace(edit, content=partial(write_again, place=place, side=context, causes=self._causes))
        node = value_node(item, SIDES[side])
        if item.field == "size" or node is None or not isinstance(node.parts[0], Field):
            return edit  # a size goes with its content
        masked = mask(node.parts[0], place, context, self._causes)
        return replace(edit, mode=int(masked, 8)) if item.field == "mode" else replace(edit, mtime=masked)
