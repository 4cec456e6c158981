"""The script that a RUN hands to its shell, and which line of the Dockerfile each part of it stands on."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from verifier.dockerfile.document import Dockerfile, Statement
from verifier.dockerfile.shell import SHELLS

_ONLY_HEREDOC: Final = re.compile(r"<<-?\s*([\"']?)[A-Za-z_]\w*\1\s*")
_HEREDOC_FIRST: Final = re.compile(r"(<<-?\s*(?:\w+|\"\w+\"|'\w+'))[ \t]+([^\s<>|&;](?:[^<|&;\n]|>&)*)")


@dataclass(frozen=True, slots=True)
class ShellText:
    """A script; `starts` are ascending offsets (UTF-8 bytes), `lines` the Dockerfile's lines that begin there.

    `options` are those that its own first line gives to its shell.
    """

    text: str
    starts: tuple[int, ...]
    lines: tuple[int, ...]
    options: tuple[str, ...] = ()

    def line_of(self, offset: int) -> int | None:
        """Give the line that the byte at `offset` stands on."""
        position = bisect_right(self.starts, offset) - 1
        return self.lines[position] if position >= 0 else None


def shell_text(dockerfile: Dockerfile, statement: Statement, shell: Sequence[str], lines: Sequence[str]) -> ShellText:
    """Compose the script of a RUN in shell form; `shell` is what SHELL says, `lines` are the Dockerfile's.

    The text is empty where no POSIX shell reads it: another SHELL, or a here-document with another interpreter.
    """
    instruction = statement.instruction
    if not statement.arguments or not any(_is_shell(word) for word in shell):
        return ShellText("", (), ())
    # `<<EOF python3` means `python3 <<EOF`, which the grammar reads better.
    command = _HEREDOC_FIRST.sub(r"\2 \1", statement.arguments[0]) if statement.heredocs else statement.arguments[0]
    bodies = _bodies(statement)
    if statement.heredocs and _ONLY_HEREDOC.fullmatch(command):
        number, body = bodies[0]
        interpreter = body.split("\n", 1)[0].removeprefix("#!").split() if body.startswith("#!") else ["sh"]
        if not any(_is_shell(word) for word in interpreter):
            return ShellText("", (), ())
        script = _numbered([(number + index, line) for index, line in enumerate(body.split("\n"))])
        return replace(script, options=tuple(interpreter[1:]))
    pieces = _pieces(command, lines[instruction.line - 1 : instruction.end_line], instruction.line, dockerfile.escape)
    if not statement.heredocs:
        return _numbered(pieces, glue="")
    pieces[-1] = (pieces[-1][0], pieces[-1][1] + "\n")
    for (number, body), heredoc in zip(bodies, statement.heredocs, strict=True):
        rows = [*body.split("\n")[:-1], heredoc.name]
        pieces += [(number + index, row + "\n") for index, row in enumerate(rows)]
    return _numbered(pieces, glue="")


def _is_shell(word: str) -> bool:
    return word.rpartition("/")[2] in SHELLS


def _bodies(statement: Statement) -> list[tuple[int, str]]:
    """Give each here-document's first line and its text; the last one ends on the instruction's last line."""
    found: list[tuple[int, str]] = []
    end = statement.instruction.end_line
    for heredoc in reversed(statement.heredocs):
        start = end - heredoc.content.count("\n")
        body = re.sub(r"^\t+", "", heredoc.content, flags=re.MULTILINE) if heredoc.strip_tabs else heredoc.content
        found.insert(0, (start, body))
        end = start - 1
    return found


def _pieces(command: str, lines: Sequence[str], first: int, escape: str) -> list[tuple[int, str]]:
    """Cut the joined command where its lines begin: the parser has taken out comments, blank lines and escapes."""
    starts: list[tuple[int, int]] = [(0, first)]
    cursor = 0
    for number, line in enumerate(lines, start=first):
        wanted = line.strip().removesuffix(escape).strip()
        if not wanted or (wanted.startswith("#") and number > first):
            continue
        position = command.find(wanted, cursor)
        if position < 0 and number == first:
            # The keyword and the flags stand before the command on the first line.
            tail = next((wanted[index:] for index in range(len(wanted)) if command.startswith(wanted[index:])), "")
            cursor = len(tail)
        elif position >= 0:
            starts.append((position, number))
            cursor = position + len(wanted)
    starts.sort()
    ends = [offset for offset, _ in starts[1:]] + [len(command)]
    return [(number, command[offset:end]) for (offset, number), end in zip(starts, ends, strict=True)]


def _numbered(pieces: Sequence[tuple[int, str]], glue: str = "\n") -> ShellText:
    starts, lines, offset = [], [], 0
    for number, piece in pieces:
        starts.append(offset)
        lines.append(number)
        offset += len((piece + glue).encode("utf-8", "replace"))
    return ShellText(glue.join(piece for _, piece in pieces), tuple(starts), tuple(lines))
