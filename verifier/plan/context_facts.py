"""Look at a build context for what the static rules want to know: names, and a few small texts. Bounded."""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path
from typing import Final

from verifier.errors import UsageError
from verifier.model.build import BuilderName
from verifier.model.context_facts import ContextFacts
from verifier.model.plan import FrozenContext
from verifier.plan.ignore import IgnoreRules, load_ignore_rules

MAX_PATHS: Final = 5_000
"""Paths that are looked at; beyond them the facts are incomplete."""
MAX_DEPTH: Final = 12
MAX_TEXTS: Final = 64
MAX_TEXT_BYTES: Final = 512 * 1024

_CLOSED: Final = frozenset(
    {
        b".git", b".gradle", b".hg", b".mypy_cache", b".nox", b".pytest_cache", b".ruff_cache", b".svn", b".tox",
        b".venv", b"__pycache__", b"node_modules", b"target", b"venv",
    }
)  # fmt: skip
"""Directories whose name says enough: what is inside is not looked at."""

_TEXTS: Final = re.compile(
    rb"(?:requirements|constraints)[^/]*\.(?:txt|in|lock)$|(?:^|/)[^/]*\.(?:list|sources)$|[^/]*\.txt$"
)


def read_context_facts(dockerfile: Path, context: Path, builder: BuilderName = "buildkit") -> ContextFacts:
    """Look at `context` with the ignore file that `builder` would use for `dockerfile`.

    Raises UsageError for a context that is no directory, and for an ignore file that cannot be read.
    """
    if not context.is_dir():
        raise UsageError(f"{context}: there is no such context directory")
    rules = load_ignore_rules(builder, dockerfile, context)
    paths, complete = _paths(os.fsencode(context), rules)
    source = rules.source
    return ContextFacts(
        ignore_file=None if source is None else source.name,
        paths=frozenset(path.decode("utf-8", "replace") for path in paths),
        complete=complete,
        texts=_texts(os.fsencode(context), paths),
    )


def frozen_context_facts(context: FrozenContext) -> ContextFacts:
    """Look at a frozen context: the ignore rules have been applied, and the ignore file itself may be left out."""
    root = os.fsencode(context.directory)
    paths, complete = _paths(root, IgnoreRules(source=None))
    return ContextFacts(
        ignore_file=None if context.ignore_file is None else Path(context.ignore_file).name,
        paths=frozenset(path.decode("utf-8", "replace") for path in paths),
        complete=complete,
        texts=_texts(root, paths),
    )


def _paths(root: bytes, rules: IgnoreRules) -> tuple[list[bytes], bool]:
    found: list[bytes] = []
    pending: list[tuple[bytes, int]] = [(b"", 0)]
    complete = True
    seen = 0
    while pending:
        directory, depth = pending.pop(0)
        try:
            with os.scandir(root + b"/" + directory if directory else root) as entries:
                # By name: which part of a large context is looked at must not depend on the file system.
                inside = sorted((entry.name, entry.is_dir(follow_symlinks=False)) for entry in entries)
        except OSError:
            complete = False
            continue
        for name, is_directory in inside:
            seen += 1
            if seen > MAX_PATHS:
                return found, False
            path = directory + b"/" + name if directory else name
            excluded = rules.excludes(path)
            if not excluded:
                found.append(path)
            if is_directory and name not in _CLOSED and (not excluded or rules.may_bring_back_under(path)):
                if depth < MAX_DEPTH:
                    pending.append((path, depth + 1))
                else:
                    complete = False
    return found, complete


def _texts(root: bytes, paths: list[bytes]) -> dict[str, str]:
    texts: dict[str, str] = {}
    for path in paths:
        if len(texts) >= MAX_TEXTS:
            break
        if _TEXTS.search(path):
            text = _text(root + b"/" + path)
            if text is not None:
                texts[path.decode("utf-8", "replace")] = text
    return texts


def _text(path: bytes) -> str | None:
    """Read a small regular file; nothing that could hold us up, no symlinks, and no error for what vanished."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW)
    except OSError:
        return None
    with os.fdopen(descriptor, "rb") as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode) or status.st_size > MAX_TEXT_BYTES:
            return None
        return file.read(MAX_TEXT_BYTES).decode("utf-8", "replace")
