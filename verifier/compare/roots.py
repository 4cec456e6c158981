"""Both sides' merged roots while their layers are compared."""

from __future__ import annotations

from dataclasses import replace

from verifier.compare.files import Root
from verifier.compare.tables import SpillList, SpillSpace
from verifier.model.difference import Difference, LayerPair
from verifier.oci.digest import Digest


class Roots:
    """Both sides' merged roots: one and the same until their layers part."""

    def __init__(self, space: SpillSpace) -> None:
        self._first = self._second = Root(space)

    def apply(self, pair: LayerPair, first: SpillList | None, second: SpillList | None) -> None:
        """Apply a pair's entries; the very same list is applied once while the roots are one."""
        if self._first is self._second:
            if first is second and first is not None and pair.first is not None and pair.first == pair.second:
                self._first.apply(pair.first, first)
                return
            self._second = self._first.copy()
        if first is not None and pair.first is not None:
            self._first.apply(pair.first, first)
        if second is not None and pair.second is not None:
            self._second.apply(pair.second, second)

    def digests(self) -> tuple[Digest, Digest]:
        """Compute both `files/v1` digests."""
        digest = self._first.digest()
        return digest, digest if self._first is self._second else self._second.digest()

    def with_visibility(self, item: Difference) -> Difference:
        """Mark a difference as hidden when a later layer hides its entry on each side that has it."""
        if item.path is None or item.layer is None or item.field == "whiteout":
            return item
        sides = ((self._first, item.layer.first, item.first), (self._second, item.layer.second, item.second))
        is_alone = item.field == "entry"
        for root, layer, value in sides:
            if layer is not None and not (is_alone and value is None) and root.layer_at(item.path) == layer:
                return item
        return replace(item, visible=False)
