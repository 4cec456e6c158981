"""Ignore files, each builder by its own rules: which file counts, and which paths it leaves out.

BuildKit        `NAME.dockerignore` beside the Dockerfile, else `.dockerignore` in the context
classic engine  `.dockerignore` in the context
Buildah, Podman `NAME.dockerignore`, else `NAME.containerignore` beside the Dockerfile (seen with Buildah 1.28), else
                `.containerignore`, else `.dockerignore` in the context

Patterns have Moby's semantics (`patternmatcher`): the last one that matches wins, `!` brings back, and what matches a
directory matches all beneath it. The builders differ in which directories they enter to bring something back
(`_LiteralDescent`), and Buildah and Podman in what a `!` brings back (`_EachPattern`). The Dockerfile and the ignore
file may be left out like any other file: the build does not read them from the context then.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from verifier.dockerfile.parse import open_without_blocking
from verifier.dockerfile.syntax import Matcher, compile_patterns
from verifier.errors import UsageError
from verifier.model.build import BuilderName

MAX_IGNORE_BYTES: Final = 1024 * 1024
"""Of one ignore file, in bytes."""

_BESIDE: Final[dict[BuilderName, tuple[str, ...]]] = {
    "buildkit": (".dockerignore",),
    "docker": (),
    "buildah": (".dockerignore", ".containerignore"),
    "podman": (".dockerignore", ".containerignore"),
}
_IN_CONTEXT: Final[dict[BuilderName, tuple[str, ...]]] = {
    "buildkit": (".dockerignore",),
    "docker": (".dockerignore",),
    "buildah": (".containerignore", ".dockerignore"),
    "podman": (".containerignore", ".dockerignore"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class IgnoreRules:
    """The patterns of the ignore file that counts; `source` is None, and nothing is left out, when there is none.

    `raw` is the file as it is.
    """

    source: Path | None
    raw: bytes = b""
    patterns: tuple[str, ...] = ()
    matcher: Matcher | None = None

    def excludes(self, path: bytes) -> bool:
        """Tell whether `path`, relative to the context, is left out."""
        return self.matcher is not None and self.matcher.matches(os.fsdecode(path))

    def may_bring_back_under(self, directory: bytes) -> bool:
        """Tell whether something beneath a directory that is left out could be brought back by `!`."""
        return self.matcher is not None and self.matcher.may_match_under(os.fsdecode(directory))


class _EachPattern:
    """Match as containers/storage does: a `!` pattern that matches a parent brings back whatever was left out beneath.

    Seen with Buildah 1.28: `**/*.log` and then `!a` keep `a/x.log`, which BuildKit leaves out.
    """

    def __init__(self, patterns: Sequence[str], where: str) -> None:
        self._patterns = tuple(
            (pattern.startswith("!"), compile_patterns([_escaped(pattern.removeprefix("!").strip())], where))
            for pattern in patterns
        )

    def matches(self, path: str) -> bool:
        """Tell whether `path` is left out."""
        return next((not brings_back for brings_back, one in reversed(self._patterns) if one.matches(path)), False)

    def may_match_under(self, dir_path: str) -> bool:
        """Tell whether there is any `!` pattern."""
        return bool(dir_path) and any(brings_back for brings_back, _ in self._patterns)


class _LiteralDescent:
    """Enter a directory that is left out only where a `!` pattern begins with its path, wildcards as they are written.

    The classic engine and Buildah do so: after `*` and `!**/a` they keep nothing, where BuildKit keeps `b/a`. `ending`
    must follow the path in the pattern: a slash for the engine, nothing for Buildah.
    """

    def __init__(self, matcher: Matcher, patterns: Sequence[str], ending: str) -> None:
        self._matcher = matcher
        self._ending = ending
        self._exceptions = tuple(
            os.path.normpath(pattern[1:].strip()).strip("/") + "/" for pattern in patterns if pattern.startswith("!")
        )

    def matches(self, path: str) -> bool:
        """Tell whether `path` is left out."""
        return self._matcher.matches(path)

    def may_match_under(self, dir_path: str) -> bool:
        """Tell whether a directory that is left out is entered all the same."""
        return any(exception.startswith(dir_path + self._ending) for exception in self._exceptions)


def _escaped(pattern: str) -> str:
    return "\\" + pattern if pattern.startswith(("#", "!")) else pattern


def load_ignore_rules(builder: BuilderName, dockerfile: Path, context: Path) -> IgnoreRules:
    """Read the ignore file that `builder` would use. Raises UsageError for an unreadable file or a bad pattern."""
    candidates = [dockerfile.with_name(dockerfile.name + suffix) for suffix in _BESIDE[builder]]
    candidates += [context / name for name in _IN_CONTEXT[builder]]
    for candidate in candidates:
        raw = _read(candidate)
        if raw is not None:
            return rules_from(raw, candidate, builder)
    return IgnoreRules(source=None)


def reload_ignore_rules(source: Path | None, builder: BuilderName | None) -> IgnoreRules | None:
    """Read the same ignore file again; None when it is not there any more or is no longer valid."""
    if source is None:
        return IgnoreRules(source=None)
    try:
        raw = _read(source)
        return None if raw is None else rules_from(raw, source, builder)
    except UsageError:
        return None


def rules_from(raw: bytes, source: Path, builder: BuilderName | None) -> IgnoreRules:
    """Parse an ignore file's bytes; a comment has `#` in the first column. Raises UsageError for a bad pattern."""
    text = os.fsdecode(raw.removeprefix(b"\xef\xbb\xbf"))
    lines = [line for line in text.split("\n") if line.strip() and not line.startswith("#")]
    patterns = tuple(line.strip() for line in lines)
    # Indented, a `#` is no comment: the matcher must see the line as it is written.
    matcher = _matcher(lines, patterns, str(source), builder) if patterns else None
    return IgnoreRules(source=source, raw=raw, patterns=patterns, matcher=matcher)


def _matcher(lines: Sequence[str], patterns: Sequence[str], where: str, builder: BuilderName | None) -> Matcher:
    moby = compile_patterns(lines, where)
    if builder == "docker":
        return _LiteralDescent(moby, patterns, "/")
    if builder in {"buildah", "podman"}:
        return _LiteralDescent(_EachPattern(patterns, where), patterns, "")
    return moby


def _read(path: Path) -> bytes | None:
    try:
        with open(path, "rb", opener=open_without_blocking) as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise UsageError(f"{path}: the ignore file is not a regular file")
            raw = file.read(MAX_IGNORE_BYTES + 1)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise UsageError(f"{path}: the ignore file cannot be read: {error.strerror}") from None
    if len(raw) > MAX_IGNORE_BYTES:
        raise UsageError(f"{path}: the ignore file is larger than {MAX_IGNORE_BYTES} bytes")
    return raw
