"""A content unfolded: a tree whose leaves are fields, with every byte of the content in exactly one of them.

An unfolding is injective: no two contents have the same tree. So equal trees mean equal contents, and a tree with
some values replaced commits to everything else. Two things are left out of a tree's digest because they follow from
the rest and were checked: a `derived` field (a checksum, a size, an offset), and a compressed stream that compressing
its content again gives back byte by byte.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One value: `kind` names its grammar (`text`, `zip-time`, `bytes`), `name` what it is in its container.

    `offset` counts bytes from the container's start. A `derived` field holds what its siblings imply, and was checked.
    """

    name: str
    kind: str
    value: bytes
    offset: int
    derived: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One container: `format` names it, `parts` are in the order of its bytes.

    `name` is what it is in the container around it. `stream` holds the compressed bytes that it was inflated from where
    no known compressor gives them back, else None; `encoder` names the one that does.
    """

    name: str
    format: str
    parts: tuple[Field | Node, ...]
    offset: int
    encoder: str | None = None
    stream: bytes | None = None
