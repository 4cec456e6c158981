"""Shell commands as they stand in a RUN: each simple command with its words, its line, and where its output goes.

What is written is read, nothing is run: a word that depends on more than literals keeps its expression, and `values`
says so by being empty. POSIX shell and bash (POSIX.1-2017, "Shell Command Language").
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

Values = Mapping[str, tuple[str, ...]]
"""Variables and every value that each can have; one that is not here, or has no value listed, is not known."""

SHELLS: Final = frozenset({"sh", "bash", "ash", "dash", "ksh", "zsh"})

FILTERS: Final = frozenset({
    "awk", "base64", "cat", "cksum", "column", "cut", "egrep", "fold", "gawk", "grep", "head", "jq", "md5sum", "nl",
    "od", "paste", "rev", "sed", "sha1sum", "sha256sum", "sha512sum", "sort", "tac", "tail", "tr", "uniq", "wc", "xxd",
})  # fmt: skip
"""Commands that pass on what they read, in one form or another, and keep nothing."""

_PRINTERS: Final = frozenset({"echo", "printf"})
_JUDGES: Final = frozenset({"[", "[[", "test", ":", "true", "false", "exit", "return", "sleep"})
_NOWHERE: Final = ("/dev/null", "/dev/stdout", "/dev/stderr", "/dev/tty", "/proc/1/fd/1", "/proc/self/fd/1")


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """One word: quotes removed, variables with one known value replaced, everything else as written.

    `values` is every value that it can have, empty where that is not known. `variables` are the names it mentions.
    """

    text: str
    values: tuple[str, ...] = ()
    variables: tuple[str, ...] = ()

    def __str__(self) -> str:
        return self.text

    @property
    def known(self) -> bool:
        """Whether every value is known."""
        return bool(self.values)


@dataclass(frozen=True, slots=True, kw_only=True)
class Redirect:
    """One redirection: `operator` without the descriptor; `target` is the file's word, or the text of `<<`."""

    operator: str
    descriptor: int | None
    target: Word


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One simple command. `argv` is empty where there are only assignments or redirections.

    Prefixes that only run another command (`sudo`, `env A=b`, `exec`, `time`) are taken off. `inherited` are the
    redirections of the groups around it. `piped_to` and `piped_from` are positions in the script: the next and the last
    command of the pipe. `within` is the command whose words hold this one as a substitution, `in_control` is set where
    the output only decides (`case`, `for`). `conditional` says that it may not run. `more_arguments` is set behind
    `xargs`. `ignored` says that the script goes on when it fails. `line` is the Dockerfile's, from 1; None where that
    cannot be told.
    """

    argv: tuple[Word, ...]
    assignments: tuple[tuple[str, Word], ...] = ()
    redirects: tuple[Redirect, ...] = ()
    inherited: tuple[Redirect, ...] = ()
    piped_to: int | None = None
    piped_from: int | None = None
    within: int | None = None
    in_control: bool = False
    conditional: bool = False
    more_arguments: bool = False
    exported: bool = False
    ignored: bool = False
    line: int | None = None

    @property
    def name(self) -> str:
        """The program's name without its folder, empty where there is none."""
        return self.argv[0].text.rpartition("/")[2] if self.argv else ""

    @property
    def arguments(self) -> tuple[str, ...]:
        """The words after the program's name, as text."""
        return tuple(word.text for word in self.argv[1:])

    def words(self) -> Iterator[Word]:
        """Walk every word: assignments, arguments, redirections."""
        for _, word in self.assignments:
            yield word
        yield from self.argv
        for redirect in self.redirects:
            yield redirect.target


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """The commands of one RUN in the order of the text; a substitution comes after the command that holds it.

    `complete` is False where something was too deep or too long to be read.
    """

    commands: tuple[Command, ...]
    complete: bool = True

    def output_file(self, command: Command) -> str | None:
        """Give the file that the command's standard output is written to, None where it is not redirected."""
        redirect = _output(command.redirects) or _output(command.inherited)
        return None if redirect is None else redirect.target.text

    def is_kept(self, command: Command) -> bool:
        """Tell whether what the command prints goes anywhere but to the build's log."""
        return self._is_kept(command, 0)

    def mentions(self, name: str) -> Iterator[Command]:
        """Walk the commands that use the variable `name`."""
        for command in self.commands:
            if any(name in word.variables for word in command.words()):
                yield command

    def _is_kept(self, command: Command, depth: int) -> bool:
        if depth > 40:
            return True
        own = _output(command.redirects)
        if own is not None:
            return not _is_nowhere(own)
        if command.piped_to is not None:
            reader = self.commands[command.piped_to]
            passes = reader.name in FILTERS | _JUDGES and not _edits(reader)
            if reader.name == "tee":
                passes = all(word.startswith("-") or word in _NOWHERE for word in reader.arguments)
            return not passes or self._is_kept(reader, depth + 1)
        around = _output(command.inherited)
        if around is not None:
            return not _is_nowhere(around)
        if command.in_control or command.within is None:
            return False
        outer = self.commands[command.within]
        return outer is not command and self._uses(outer, depth + 1)

    def _uses(self, outer: Command, depth: int) -> bool:
        """Tell whether the words of `outer` have an effect beyond the log."""
        if not outer.argv and outer.assignments and not outer.exported:
            return any(
                user is not outer and self._uses(user, depth + 1)
                for name, _ in outer.assignments
                for user in self.mentions(name)
                if depth < 40
            )
        if outer.name in _PRINTERS | FILTERS and not _edits(outer):
            return self._is_kept(outer, depth + 1)
        return outer.name not in _JUDGES


def _output(redirects: tuple[Redirect, ...]) -> Redirect | None:
    found = None
    for redirect in redirects:
        if redirect.operator in {"&>", "&>>"} or (
            redirect.operator in {">", ">>", ">|", ">&"} and redirect.descriptor in {None, 1}
        ):
            found = redirect
    return found


def _is_nowhere(redirect: Redirect) -> bool:
    return redirect.target.text in _NOWHERE or (redirect.operator == ">&" and redirect.target.text in {"1", "2", "-"})


def _edits(command: Command) -> bool:
    return command.name == "sed" and any(word.startswith(("-i", "--in-place")) for word in command.arguments)
