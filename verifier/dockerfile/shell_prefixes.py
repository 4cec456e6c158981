"""Commands that only run another one: `sudo`, `env A=b`, `timeout 10`, `xargs -n 1`; what is behind them counts."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from verifier.dockerfile.shell import SHELLS, Word

_ASSIGNMENT: Final = re.compile(r"([A-Za-z_]\w*)=(.*)", re.DOTALL)
_MAX_PREFIXES: Final = 20


@dataclass(frozen=True, slots=True)
class _Prefix:
    """A prefix's options that take a value as the next word, and how many plain words stand before the command."""

    valued: frozenset[str] = frozenset()
    plain: int = 0
    assignments: bool = False


def _prefix(valued: str = "", plain: int = 0, *, assignments: bool = False) -> _Prefix:
    return _Prefix(frozenset(valued.split()), plain, assignments)


_PREFIXES: Final[dict[str, _Prefix]] = {
    "builtin": _prefix(),
    "chroot": _prefix(plain=1),
    "chronic": _prefix(),
    "command": _prefix(),
    "doas": _prefix("-u -C"),
    "eatmydata": _prefix(),
    "env": _prefix("-u --unset -C --chdir", assignments=True),
    "exec": _prefix("-a"),
    "fakeroot": _prefix("-l -i -s"),
    "gosu": _prefix(plain=1),
    "ionice": _prefix("-c -n -p"),
    "linux32": _prefix(),
    "linux64": _prefix(),
    "nice": _prefix("-n"),
    "nohup": _prefix(),
    "stdbuf": _prefix("-i -o -e"),
    "su-exec": _prefix(plain=1),
    "sudo": _prefix("-u -g -h -p -C -r -t -D --user --group", assignments=True),
    "time": _prefix("-o -f", assignments=True),
    "timeout": _prefix("-s -k --signal --kill-after", plain=1),
    "xargs": _prefix("-a -d -E -I -L -n -P -s --arg-file --delimiter --max-args --max-procs --replace"),
    "busybox": _prefix(),
}
_RUNNERS: Final = {("conda", "run"), ("mamba", "run"), ("poetry", "run"), ("pipenv", "run"), ("bundle", "exec")}
_RUNNER_VALUED: Final = frozenset({"-n", "--name", "-p", "--prefix", "-C"})


@dataclass(frozen=True, slots=True)
class Stripped:
    """A command without its prefixes."""

    argv: tuple[Word, ...]
    assignments: tuple[tuple[str, Word], ...]
    more_arguments: bool


def strip_prefixes(argv: tuple[Word, ...]) -> Stripped:
    """Take the prefixes off `argv`; what only asks (`command -v`, `sudo -v`) is left as it is."""
    assignments: list[tuple[str, Word]] = []
    more = False
    for _ in range(_MAX_PREFIXES):
        name = argv[0].text.rpartition("/")[2] if argv else ""
        rest = _behind(name, argv, assignments)
        if not rest:
            break
        more = more or name == "xargs"
        argv = rest
    return Stripped(argv, tuple(assignments), more)


def shell_script(argv: Sequence[Word]) -> Word | None:
    """Give the script that `sh -c SCRIPT`, `su -c SCRIPT` or `eval SCRIPT` runs, None for anything else."""
    name = argv[0].text.rpartition("/")[2] if argv else ""
    if name == "eval":
        return _joined(argv[1:])
    if name in {"su", "runuser"}:
        return next((after for word, after in pairwise(argv) if word.text in {"-c", "--command"}), None)
    return _shell_argument(argv[1:]) if name in SHELLS else None


def _joined(words: Sequence[Word]) -> Word:
    values = (" ".join(word.values[0] for word in words),) if all(len(word.values) == 1 for word in words) else ()
    variables = tuple(variable for word in words for variable in word.variables)
    return Word(text=" ".join(word.text for word in words), values=values, variables=variables)


def _shell_argument(words: Sequence[Word]) -> Word | None:
    """Find the script behind a shell's options; an option's own value may stand before it (`-eo pipefail -c`)."""
    asked = False
    position = 0
    while position < len(words) and words[position].text.startswith(("-", "+")):
        option = words[position].text
        asked = asked or re.fullmatch(r"-[a-zA-Z]*c[a-zA-Z]*", option) is not None
        takes_value = re.fullmatch(r"[-+][a-zA-Z]*[oO]|--rcfile|--init-file", option) is not None
        position += 2 if takes_value else 1
    return words[position] if asked and position < len(words) else None


def _behind(name: str, argv: tuple[Word, ...], assignments: list[tuple[str, Word]]) -> tuple[Word, ...]:
    if len(argv) > 2 and (name, argv[1].text) in _RUNNERS:
        return _skip(argv[2:], _Prefix(_RUNNER_VALUED), assignments)
    prefix = _PREFIXES.get(name)
    if prefix is None or (name == "command" and len(argv) > 1 and argv[1].text in {"-v", "-V"}):
        return ()
    return _skip(argv[1:], prefix, assignments)


def _skip(words: tuple[Word, ...], prefix: _Prefix, assignments: list[tuple[str, Word]]) -> tuple[Word, ...]:
    position = 0
    plain = prefix.plain
    while position < len(words):
        text = words[position].text
        match = _ASSIGNMENT.fullmatch(text) if prefix.assignments else None
        if text == "--":
            position += 1
            break
        if text.startswith("-") and text != "-":
            position += 2 if text in prefix.valued else 1
        elif match is not None:
            values = tuple(value.partition("=")[2] for value in words[position].values)
            assignments.append((match[1], Word(text=match[2], values=values, variables=words[position].variables)))
            position += 1
        elif plain:
            plain -= 1
            position += 1
        else:
            break
    return words[position:]
