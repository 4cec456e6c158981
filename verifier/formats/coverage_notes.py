"""Unfold gcc's notes and counts of code coverage (gcc/gcov-io.h): `.gcno` beside the object, `.gcda` from a run.

Magic, version and stamp come first, each a word in the byte order of the machine; the stamp says which notes and counts
belong together. The same three words are in the program (`struct gcov_info`).
"""

from __future__ import annotations

import re
from typing import Final, Literal

from verifier.formats.field import Node
from verifier.formats.spans import Cutter

STAMPS: Final[dict[str, Literal["little", "big"]]] = {
    "coverage-stamp, little endian": "little",
    "coverage-stamp, big endian": "big",
}
"""Kinds of the field that holds the stamp, by its byte order."""

_HEAD: Final = re.compile(rb"(?:(?:onc|adc)g[*eR]\d\d[A-J])|gc(?:no|da)[A-J]\d\d[*eR]")
_WORD_BYTES: Final = 4


def is_coverage_notes(data: bytes) -> bool:
    """Tell by the magic and a release of gcc."""
    return len(data) >= 3 * _WORD_BYTES and _HEAD.match(data) is not None


def unfold_coverage_notes(data: bytes, name: str, offset: int) -> Node:
    """Unfold a file of either kind."""
    order = "big" if data.startswith(b"gc") else "little"
    cutter = Cutter(data)
    cutter.take("magic", "bytes", _WORD_BYTES)
    cutter.take("version", "bytes", _WORD_BYTES)
    cutter.take("stamp", f"coverage-stamp, {order} endian", _WORD_BYTES)
    cutter.take("notes", "coverage", cutter.left)
    return cutter.finish(name, "coverage notes", offset)
