"""What a word of a shell script says: quotes removed, known variables replaced (POSIX, "Word Expansions")."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Final

from verifier.dockerfile.shell import Values, Word

if TYPE_CHECKING:
    from tree_sitter import Node

MAX_VALUES: Final = 16
"""Values that are kept of one word; a word with more counts as unknown."""

_SUBSTITUTIONS: Final = frozenset({"command_substitution", "process_substitution"})
_ESCAPE: Final = re.compile(r"\\(\n|.)", re.DOTALL)
_QUOTED_ESCAPE: Final = re.compile(r"\\(\n|[\\\"$`])")
_VARIABLE: Final = re.compile(r"\$(?:\{[!#]?)?([A-Za-z_]\w*|\$)")
_BRACED: Final = re.compile(r"\$\{([A-Za-z_]\w*)(?:(:?-)([^${}`\"']*))?\}|\$([A-Za-z_]\w*)")

Substitute = Callable[["Node"], None]
"""Called with every substitution inside a word."""


class WordReader:
    """Reads words of one script under a scope that its owner keeps up to date."""

    def __init__(self, source: bytes, scope: Values, substitute: Substitute) -> None:
        self._source = source
        self._scope = scope
        self._substitute = substitute

    def read(self, node: Node) -> Word:
        """Read one word; substitutions in it are handed on."""
        parts = list(self._parts(node, quoted=False, depth=0))
        text = ""
        values: tuple[str, ...] = ("",)
        for shown, possible, _ in parts:
            text += shown
            values = tuple(before + value for before in values for value in possible)
            values = tuple(dict.fromkeys(values)) if len(values) <= MAX_VALUES else ()
        names = dict.fromkeys(name for _, _, mentioned in parts for name in mentioned)
        return Word(text=text, values=values, variables=tuple(names))

    def text_of(self, node: Node) -> str:
        """Give the source of a node."""
        return self._slice(node.start_byte, node.end_byte)

    def _slice(self, start: int, end: int) -> str:
        return self._source[start:end].decode("utf-8", "replace")

    def _parts(self, node: Node, *, quoted: bool, depth: int) -> Iterator[tuple[str, tuple[str, ...], tuple[str, ...]]]:
        """Yield pieces: the text to show, every value, the variables that are mentioned."""
        kind = node.type
        if depth > 30:
            yield self.text_of(node), (), ()
        elif kind in _SUBSTITUTIONS or kind == "arithmetic_expansion":
            yield from self._computed(node)
        elif kind in {"simple_expansion", "expansion"}:
            yield self._expanded(node)
        elif kind == "raw_string":
            text = self.text_of(node)[1:-1]
            yield text, (text,), ()
        elif kind == "ansi_c_string":
            text = self.text_of(node)[2:-1]
            yield text, (text,) if "\\" not in text else (), ()
        elif kind in {"string", "translated_string"}:
            yield from self._children(node, quoted=True, depth=depth)
        elif node.named_child_count and kind not in {"word", "number", "string_content", "heredoc_content"}:
            yield from self._children(node, quoted=quoted or kind == "heredoc_body", depth=depth)
        else:
            text = self._unescaped(self.text_of(node), quoted=quoted)
            yield text, (text,), ()

    def _children(
        self, node: Node, *, quoted: bool, depth: int
    ) -> Iterator[tuple[str, tuple[str, ...], tuple[str, ...]]]:
        """Yield the pieces of the children, and what the grammar leaves between them."""
        start, end = node.start_byte, node.end_byte
        if node.type == "string":
            start, end = start + 1, end - 1
        for child in node.named_children:
            if child.start_byte > start:
                text = self._unescaped(self._slice(start, child.start_byte), quoted=quoted)
                yield text, (text,), ()
            yield from self._parts(child, quoted=quoted, depth=depth + 1)
            start = max(start, child.end_byte)
        if end > start:
            text = self._unescaped(self._slice(start, end), quoted=quoted)
            yield text, (text,), ()

    def _computed(self, node: Node) -> Iterator[tuple[str, tuple[str, ...], tuple[str, ...]]]:
        mentioned: tuple[str, ...] = ()
        if node.type == "arithmetic_expansion":
            mentioned = tuple(re.findall(r"[A-Za-z_]\w*", self.text_of(node)))
        for inner in _outermost(node) if node.type == "arithmetic_expansion" else (node,):
            self._substitute(inner)
        yield self.text_of(node), (), mentioned

    def _expanded(self, node: Node) -> tuple[str, tuple[str, ...], tuple[str, ...]]:
        text = self.text_of(node)
        names = tuple(_VARIABLE.findall(text))
        for inner in _outermost(node):
            self._substitute(inner)
        match = _BRACED.fullmatch(text)
        if match is None:
            return text, (), names
        known = self._scope.get(match[1] or match[4], ())
        if match[2] == ":-":
            known = tuple(value or match[3] for value in known)
        return known[0] if len(known) == 1 else text, known, names

    def _unescaped(self, text: str, *, quoted: bool) -> str:
        if "\\" not in text:
            return text
        pattern = _QUOTED_ESCAPE if quoted else _ESCAPE
        return pattern.sub(lambda match: "" if match[1] == "\n" else match[1], text)


def _outermost(node: Node) -> Iterator[Node]:
    """Walk the substitutions beneath `node` that stand in no other one."""
    pending = list(reversed(node.named_children))
    while pending:
        item = pending.pop()
        if item.type in _SUBSTITUTIONS:
            yield item
        else:
            pending += reversed(item.named_children)
