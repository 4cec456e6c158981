"""Make foreign text safe to print: paths, labels and history come from images and may hold anything."""

from __future__ import annotations

import unicodedata
from typing import Final

_NAMED: Final = {"\n": "\\n", "\t": "\\t", "\r": "\\r", "\\": "\\\\"}
_UNSAFE: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Unicode categories that a terminal may act on, or that hide or reorder text, such as bidirectional marks."""


def escape(text: str, *, backslashes: bool = True) -> str:
    """Replace what a terminal could act on by backslash escapes; printable text of any script stays.

    `backslashes=False` leaves backslashes as they are: what is a Dockerfile's own text is to be read, not decoded.
    """
    if text.isascii() and text.isprintable() and (not backslashes or "\\" not in text):
        return text
    return "".join(character if character == "\\" and not backslashes else _escape_one(character) for character in text)


def _escape_one(character: str) -> str:
    named = _NAMED.get(character)
    if named is not None:
        return named
    if unicodedata.category(character) not in _UNSAFE:
        return character
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def escape_path(path: bytes) -> str:
    r"""Render a path's raw bytes; bytes that are not UTF-8 become `\xNN`."""
    return "".join(
        f"\\x{ord(character) - 0xDC00:02x}" if "\udc80" <= character <= "\udcff" else escape(character)
        for character in path.decode("utf-8", "surrogateescape")
    )


def shorten(text: str, width: int) -> str:
    """Cut `text` to `width` characters, the last of them an ellipsis where something was cut."""
    return text if len(text) <= width else text[: max(0, width - 1)] + "…"
