"""The adapter to tree-sitter's grammar of bash; its nodes go no further than the `shell_*` modules beside it.

The grammar goes on behind what it cannot read, and has the constructs that other readers lack: `case`, arithmetic,
`[[ ]]`, quoted here-documents.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from tree_sitter import Node, Parser

_BARE: Final = re.compile(rb"(?<=[A-Za-z0-9_./:@%+,~-])\$([A-Za-z_]\w*)")


@dataclass(frozen=True, slots=True)
class ShellTree:
    """A parsed script: the source as it was parsed, and the positions of what was inserted into it."""

    root: Node
    source: bytes
    inserted: tuple[int, ...]

    def offset(self, position: int) -> int:
        """Give the offset in the script as it was written."""
        return position - bisect_left(self.inserted, position)


def parse_shell(script: bytes) -> ShellTree:
    """Parse a script; never fails."""
    source, inserted = _braced(script)
    return ShellTree(_parser().parse(source).root_node, source, tuple(inserted))


def _braced(source: bytes) -> tuple[bytes, list[int]]:
    """Write `a-$B` as `a-${B}`: in `$A-$B.c` the grammar ends the word behind the second dollar sign.

    Gives the positions of what was inserted as well.
    """
    inserted: list[int] = []

    def brace(match: re.Match[bytes]) -> bytes:
        start = match.start() + len(inserted) + 1
        inserted.extend((start, start + 1 + len(match[1])))
        return b"${" + match[1] + b"}"

    return _BARE.sub(brace, source), inserted


@cache
def _parser() -> Parser:
    import tree_sitter_bash  # noqa: PLC0415 - costs start-up time
    from tree_sitter import Language, Parser  # noqa: PLC0415

    return Parser(Language(tree_sitter_bash.language()))
