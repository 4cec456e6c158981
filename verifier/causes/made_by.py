"""What the instruction that made an entry tells of where the entry comes from."""

from __future__ import annotations

import json
import re
from functools import lru_cache
from typing import Final

from verifier.causes.cause import Place
from verifier.dockerfile.features import is_git_source

_FLAG: Final = re.compile(r"--[a-z-]+(?:=(?:\"[^\"]*\"|'[^']*'|\S)*)?\s+")
_ARCHIVES: Final = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz", ".tar.zst")
_COPIES: Final = ("COPY", "ADD")


def keyword(place: Place) -> str:
    """Give the instruction's keyword in capitals, empty where the instruction is not known."""
    return place.made_by.partition(" ")[0].upper()


def sources(place: Place) -> tuple[str, ...]:
    """List what a COPY or an ADD takes, as written; none for any other instruction, and for another stage's files."""
    return _sources(place.made_by)


@lru_cache(maxsize=1024)
def _sources(made_by: str) -> tuple[str, ...]:
    name, _, rest = made_by.partition(" ")
    if name.upper() not in _COPIES or "--from=" in made_by.partition("\n")[0]:
        return ()
    rest = rest.lstrip()
    while flag := _FLAG.match(rest):
        rest = rest[flag.end() :]
    words = _exec_form(rest) if rest.startswith("[") else rest.split()
    return tuple(words[:-1])


def is_copy(place: Place) -> bool:
    """Tell whether a COPY or ADD made an entry by copying files one by one, as far as is known the context's."""
    found = sources(place)
    return not place.is_base and bool(found) and not any(is_remote(item) or is_archive(item) for item in found)


def is_archive(source: str) -> bool:
    """Tell whether ADD would unpack a source, by its name: a tar archive's."""
    return source.lower().endswith(_ARCHIVES) and not is_remote(source)


def is_remote(source: str) -> bool:
    """Tell whether ADD fetches a source."""
    return source.startswith(("http://", "https://", "ftp://")) or is_git_source(source)


def is_from_context(place: Place) -> bool:
    """Tell whether an entry is known to be a copy out of the build context.

    A history does not tell a COPY of another stage's files from one of the context's.
    """
    found = sources(place)
    is_known = not place.recorded or keyword(place) == "ADD"
    return is_known and bool(found) and not any(is_remote(source) or source.startswith("<<") for source in found)


def _exec_form(text: str) -> list[str]:
    try:
        words = json.loads(text)
    except ValueError:
        return []
    return [word for word in words if isinstance(word, str)] if isinstance(words, list) else []
