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
_PIECE: Final = re.compile(
    r"'[^']*'|\"(?:\\.|[^\"\\])*\"|\$\([^()]*(?:\([^()]*\)[^()]*)*\)|\\.|(?P<end>;|&&|\|\||\n)|.", re.DOTALL
)
_READS_ELSEWHERE: Final = re.compile(
    r"\A\s*(?:RUN\s+)?(?:[})]|(?:done|fi|esac|cat|sed|grep|sort|uniq|head|tail|cut|tr|tee|envsubst|base64|gpg|jq|awk)\b)"
    r"|\$\{?[A-Za-z_]|<"
)


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


def writing_commands(place: Place) -> str:
    """Give the commands of a RUN that write a file by `> FILE`; the whole instruction where that does not tell.

    It does not tell where no command names the file, nor where one that does passes on what others have made.
    """
    name = (place.path or b"").rpartition(b"/")[2].decode("utf-8", "replace")
    if not name or name not in place.made_by:
        return place.made_by
    redirected = re.compile(r">>?\s*[\"']?(?:[^\s\"';|&<>]*/)?" + re.escape(name) + r"(?![\w.-])")
    found = [command for command in _commands(place.made_by) if redirected.search(command)]
    if not found or any(_READS_ELSEWHERE.search(command) for command in found):
        return place.made_by
    return "\n".join(found)


@lru_cache(maxsize=64)
def _commands(text: str) -> tuple[str, ...]:
    """Cut a shell's text at what ends a command outside of quotes and substitutions; pipes stay whole."""
    commands, start = [], 0
    for piece in _PIECE.finditer(text):
        if piece["end"] is not None:
            commands.append(text[start : piece.start()])
            start = piece.end()
    return (*commands, text[start:])


def is_copy(place: Place) -> bool:
    """Tell whether a COPY or ADD made an entry by copying files one by one, as far as is known the context's.

    A history leaves out `--from=`: a source with a leading slash counts as another stage's there.
    """
    found = sources(place)
    if place.recorded and any(item.startswith("/") for item in found):
        return False
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
