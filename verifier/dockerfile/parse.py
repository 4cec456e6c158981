"""Read a Dockerfile: bytes to stages, with every refusal naming its line."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from verifier.dockerfile.document import Dockerfile, Stage, Statement
from verifier.dockerfile.rules import KEYWORDS, nearest, objection
from verifier.dockerfile.syntax import DockerfileSyntaxError, Node, parse_tree
from verifier.errors import DockerfileError
from verifier.model.instruction import Instruction, StageRef

MAX_DOCKERFILE_BYTES: Final = 1024 * 1024
"""Of one Dockerfile, in bytes; real ones have some kilobytes."""

MAX_LINE_BYTES: Final = 65_535
"""Of one line, in bytes: where BuildKit's own parser stops."""

_UNKNOWN: Final = re.compile(r"unknown instruction: (.*)", re.DOTALL)
_TRIGGER: Final = re.compile(r"ONBUILD\s+(.*)", re.IGNORECASE | re.DOTALL)


def read_dockerfile(path: Path) -> bytes:
    """Read a Dockerfile's bytes, at most MAX_DOCKERFILE_BYTES. Raises DockerfileError for whatever is no readable file.

    Never blocks: a FIFO or a socket is refused, not opened for its content.
    """
    try:
        with open(path, "rb", opener=open_without_blocking) as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise DockerfileError(f"{path}: is not a regular file")
            raw = file.read(MAX_DOCKERFILE_BYTES + 1)
    except FileNotFoundError:
        raise DockerfileError(f"{path}: there is no such Dockerfile") from None
    except IsADirectoryError:
        found = path / "Dockerfile"
        hint = f"name the file in it: {found}" if found.is_file() else None
        raise DockerfileError(f"{path}: is a directory, not a Dockerfile", hint) from None
    except OSError as error:
        raise DockerfileError(f"{path}: the Dockerfile cannot be read: {error.strerror}") from None
    _check_size(raw, str(path))
    return raw


def open_without_blocking(path: str, flags: int) -> int:
    """Open a file for `open(opener=…)` so that a FIFO without a writer does not hold us up."""
    return os.open(path, flags | os.O_NONBLOCK)


def parse_dockerfile(raw: bytes, path: str) -> Dockerfile:
    """Parse a Dockerfile as BuildKit does; `path` names it in messages, which begin `PATH:LINE: `.

    Raises DockerfileError, with the line where there is one, for an empty or binary file and for whatever a builder
    would refuse before its first step. Bytes that are not UTF-8 are replaced.
    """
    _check_size(raw, path)
    if b"\0" in raw:
        raise DockerfileError(f"{path}: is a binary file, not a Dockerfile")
    if not raw.strip():
        raise DockerfileError(f"{path}: the Dockerfile is empty")
    for number, line in enumerate(raw.split(b"\n"), start=1):
        if len(line) > MAX_LINE_BYTES:
            raise _refusal(path, number, f"the line is longer than {MAX_LINE_BYTES} bytes")
    text = raw.decode("utf-8", "replace")
    try:
        tree = parse_tree(text)
    except DockerfileSyntaxError as error:
        raise _syntax_refusal(path, error) from None
    if not tree.nodes:
        raise DockerfileError(f"{path}: the Dockerfile has no instruction")
    arguments, stages = _stages(tree.nodes, path, tree.escape)
    return Dockerfile(
        path=path,
        syntax=tree.directives.get("syntax"),
        check=tree.directives.get("check"),
        escape=tree.escape,
        arguments=arguments,
        stages=stages,
        text=text,
    )


def _check_size(raw: bytes, path: str) -> None:
    if len(raw) > MAX_DOCKERFILE_BYTES:
        raise DockerfileError(f"{path}: the Dockerfile is larger than {MAX_DOCKERFILE_BYTES} bytes")


def _refusal(path: str, line: int | None, message: str, hint: str | None = None) -> DockerfileError:
    return DockerfileError(f"{path}:{line}: {message}" if line else f"{path}: {message}", hint, line=line)


def _syntax_refusal(path: str, error: DockerfileSyntaxError) -> DockerfileError:
    message = str(error)
    unknown = _UNKNOWN.fullmatch(message)
    if unknown is None:
        return _refusal(path, error.line, message[:1].lower() + message[1:400])
    word = unknown[1]
    meant = nearest(word.upper(), KEYWORDS)
    return _refusal(
        path, error.line, f"unknown instruction {word[:80]!r}", f"perhaps {meant} was meant" if meant else None
    )


def _stages(nodes: Sequence[Node], path: str, escape: str) -> tuple[tuple[Statement, ...], tuple[Stage, ...]]:
    first = next((node for node in nodes if node.keyword == "FROM"), None)
    early = next((node for node in nodes if node.keyword not in {"FROM", "ARG"}), None)
    if early is not None and (first is None or early.line < first.line):
        raise _refusal(path, early.line, f"{early.keyword} stands before the first FROM; only ARG may")
    if first is None:
        raise DockerfileError(f"{path}: the Dockerfile has no FROM")
    starts = [number for number, node in enumerate(nodes) if node.keyword == "FROM"]
    stages = []
    for index, (start, end) in enumerate(zip(starts, [*starts[1:], len(nodes)], strict=True)):
        reference = StageRef(index=index, name=_stage_name(nodes[start]))
        source, *statements = (_statement(node, reference, path, escape) for node in nodes[start:end])
        stages.append(
            Stage(
                index=index,
                name=reference.name,
                base=source.arguments[0],
                platform=source.flag("platform"),
                source=source,
                statements=tuple(statements),
            )
        )
    before = StageRef(index=0, name=stages[0].name)
    return tuple(_statement(node, before, path, escape) for node in nodes[: starts[0]]), tuple(stages)


def _stage_name(node: Node) -> str | None:
    return node.arguments[2].lower() if len(node.arguments) == 3 else None


def _statement(node: Node, stage: StageRef, path: str, escape: str) -> Statement:
    statement = Statement(
        keyword=node.keyword,
        flags=tuple(_flag(text) for text in node.flags),
        arguments=_arguments(node),
        rest=_rest(node),
        json=node.json,
        heredocs=node.heredocs,
        instruction=Instruction(stage=stage, line=node.line, end_line=node.end_line, text=node.text),
    )
    if node.keyword == "ONBUILD":
        statement = _with_trigger(statement, path, escape)
    complaint = objection(statement, escape)
    if complaint is not None:
        raise _refusal(path, node.line, complaint)
    return statement


def _flag(text: str) -> tuple[str, str | None]:
    name, equals, value = text.removeprefix("--").partition("=")
    return name, value if equals else None


def _arguments(node: Node) -> tuple[str, ...]:
    if node.keyword in {"ENV", "LABEL"}:
        # name, value and delimiter in turn: the delimiter only tells the two spellings apart
        return tuple(value for number, value in enumerate(node.arguments) if number % 3 != 2)
    if node.keyword == "ONBUILD":
        match = _TRIGGER.match(node.text.strip())
        return (match[1],) if match else ()
    return node.arguments


def _rest(node: Node) -> str:
    """Cut the keyword and the flags off the text."""
    rest = node.text.strip()[len(node.keyword) :].strip()
    for _ in node.flags:
        rest = re.sub(r"^--(?:\"[^\"]*\"|'[^']*'|\S)*\s*", "", rest)
    return rest


def _with_trigger(statement: Statement, path: str, escape: str) -> Statement:
    if not statement.arguments:
        return statement
    line = statement.instruction.line
    # A directive on the first line makes the parser read the trigger with the file's own escape character.
    text = f"# escape={escape}\n{statement.arguments[0]}\n"
    try:
        nodes = parse_tree(text).nodes
    except DockerfileSyntaxError as error:
        raise _syntax_refusal(path, DockerfileSyntaxError(str(error), line)) from None
    if len(nodes) != 1:
        return statement
    node = replace(nodes[0], line=line, end_line=statement.instruction.end_line)
    if node.keyword in {"FROM", "MAINTAINER", "ONBUILD"}:
        return replace(statement, trigger=replace(statement, keyword=node.keyword))
    return replace(statement, trigger=_statement(node, statement.instruction.stage, path, escape))
