"""Whether a command names a file: the link between a result and an earlier one with the same bytes."""

from __future__ import annotations

import fnmatch
import posixpath
import re
from collections.abc import Iterator
from typing import Final

_WORD: Final = re.compile(r"[^\s'\"`=;&|()<>,{}]+")
_WILDCARDS: Final = frozenset("*?[")
_MAX_WORDS: Final = 1_000
_MAX_STARTS: Final = 20
"""Of one command that are looked at: its words, and the folders that it names."""


class Naming:
    """The files that a command names: by a word that means them, or a folder above them other than the root.

    A relative word is meant from `folder`, the one that the command begins in, or from one that the command itself
    names (`cd /src`, `tar -C /src`). With neither, its parts must be the path's last ones; so must the path be those
    of an absolute word, which may go through a mount.
    """

    def __init__(self, command: str, folder: str | None) -> None:
        words = list(dict.fromkeys(_WORD.findall(command)))[:_MAX_WORDS]
        plain = [word for word in words if not _WILDCARDS & set(word)]
        absolute = [word for word in plain if word.startswith("/")]
        starts = [folder or "/", *absolute[:_MAX_STARTS]]
        self._meant = {_joined(start, word) for start in starts for word in plain} - {"/"}
        self._patterns = [_joined(start, word) for start in starts for word in words if _WILDCARDS & set(word)]
        parts = ([part for part in word.split("/") if part not in ("", ".", "..")] for word in plain)
        self._ends = {"/" + "/".join(each) for each in parts if each}
        self._mounted = {end for word in absolute for end in _endings(posixpath.normpath(word))}

    def names(self, path: str) -> bool:
        """Tell whether the command names a file of this absolute path."""
        if path in self._mounted or any(end in self._ends for end in _endings(path)):
            return True
        return any(above in self._meant for above in _above(path)) or any(
            fnmatch.fnmatchcase("/".join(path.split("/")[: pattern.count("/") + 1]), pattern)
            for pattern in self._patterns
        )


def _joined(start: str, word: str) -> str:
    return "/" + posixpath.normpath(posixpath.join(start, word)).lstrip("/")


def _above(path: str) -> Iterator[str]:
    """Yield a path and the folders above it, but for the root."""
    while path not in ("/", ""):
        yield path
        path = path.rpartition("/")[0]


def _endings(path: str) -> Iterator[str]:
    """Yield a path without the first parts: none of them, one, two and so on."""
    while path not in ("/", ""):
        yield path
        start = path.find("/", 1)
        path = path[start:] if start > 0 else ""
