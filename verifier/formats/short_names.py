"""Names that a minifier gave out, in a program of JavaScript: where each stands, and the how many-th name it is.

Minifiers (Terser, esbuild) give the shortest names to what is used most, and choose their letters by how often these
stand in the whole text: another digest in a string swaps `r` and `t` everywhere. Two texts whose names are numbered the
same way, by where each stands first, differ by such a swap and nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

_TOKEN: Final = re.compile(
    # what names cannot stand in: strings, comments, a member's name, a number, a longer word
    rb"\"(?:[^\"\\\n]|\\.)*\"|'(?:[^'\\\n]|\\.)*'|//[^\n]*|\.\.\."
    rb"|(?:\.|\?\.)\s*[A-Za-z_$][\w$]*|\d[\w.]*|[A-Za-z_$][\w$]{2,}"
    rb"|(?P<name>[A-Za-z_$][\w$]?)|(?P<mark>[`{}\\]|/\*)",
    re.DOTALL,
)
_TEMPLATE: Final = re.compile(rb"(?:[^`\\$]|\\.|\$(?!\{))*(?P<mark>`|\$\{)", re.DOTALL)
_WORDS: Final = frozenset({b"as", b"do", b"if", b"in", b"is", b"of"})


def find_short_names(text: bytes) -> Iterator[tuple[int, int, int]]:
    """Yield start, end and number of every name of one or two letters; none of a text that is not read for sure."""
    numbers: dict[bytes, int] = {}
    found = []
    # what the braces that are open will close: a template's expression, or anything else
    nesting: list[bool] = []
    position, is_template = 0, False
    while match := (_TEMPLATE.match if is_template else _TOKEN.search)(text, position):
        position = match.end()
        mark = match["mark"]
        if mark == b"\\" or (mark == b"}" and not nesting):
            return  # a regular expression, or no program
        if mark == b"/*":
            position = text.find(b"*/", position) + 2
            if position < 2:
                return
        elif mark == b"`":
            is_template = not is_template
        elif mark in (b"{", b"${"):
            nesting.append(is_template)
            is_template = False
        elif mark == b"}":
            is_template = nesting.pop()
        elif not is_template and match["name"] and match["name"] not in _WORDS:
            found.append((*match.span(), numbers.setdefault(match["name"], len(numbers))))
    if not nesting and not is_template:
        yield from found
