"""Redirections of the shell: files, here-documents and here-strings (POSIX, "Redirection")."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from verifier.dockerfile.shell import Redirect, Word
from verifier.dockerfile.shell_words import WordReader

if TYPE_CHECKING:
    from tree_sitter import Node

REDIRECTS: Final = frozenset({"file_redirect", "herestring_redirect", "heredoc_redirect"})
"""The grammar's nodes that are redirections."""


def read_redirects(node: Node, words: WordReader) -> list[Redirect]:
    """Read one redirection; a here-document may have those of the rest of its line inside."""
    if node.type == "heredoc_redirect":
        inner = [_file(child, words) for child in node.named_children if child.type == "file_redirect"]
        return [Redirect(operator="<<", descriptor=None, target=_heredoc(node, words)), *inner]
    if node.type == "herestring_redirect":
        return [Redirect(operator="<<<", descriptor=None, target=words.read(node.named_children[-1]))]
    return [_file(node, words)]


def _heredoc(node: Node, words: WordReader) -> Word:
    start = next((child for child in node.named_children if child.type == "heredoc_start"), None)
    body = next((child for child in node.named_children if child.type == "heredoc_body"), None)
    if body is None:
        return Word(text="")
    quoted = start is not None and any(sign in words.text_of(start) for sign in "'\"\\")
    text = words.text_of(body)
    return Word(text=text, values=(text,)) if quoted else words.read(body)


def _file(node: Node, words: WordReader) -> Redirect:
    descriptor = node.child_by_field_name("descriptor")
    destination = node.child_by_field_name("destination")
    number = words.text_of(descriptor) if descriptor is not None else ""
    operator = next((child.type for child in node.children if not child.is_named), ">")
    target = Word(text="") if destination is None else words.read(destination)
    return Redirect(operator=operator, descriptor=int(number[:4]) if number.isdecimal() else None, target=target)
