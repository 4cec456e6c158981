"""Unfold the bytes of a JSON document (RFC 8259): every scalar by its pointer (RFC 6901), and all that lies between."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Final

from verifier.formats.field import Field, Node

_TOKEN: Final = re.compile(rb'"(?:[^"\\\x00-\x1f]|\\.)*"|[-+.\w]+|[\[\]{}:,]|[ \t\r\n]+')


def unfold_json(data: bytes) -> Node:
    """Unfold a document. Raises ValueError where it is no JSON."""
    json.loads(data)
    scanner = _Scanner(data)
    scanner.run()
    return Node(name="", format="json", parts=tuple(scanner.parts), offset=0)


@dataclass(slots=True)
class _Level:
    """An object or array that is open: the pointer to it, and where in it we are."""

    pointer: str
    is_object: bool
    key: str = ""
    position: int = 0
    wants_key: bool = True


@dataclass(slots=True)
class _Scanner:
    data: bytes
    parts: list[Field | Node] = field(default_factory=list)
    levels: list[_Level] = field(default_factory=list)
    between: int = 0

    def run(self) -> None:
        position = 0
        while position < len(self.data):
            match = _TOKEN.match(self.data, position)
            if match is None:
                raise ValueError(f"no JSON at {position}")
            self._token(match[0], position)
            position = match.end()
        self._flush(position)

    def _token(self, token: bytes, start: int) -> None:
        level = self.levels[-1] if self.levels else None
        if token in (b"{", b"["):
            self.levels.append(_Level(self._pointer(), token == b"{"))
        elif token in (b"}", b"]"):
            self.levels.pop()
        elif token == b"," and level is not None:
            level.position += 1
            level.wants_key = True
        elif token == b":" and level is not None:
            level.wants_key = False
        elif not token.strip(b" \t\r\n"):
            return
        elif level is not None and level.is_object and level.wants_key:
            level.key = str(json.loads(token)).replace("~", "~0").replace("/", "~1")
        else:
            self._flush(start)
            self.parts.append(Field(name=self._pointer(), kind="json", value=token, offset=start))
            self.between = start + len(token)

    def _pointer(self) -> str:
        if not self.levels:
            return ""
        level = self.levels[-1]
        return f"{level.pointer}/{level.key if level.is_object else level.position}"

    def _flush(self, end: int) -> None:
        """Keep what lies before a scalar: keys, brackets, white space."""
        if end > self.between:
            self.parts.append(Field(name="", kind="bytes", value=self.data[self.between : end], offset=self.between))
