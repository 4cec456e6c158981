"""Set aside what two contents have alike, before anybody looks for what varies in it.

What is equal as it is needs no cause, and no cause is to be named for it. Else a stretch of a program that happens to
read as a time of one build alone would be replaced on that side, and make a difference where there is none. A database
of many thousand values differs in few of them, and looking at these alone is what makes a proof about it cheap.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from verifier.formats.field import Field, Node

MANY_PARTS: Final = frozenset({"sqlite", "sqlite page", "sqlite log", "cpio"})
"""Formats of so many parts that it matters before anything is unfolded further."""

_EQUAL: Final = Field(name="equal parts", kind="equal", value=b"", offset=0, derived=True)


def without_equal_parts(first: Node, second: Node, formats: frozenset[str] | None = None) -> tuple[Node, Node]:
    """Put one mark in the place of every run of parts that are the same, byte by byte and at the same offsets.

    Nodes whose parts are not one for one stay as they are, and those of other formats than `formats`, if given.
    """
    if first.format != second.format or len(first.parts) != len(second.parts):
        return first, second
    if formats is not None and first.format not in formats:
        return first, second
    parts: list[Field | Node] = []
    others: list[Field | Node] = []
    for part, other in zip(first.parts, second.parts, strict=True):
        if part == other:
            if not parts or parts[-1] is not _EQUAL or others[-1] is not _EQUAL:
                parts.append(_EQUAL)
                others.append(_EQUAL)
        elif isinstance(part, Node) and isinstance(other, Node):
            inner, other_inner = without_equal_parts(part, other, formats)
            parts.append(inner)
            others.append(other_inner)
        else:
            parts.append(part)
            others.append(other)
    return replace(first, parts=tuple(parts)), replace(second, parts=tuple(others))
