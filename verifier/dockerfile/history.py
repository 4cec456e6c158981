"""What `history[].created_by` says, in the words of each builder (OCI image specification, "Image Configuration").

BuildKit writes `RUN |1 A=b /bin/sh -c make # buildkit` and `COPY a /b # buildkit`; the classic engine `|1 A=b /bin/sh
-c make` and `/bin/sh -c #(nop) COPY file:… in /b `; Buildah and Podman as the classic engine, but always with the
default shell, and an exec form, a relative destination and the flags of a RUN as written.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from verifier.dockerfile.document import Statement
from verifier.dockerfile.rules import KEYWORDS
from verifier.dockerfile.syntax import expand_word
from verifier.oci.config import History

LAYER_KEYWORDS: Final = frozenset({"RUN", "COPY", "ADD", "WORKDIR"})
"""The instructions that a builder makes a layer of its own for."""

DEFAULT_SHELL: Final = "/bin/sh -c"

_NOP: Final = re.compile(r"(?:\S+ )+?#\(nop\)\s+([A-Z]+)\s?(.*)", re.DOTALL)
_PLAIN: Final = re.compile(r"(" + "|".join(KEYWORDS) + r")(?:\s+(.*))?", re.DOTALL)
_SUMMARISED: Final = re.compile(r"(?:--\S+ )*\S+ in (.*)", re.DOTALL)
_ARGUMENTS: Final = re.compile(r"\|\d+ [A-Za-z_]\w*=.*", re.DOTALL)
_VARIABLE: Final = re.compile(r"\$\{[^}]*\}|\$\w+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One history entry: the keyword that it speaks of, what follows it, and whether it made a layer.

    `summarised` is set where the sources of a COPY or an ADD are not named (`file:DIGEST in /b`).
    """

    keyword: str
    rest: str
    layer: bool
    summarised: bool


def read_entry(history: History) -> Entry:
    """Read one history entry; what is in no builder's words is taken for a RUN, as the classic engine writes them."""
    text = history.created_by.removesuffix(" # buildkit")
    keyword, rest = "RUN", text
    nop = _NOP.fullmatch(text)
    match = nop or _PLAIN.fullmatch(text)
    if match is not None:
        keyword, rest = match[1], match[2] or ""
    copied = _SUMMARISED.fullmatch(rest.strip()) if nop is not None and keyword in {"ADD", "COPY"} else None
    return Entry(
        keyword=keyword,
        rest=_squeeze(copied[1] if copied else rest),
        layer=not history.empty_layer,
        summarised=copied is not None,
    )


def matches(entry: Entry, statement: Statement, shells: Iterable[str], escape: str) -> bool:
    """Tell whether `entry` is what a builder writes for `statement`; `shells` may stand before a shell form."""
    if entry.keyword != statement.keyword:
        return False
    if entry.keyword == "RUN":
        return _ran(entry.rest, shells) & _commands(statement) != set() or _ran_exec_form(entry.rest, statement)
    if entry.keyword in {"ADD", "COPY"}:
        return _copied(entry, statement, escape)
    if entry.keyword == "WORKDIR":
        return re.fullmatch(_path_pattern(statement.arguments[0], escape), entry.rest, re.DOTALL) is not None
    return True


def _squeeze(text: str) -> str:
    return " ".join(text.split())


def _ran(rest: str, shells: Iterable[str]) -> set[str]:
    """Give what may have been the command: `rest` without its build arguments and without the shell."""
    found = {rest}
    for shell in shells:
        if rest.startswith(shell + " "):
            found.add(rest[len(shell) + 1 :])
        elif rest.startswith("|"):
            # The values of the build arguments may hold spaces: the shell's first mention ends them.
            _, shell_found, command = rest.partition(f" {shell} ")
            if shell_found:
                found.add(command)
    return found


def _ran_exec_form(rest: str, statement: Statement) -> bool:
    """Tell whether `rest` is build arguments and then the exec form, with no shell between them."""
    end = " " + _squeeze(" ".join(statement.arguments))
    return statement.json and rest.endswith(end) and _ARGUMENTS.fullmatch(rest.removesuffix(end)) is not None


def _commands(statement: Statement) -> set[str]:
    """Give the ways in which builders write the command of a RUN: Buildah and Podman with its flags."""
    flags = [f"--{name}" if value is None else f"--{name}={value}" for name, value in statement.flags]
    found = {_squeeze(statement.rest), _squeeze(" ".join([*flags, statement.rest]))}
    if statement.json:
        return found | {_squeeze(" ".join(statement.arguments))}
    if statement.heredocs and statement.arguments:
        bodies = "".join(f"\n{doc.content}{doc.name}" for doc in statement.heredocs)
        only = statement.heredocs[0]
        found |= {_squeeze(statement.arguments[0] + bodies), _squeeze(only.content), f"/dev/pipes/{only.name}"}
    return found - {""}


def _copied(entry: Entry, statement: Statement, escape: str) -> bool:
    *sources, target = statement.arguments
    if entry.summarised:
        return re.fullmatch(_path_pattern(target, escape), entry.rest, re.DOTALL) is not None
    words = [_pattern(_heredoc_source(word), escape) for word in sources] + [_path_pattern(target, escape)]
    return re.fullmatch(r"(?:--\S+ )*" + " ".join(words), entry.rest, re.DOTALL) is not None


def _heredoc_source(word: str) -> str:
    return re.sub(r"^\d*<<-?\s*['\"]?([^'\"]+)['\"]?$", r"<<\1", word)


def _pattern(word: str, escape: str) -> str:
    """Make a pattern of one word: quotes removed, and a variable stands for anything."""
    try:
        plain = expand_word(word, escape, {}, keep_unset=True)
    except ValueError:
        plain = word
    # Neighbouring variables are one wildcard: two in a row would only make the pattern slow.
    return re.sub(r"(?:\.\*){2,}", ".*", ".*".join(re.escape(_squeeze(part)) for part in _VARIABLE.split(plain)))


def _path_pattern(word: str, escape: str) -> str:
    """Make a pattern of a path as a builder resolves it: a relative one may have gained parents."""
    pattern = _pattern(word, escape)
    if pattern.startswith("/"):
        return pattern.rstrip("/") + "/?"
    inner = re.sub(r"^(?:\\\./)+", "", pattern).rstrip("/")
    return r"\S*" if inner in {"", r"\."} else r"(?:\S*/)?(?:\./)?" + inner + "/?"
