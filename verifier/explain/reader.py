"""What the explanation asks of whoever holds the images: contents and documents, read again."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Final, Literal, Protocol

from verifier.causes.cause import SideContext
from verifier.model.difference import Difference, Part
from verifier.model.instruction import Instruction
from verifier.oci.platform import Platform
from verifier.oci.tar_entry import HeldEntry

SideName = Literal["first", "second"]
SIDES: Final[tuple[SideName, SideName]] = ("first", "second")

Sides = tuple[SideContext, SideContext]

Wanted = Collection[tuple[bytes, int]]
"""Paths with their occurrence."""

Instructions = Callable[[Difference], Instruction | None]
"""Tells which instruction made what differs."""

Behind = Callable[[Difference, Sequence[tuple[bytes, bytes]]], Instruction | None]
"""Tells which earlier instruction's file these values of a differing content come from; None where none is known."""


def is_content_of_both(item: Difference) -> bool:
    """Tell whether both sides have a content here, and not the same."""
    return item.field == "content" and None not in (item.first, item.second)


class ContentReader(Protocol):
    """Reads again what differed; all methods raise what a comparison raises.

    `platform` is the one that differences carry: the first side's.
    """

    def contents(
        self, side: SideName, platform: Platform, layer: int, wanted: Wanted, limit: int
    ) -> Mapping[tuple[bytes, int], bytes]:
        """Read whole contents of one layer by path and occurrence; those over `limit` bytes are left out."""

    def entries(
        self, side: SideName, platform: Platform, layer: int, wanted: Wanted, algorithms: Collection[str]
    ) -> Mapping[tuple[bytes, int], HeldEntry]:
        """Read what entries of one layer hold, by path and occurrence; contents of any size."""

    def document(self, side: SideName, part: Part, platform: Platform | None) -> bytes | None:
        """Give the bytes of a manifest, a config or (without a platform) the index; None where there is none."""
