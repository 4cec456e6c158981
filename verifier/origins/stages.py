"""The stages' images of both builds, opened when a file leads there and not before."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass

from verifier.model.instruction import Instruction
from verifier.oci.digest import Digest
from verifier.oci.image import Image
from verifier.origins.pairs import ImagePair
from verifier.origins.stage_image import StageImage


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedImage:
    """An image with the instructions that made its layers."""

    image: Image
    instructions: tuple[Instruction | None, ...]


StageOpener = Callable[[int], OpenedImage | None]
"""Opens a stage's image, by the stage's index; None where the builder has none. Raises NoVerdictError."""


class Stages:
    """Pairs of stages' images; a side without an opener was not built here."""

    def __init__(self, openers: tuple[StageOpener | None, StageOpener | None], sizes: Collection[int]) -> None:
        """`sizes` are those of the contents that differ."""
        self._openers = openers
        self._sizes = sizes
        self._pairs: dict[int, ImagePair] = {}
        self._problems: dict[int, str] = {}

    def pair(self, index: int) -> ImagePair | None:
        """Give both builds' images of a stage; None where they cannot be had. Raises NoVerdictError, once."""
        if index in self._problems:
            return None
        if index not in self._pairs:
            self._problems[index] = "the builder has no image of the stage"
            opened = [None if opener is None else opener(index) for opener in self._openers]
            if any(opener is not None and found is None for opener, found in zip(self._openers, opened, strict=True)):
                return None
            pair = paired((opened[0], opened[1]), self._sizes)
            if pair is None:
                return None
            del self._problems[index]
            self._pairs[index] = pair
        return self._pairs[index]

    def give_up(self, index: int, reason: str) -> None:
        """Take no more notice of a stage."""
        self._problems[index] = reason

    def problem(self, index: int) -> str:
        """Say why a file could not be followed into a stage."""
        return self._problems.get(index, "the stage's image does not show them")


def paired(images: tuple[OpenedImage | None, OpenedImage | None], sizes: Collection[int]) -> ImagePair | None:
    """Put two images side by side; layers that both have are not read. None where neither was built here."""
    layers = [{layer.diff_id for layer in item.image.layers} for item in images if item is not None]
    if not layers:
        return None
    equal: Collection[Digest] = layers[0] & layers[1] if len(layers) == 2 else ()
    first, second = (
        None if item is None else StageImage(item.image, item.instructions, equal, sizes) for item in images
    )
    return ImagePair(first, second)
