"""Unfold an archive and know the digests of its own members: a wheel's RECORD, a Debian package's md5sums."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from dataclasses import replace
from typing import Final

from verifier.causes.cause import SideContext
from verifier.formats.field import Node
from verifier.formats.unfold import unfold
from verifier.formats.written_digests import ALGORITHMS

_HASHES: Final = {size: name for size, name in ALGORITHMS.items() if name in hashlib.algorithms_available}


def unfold_with_members(
    content: bytes, side: SideContext, sizes: Collection[int] = frozenset(_HASHES)
) -> tuple[Node, SideContext]:
    """Unfold a content, and tell its side also the digests, of these `sizes` in bytes, of what is inside of it."""
    members: dict[bytes, str] = {}

    def note(name: str, data: bytes) -> None:
        for size in _HASHES.keys() & sizes:
            digest = hashlib.new(_HASHES[size], data, usedforsecurity=False).digest()
            members.setdefault(digest, f"{_HASHES[size]} of its member {name}")

    node = unfold(content, note)
    return node, replace(side, digests={**members, **side.digests})
