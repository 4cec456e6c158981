"""Tables of NUL-ended strings in an ELF file, and the language that a file's strings are of."""

from __future__ import annotations

import bisect
import re
from typing import Final

STRINGS: Final = "strings"
GO_STRINGS: Final = "go-strings"
RUST_STRINGS: Final = "rust-strings"

STRING_KINDS: Final = frozenset({STRINGS, GO_STRINGS, RUST_STRINGS})
"""Kinds of fields that hold strings among other bytes: of a Go program, of a Rust program, of any other."""

_OF_GO: Final = (b"\xff Go buildinf:", b'\xff Go build ID: "')
_OF_RUST: Final = (b"rustc version ", b"/rustc/", b"/rustc-", b"RUST_BACKTRACE")

_SHORT: Final = 6
"""Bytes of an end, its NUL included, that is told by itself: shorter than any name that is made up."""


def order_of(kind: str) -> str:
    """Name the kind of field that holds the order of such strings, where that follows from digests of them."""
    return f"{kind}-order"


def strings_of(data: bytes) -> str:
    """Tell the kind of a file's strings, by what Go's and Rust's compilers leave in everything they make."""
    if any(mark in data for mark in _OF_GO):
        return GO_STRINGS
    return RUST_STRINGS if any(mark in data for mark in _OF_RUST) else STRINGS


class StringTable:
    """One table, and offsets into it told in a way that does not depend on how long its other strings are."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._starts = [0, *(match.end() for match in re.finditer(rb"\0", data))]

    def at(self, offset: int) -> bytes:
        """Give the string at an offset; empty outside of the table."""
        end = self._data.find(b"\0", offset)
        return self._data[offset:end] if end >= 0 else b""

    def tell(self, offset: int) -> bytes:
        """Give a string's number; of an offset into a string, as linkers share ends, also how far it is to its end.

        A short end is told by itself: of many strings that end in it, which one the linker takes hangs on all of them.
        """
        if offset >= len(self._data):
            return b"@%d" % offset
        number = bisect.bisect_right(self._starts, offset) - 1
        if offset == self._starts[number]:
            return b"%d" % number
        end = self._starts[number + 1] if number + 1 < len(self._starts) else len(self._data) + 1
        if end - offset <= _SHORT:
            return b"=%b" % self._data[offset : end - 1].hex().encode()
        return b"%d-%d" % (number, end - offset)
