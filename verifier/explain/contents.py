"""Read contents that differ on both sides again, one pair of layers after another."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from verifier.explain.reader import SIDES, ContentReader
from verifier.formats.limits import MAX_CONTENT_BYTES
from verifier.model.difference import Difference, LayerPair
from verifier.oci.platform import Platform

Layers = Mapping[tuple[Platform, LayerPair], Sequence[int]]
"""The numbers of differences, by the layers that they are in."""

BothContents = tuple[bytes | None, bytes | None]
"""A content as each side has it; None where it could not be read."""


def by_layers(differences: Sequence[Difference], numbers: Iterable[int]) -> Layers:
    """Sort differences by their layers; what is in none is left out."""
    layers: dict[tuple[Platform, LayerPair], list[int]] = {}
    for number in numbers:
        item = differences[number]
        if item.platform is not None and item.layer is not None:
            layers.setdefault((item.platform, item.layer), []).append(number)
    return layers


def read_both(
    differences: Sequence[Difference], numbers: Iterable[int], reader: ContentReader
) -> Iterator[tuple[int, BothContents]]:
    """Yield the numbers of differences, each with its contents. Raises what `reader` raises."""
    read = reader.contents
    for (platform, layer), group in by_layers(differences, numbers).items():
        wanted = [(differences[number].path or b"", differences[number].occurrence) for number in group]
        # inflating and digesting leave the interpreter to the other side
        with ThreadPoolExecutor(max_workers=2) as pool:
            asked = [
                None if index is None else pool.submit(read, side, platform, index, wanted, MAX_CONTENT_BYTES)
                for side, index in zip(SIDES, (layer.first, layer.second), strict=True)
            ]
            first, second = ({} if answer is None else answer.result() for answer in asked)
        for number, key in zip(group, wanted, strict=True):
            yield number, (first.get(key), second.get(key))
