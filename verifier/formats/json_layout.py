"""The layout of a JSON document, its scalars taken out, with the members of every object sorted by their keys.

A NUL, which JSON has nowhere, stands for each scalar. Two layouts with one sorted form differ in the order of members
and in nothing else: white space stays at its place between members, and beside the colon with its member.
"""

from __future__ import annotations

import re
from typing import Final

MAX_DEPTH: Final = 100
"""Objects and lists in each other; what is deeper has no sorted form."""

_SPACE: Final = re.compile(rb"[ \t\r\n]*")
_KEY: Final = re.compile(rb'"(?:[^"\\]|\\.)*"')


def sorted_layout(layout: bytes) -> bytes:
    """Give the sorted form. Raises ValueError for what is no layout, is too deep, or has a key twice."""
    reader = _Reader(layout)
    before = reader.space()
    value = reader.value(0)
    behind = reader.space()
    if reader.position != len(layout):
        raise ValueError("more than one value")
    return _joined(before, value, behind)


class _Reader:
    def __init__(self, layout: bytes) -> None:
        self._layout = layout
        self.position = 0

    def space(self) -> bytes:
        return self._take(_SPACE)

    def value(self, depth: int) -> bytes:
        sign = self._layout[self.position : self.position + 1]
        self.position += 1
        if sign == b"\0":
            return sign
        if sign not in (b"{", b"[") or depth > MAX_DEPTH:
            raise ValueError("no layout, or too deep")
        return self._items(depth, is_object=sign == b"{")

    def _items(self, depth: int, *, is_object: bool) -> bytes:
        """Read what is in an object or a list, up to its end."""
        end = b"}" if is_object else b"]"
        spaces = [self.space()]
        items: list[tuple[bytes, bytes]] = []
        if self._layout[self.position : self.position + 1] == end:
            self.position += 1
            return _joined(end, *spaces)
        while True:
            items.append(self._member(depth) if is_object else (b"", self.value(depth + 1)))
            spaces.append(self.space())
            sign = self._layout[self.position : self.position + 1]
            self.position += 1
            if sign == end:
                break
            if sign != b",":
                raise ValueError("no comma")
            spaces.append(self.space())
        if is_object:
            items.sort()
            if len({key for key, _ in items}) < len(items):
                raise ValueError("a key comes twice")
        return _joined(end, *spaces, *(part for item in items for part in item))

    def _member(self, depth: int) -> tuple[bytes, bytes]:
        key = self._take(_KEY)
        around = self.space()
        if self._layout[self.position : self.position + 1] != b":":
            raise ValueError("no colon")
        self.position += 1
        return key, _joined(around, self.space(), self.value(depth + 1))

    def _take(self, pattern: re.Pattern[bytes]) -> bytes:
        match = pattern.match(self._layout, self.position)
        if match is None:
            raise ValueError("no key")
        self.position = match.end()
        return match[0]


def _joined(*parts: bytes) -> bytes:
    return b"".join(b"%d:" % len(part) + part for part in parts)
