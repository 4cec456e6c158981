"""Sizes of files as lists write them: `ls -l`, `stat`, `du -b`, `find -printf`, manifests, TeX's log.

A number says little. So it counts as a size only where the file's own name stands in the same line, and never below
a hundred bytes: `build 9` is no size of a file that has that name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from verifier.formats.field import Field

_NUMBER: Final = re.compile(rb"(?<![\w.,/+-])(?<!\d:)[1-9]\d{2,14}(?!\w|[.,:/-]\d)")
_REACH: Final = 300
"""How far from its file's name a size may stand, in bytes, in the same line."""


def sizes_in(field: Field, known: Mapping[bytes, Sequence[bytes]]) -> Iterator[tuple[int, int, bytes]]:
    """Yield where a text gives the size of a file that it names: start, end, and the file's path.

    `known` says of sizes in digits which files have them, by their paths in ascending order.
    """
    if field.kind != "text" or not known:
        return
    for match in _NUMBER.finditer(field.value):
        paths = known.get(match[0], ())
        if paths:
            line = _line_around(field.value, match.start(), match.end())
            named = next((path for path in paths if _names(line, path)), None)
            if named is not None:
                yield match.start(), match.end(), named


def _line_around(text: bytes, start: int, end: int) -> bytes:
    before = text[max(0, start - _REACH) : start].rpartition(b"\n")[2]
    # a blank in place of the number: it names no file
    return before + b" " + text[end : end + _REACH].partition(b"\n")[0]


def _names(line: bytes, path: bytes) -> bool:
    """Tell whether a file's name stands in a line, and no longer name that holds it."""
    name = path.rpartition(b"/")[2]
    return bool(name) and re.search(rb"(?<![\w.+-])" + re.escape(name) + rb"(?![\w+-]|\.\w)", line) is not None
