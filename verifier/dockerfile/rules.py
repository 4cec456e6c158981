"""What BuildKit refuses when it reads an instruction: flags it does not know, and the wrong number of arguments."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from verifier.dockerfile.document import Statement
from verifier.dockerfile.syntax import expand_word

KEYWORDS: Final = (
    "ADD", "ARG", "CMD", "COPY", "ENTRYPOINT", "ENV", "EXPOSE", "FROM", "HEALTHCHECK", "LABEL", "MAINTAINER", "ONBUILD",
    "RUN", "SHELL", "STOPSIGNAL", "USER", "VOLUME", "WORKDIR",
)  # fmt: skip

_FLAGS: Final[dict[str, tuple[str, ...]]] = {
    "ADD": ("checksum", "chmod", "chown", "exclude", "keep-git-dir", "link", "unpack"),
    "COPY": ("chmod", "chown", "exclude", "from", "link", "parents"),
    "FROM": ("platform",),
    "HEALTHCHECK": ("interval", "retries", "start-interval", "start-period", "timeout"),
    "RUN": ("device", "mount", "network", "security"),
}
_EXPANDED: Final = frozenset({"ADD", "COPY", "ENV", "EXPOSE", "LABEL", "STOPSIGNAL", "USER", "VOLUME", "WORKDIR"})
_UNENDED: Final = re.compile(r"missing '}'|unexpected end of statement.*")
_EXACTLY_ONE: Final = ("MAINTAINER", "STOPSIGNAL", "USER", "WORKDIR")
_AT_LEAST_ONE: Final = ("ARG", "ENV", "EXPOSE", "HEALTHCHECK", "LABEL", "ONBUILD", "VOLUME")
_STAGE_NAME: Final = re.compile(r"[a-z][a-z0-9\-_.]*")


def nearest(word: str, known: Iterable[str]) -> str | None:
    """Find the known word that `word` was probably meant to be."""
    import difflib  # noqa: PLC0415 - costs start-up time

    return next(iter(difflib.get_close_matches(word[:40], tuple(known), n=1, cutoff=0.6)), None)


def objection(statement: Statement, escape: str) -> str | None:
    """Say what is wrong with one statement, None when a builder would take it; `escape` is the escape character."""
    return _flag_objection(statement) or _argument_objection(statement) or _word_objection(statement, escape)


def stage_name_objection(name: str) -> str | None:
    """Say what is wrong with a stage's name."""
    if _STAGE_NAME.fullmatch(name.lower()):
        return None
    return f"{name[:80]!r} is no name for a stage: it starts with a letter; letters, digits, '-', '_' and '.' follow"


def _flag_objection(statement: Statement) -> str | None:
    known = _FLAGS.get(statement.keyword, ())
    seen: set[str] = set()
    for name, _ in statement.flags:
        if name not in known:
            meant = nearest(name, known)
            return f"{statement.keyword} has no flag --{name[:80]}" + (f", perhaps --{meant}" if meant else "")
        if name in seen and name not in {"mount", "exclude", "device"}:
            return f"--{name} is given twice"
        seen.add(name)
    return None


def _word_objection(statement: Statement, escape: str) -> str | None:
    """Say which word's quotes or braces have no end; modifiers that only some builders know are theirs to refuse."""
    for word in statement.arguments if statement.keyword in _EXPANDED else ():
        try:
            expand_word(word, escape, {}, keep_unset=True)
        except ValueError as error:
            found = _UNENDED.search(str(error))
            if found is not None:
                return f"{word[:80]!r}: {found[0]}"
    return None


def _argument_objection(statement: Statement) -> str | None:
    keyword, arguments = statement.keyword, statement.arguments
    message: str | None = None
    if keyword in _EXACTLY_ONE and len(arguments) != 1:
        message = f"{keyword} needs exactly one argument"
    elif keyword in _AT_LEAST_ONE and not arguments:
        message = f"{keyword} needs at least one argument"
    elif keyword == "FROM":
        message = _from_objection(arguments)
    elif keyword in {"ADD", "COPY"} and len(arguments) < 2:
        message = f"{keyword} needs at least two arguments: what to copy, and where to"
    elif keyword == "RUN" and not arguments and not statement.heredocs:
        message = "RUN needs a command"
    elif keyword == "SHELL" and not (statement.json and arguments):
        message = 'SHELL needs its arguments in JSON form, such as ["/bin/sh", "-c"]'
    elif keyword == "HEALTHCHECK":
        message = _healthcheck_objection(arguments)
    elif keyword in {"ARG", "ENV", "LABEL"}:
        names = arguments if keyword == "ARG" else arguments[::2]
        if any(name == "" or name.startswith("=") for name in names):
            message = f"{keyword} needs a name before the '='"
    elif keyword == "ONBUILD" and statement.trigger is not None:
        inner = statement.trigger.keyword
        message = f"ONBUILD {inner} is not allowed" if inner in {"FROM", "MAINTAINER", "ONBUILD"} else None
    return message


def _from_objection(arguments: tuple[str, ...]) -> str | None:
    if len(arguments) == 1:
        return None
    if len(arguments) != 3 or arguments[1].upper() != "AS":
        return "FROM needs one argument or three: an image, and perhaps AS and a name"
    return stage_name_objection(arguments[2])


def _healthcheck_objection(arguments: tuple[str, ...]) -> str | None:
    kind = arguments[0].upper()
    if kind == "NONE":
        return "HEALTHCHECK NONE takes no arguments" if len(arguments) > 1 else None
    if kind != "CMD":
        return f"HEALTHCHECK knows CMD and NONE, not {arguments[0][:80]!r}"
    return None if len(arguments) > 1 else "HEALTHCHECK CMD needs a command"
