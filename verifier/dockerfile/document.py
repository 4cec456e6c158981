"""A parsed Dockerfile (Dockerfile reference, "Format"): what is written, nothing expanded yet."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from verifier.model.instruction import Instruction


@dataclass(frozen=True, slots=True, kw_only=True)
class Heredoc:
    """One here-document of a RUN, COPY or ADD; `content` as written, `strip_tabs` for `<<-`.

    `expand` is False where the terminator is quoted.
    """

    name: str
    content: str
    strip_tabs: bool
    expand: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """One instruction in parts: the keyword in upper case, its flags, its arguments.

    `arguments` of ENV and LABEL are name and value in turn; of ARG one word each (`NAME` or `NAME=VALUE`); of FROM,
    COPY, ADD, EXPOSE, VOLUME the words; of a shell form the one command, of an exec form (`json`) its strings. `rest`
    is what follows the flags, as written. `trigger` is the instruction inside an ONBUILD.
    """

    keyword: str
    flags: tuple[tuple[str, str | None], ...]
    arguments: tuple[str, ...]
    rest: str
    json: bool
    heredocs: tuple[Heredoc, ...]
    instruction: Instruction
    trigger: Statement | None = None

    def flag(self, name: str) -> str | None:
        """Give the last value of `--name=`, None when the flag is missing or has no value."""
        values = [value for key, value in self.flags if key == name]
        return values[-1] if values else None

    def has_flag(self, name: str) -> bool:
        """Tell whether `--name` is there, with a value or without."""
        return any(key == name for key, _ in self.flags)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """One build stage: its FROM, and what follows up to the next one.

    `base` and `platform` are FROM's expressions, ARGs not expanded; `name` is in lower case, as builders compare it.
    """

    index: int
    name: str | None
    base: str
    platform: str | None
    source: Statement
    statements: tuple[Statement, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Dockerfile:
    """A Dockerfile that a builder would begin to build.

    `syntax` and `check` are the parser directives' values; `escape` is the escape character. `arguments` are the ARGs
    before the first FROM; their instructions count to the first stage. There is at least one stage. `text` is the whole
    file as it was read.
    """

    path: str
    syntax: str | None
    check: str | None
    escape: str
    arguments: tuple[Statement, ...]
    stages: tuple[Stage, ...]
    text: str = ""

    def statements(self) -> Iterator[Statement]:
        """Walk every statement in the order of the lines, ARGs before FROM and the FROMs included."""
        yield from self.arguments
        for stage in self.stages:
            yield stage.source
            yield from stage.statements

    @property
    def instructions(self) -> tuple[Instruction, ...]:
        """Every instruction, in the order of the lines."""
        return tuple(statement.instruction for statement in self.statements())
