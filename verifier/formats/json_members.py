"""Where the values of a JSON document stand (RFC 8259), and the document without some of them.

What is cut goes with its key, with its comma and with the white space between.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

_TOKEN: Final = re.compile(rb'"(?:[^"\\\x00-\x1f]|\\.)*"|[-+.\w]+|[\[\]{}:,]|[ \t\r\n]+')


class Member(NamedTuple):
    """One value by its pointer (RFC 6901): offsets of where its key begins (or itself, in a list), itself, its end."""

    pointer: str
    start: int
    value: int
    end: int

    @property
    def parent(self) -> str:
        """The pointer of the object or list that it is in."""
        return self.pointer.rpartition("/")[0]


def members(data: bytes) -> tuple[Member, ...]:
    """List every value but the document itself, inner ones before those around them. Raises ValueError."""
    json.loads(data)
    return tuple(_walk(data))


def without_members(data: bytes, pointers: Collection[str]) -> bytes:
    """Cut values out of a document, and the objects and lists that are empty then. Raises ValueError."""
    if not pointers:
        return data
    found = members(data)
    children: dict[str, set[str]] = {}
    for member in found:
        children.setdefault(member.parent, set()).add(member.pointer)
    gone = set(pointers)
    for member in found:
        if member.pointer in children and children[member.pointer] <= gone:
            gone.add(member.pointer)
    outermost = [member for member in found if member.pointer in gone and member.parent not in gone]
    for member in sorted(outermost, reverse=True, key=lambda member: member.start):
        start, end = _with_comma(data, member.start, member.end)
        data = data[:start] + data[end:]
    return data


def _with_comma(data: bytes, start: int, end: int) -> tuple[int, int]:
    """Stretch a cut over the comma behind it, or over the one before where it is the last."""
    behind = re.compile(rb"[ \t\r\n]*,[ \t\r\n]*").match(data, end)
    if behind is not None:
        return start, behind.end()
    before = data[:start].rstrip(b" \t\r\n")
    return (len(before) - 1 if before.endswith(b",") else start), end


@dataclass(slots=True)
class _Level:
    """An object or list that is open: its pointer, where it and its key begin, and where in it we are."""

    pointer: str
    start: int
    value: int
    is_object: bool
    key: str | None = None
    key_start: int = 0
    position: int = 0

    def inner(self) -> str:
        return f"{self.pointer}/{self.key if self.is_object else self.position}"


def _walk(data: bytes) -> Iterator[Member]:
    levels: list[_Level] = []
    for match in _TOKEN.finditer(data):
        token, start = match[0], match.start()
        level = levels[-1] if levels else None
        if token in (b"{", b"["):
            begins = start if level is None or not level.is_object else level.key_start
            levels.append(_Level("" if level is None else level.inner(), begins, start, token == b"{"))
        elif token in (b"}", b"]"):
            closed = levels.pop()
            if levels:
                yield Member(closed.pointer, closed.start, closed.value, match.end())
        elif level is None or token == b":" or not token.strip(b" \t\r\n"):
            continue
        elif token == b",":
            level.position += 1
            level.key = None
        elif level.is_object and level.key is None:
            level.key = str(json.loads(token)).replace("~", "~0").replace("/", "~1")
            level.key_start = start
        else:
            yield Member(level.inner(), level.key_start if level.is_object else start, start, match.end())
