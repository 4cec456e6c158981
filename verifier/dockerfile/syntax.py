"""The adapter to e2b_dockerfile_utils: the one module that imports it.

It is a port of BuildKit's own parser, shell lexer and pattern matcher. It does not read `# syntax=`, nor what is inside
ONBUILD, and expands no ARG of its own accord: that is done here and in the modules beside.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from verifier.dockerfile.document import Heredoc
from verifier.errors import UsageError

MAX_DIRECTIVE: Final = 4_096
"""Characters of one parser directive's line; the parser's pattern takes quadratic time on longer ones."""

_DIRECTIVE: Final = re.compile(r"#\s*([a-zA-Z][a-zA-Z0-9]*)\s*=\s*(.+)")
_DIRECTIVES: Final = frozenset({"syntax", "escape", "check"})


class DockerfileSyntaxError(ValueError):
    """What the parser refuses, with its line where there is one."""

    def __init__(self, message: str, line: int | None) -> None:
        super().__init__(message)
        self.line = line


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One instruction as the parser sees it; lines from 1, inclusive, here-documents included."""

    keyword: str
    text: str
    flags: tuple[str, ...]
    arguments: tuple[str, ...]
    json: bool
    heredocs: tuple[Heredoc, ...]
    line: int
    end_line: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Tree:
    """A whole file as the parser sees it."""

    nodes: tuple[Node, ...]
    escape: str
    directives: Mapping[str, str]


class Matcher(Protocol):
    """Matches paths, relative to the context and divided by slashes, against ignore patterns."""

    def matches(self, path: str) -> bool:
        """Tell whether `path` is excluded; the last pattern that matches it or a parent wins."""

    def may_match_under(self, dir_path: str) -> bool:
        """Tell whether an exception (`!`) could bring back something under an excluded directory."""


def parse_tree(text: str) -> Tree:
    """Parse a Dockerfile's text. Raises DockerfileSyntaxError."""
    from e2b_dockerfile_utils import DockerfileSyntaxError as ParserError  # noqa: PLC0415 - costs start-up time
    from e2b_dockerfile_utils import parse_dockerfile_ast  # noqa: PLC0415

    text = text.removeprefix("\ufeff")
    directives = _directives(text)
    try:
        tree = parse_dockerfile_ast(text)
    except ParserError as error:
        message = re.sub(r"^Dockerfile parse error( on line \d+)?: ", "", str(error))
        raise DockerfileSyntaxError(message, error.line) from None
    except RecursionError:
        raise DockerfileSyntaxError("is nested too deeply", None) from None
    nodes = tuple(
        Node(
            keyword=item.name,
            text=item.original,
            flags=tuple(item.flags),
            arguments=tuple(item.args),
            json=item.json,
            heredocs=tuple(
                Heredoc(name=doc.name, content=doc.content, strip_tabs=doc.chomp, expand=doc.expand)
                for doc in item.heredocs
            ),
            line=item.start_line,
            end_line=item.end_line,
        )
        for item in tree.instructions
    )
    return Tree(nodes=nodes, escape=tree.escape_token, directives=directives)


def expand_word(word: str, escape: str, values: Mapping[str, str], *, keep_unset: bool = False) -> str:
    """Expand variables in one word and remove its quotes, as BuildKit does.

    A variable that is not in `values` becomes empty, or stays as written with `keep_unset`. Raises ValueError.
    """
    from e2b_dockerfile_utils import ShellLex  # noqa: PLC0415 - costs start-up time

    return ShellLex(escape, env=values, skip_unset_env=keep_unset).process_word(word)


def compile_patterns(patterns: Sequence[str], where: str) -> Matcher:
    """Compile the lines of an ignore file, named `where` in errors. Raises UsageError for a malformed pattern."""
    from e2b_dockerfile_utils import PatternMatcher  # noqa: PLC0415 - costs start-up time

    try:
        return PatternMatcher(list(patterns))
    except (ValueError, re.error) as error:
        raise UsageError(f"{where}: {error}") from None


def _directives(text: str) -> dict[str, str]:
    """Read the parser directives, which stand only before anything else (Dockerfile reference, "Parser directives")."""
    found: dict[str, str] = {}
    for number, line in enumerate(text.split("\n", 16)[:16], start=1):
        if number == 1 and line.startswith("#!"):
            continue
        match = _DIRECTIVE.match(line.strip())
        if match is not None and len(line) > MAX_DIRECTIVE:
            raise DockerfileSyntaxError(f"the parser directive is longer than {MAX_DIRECTIVE} characters", number)
        if match is None or match[1].lower() not in _DIRECTIVES:
            break
        found.setdefault(match[1].lower(), match[2].strip())
    return found
