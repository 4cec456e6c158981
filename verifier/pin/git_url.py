"""URLs of git repositories as ADD takes them: `https://host/r.git#REF:SUBDIR` or with `?ref=…&commit=…&subdir=…`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl

_COMMIT: Final = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class GitUrl:
    """One URL in parts: `name` is a branch or a tag, None for HEAD; `commit` is set where the URL names a whole one."""

    repository: str
    name: str | None
    commit: str | None
    subdirectory: str | None

    @property
    def described(self) -> str:
        """Say what is taken of the repository."""
        return "HEAD" if self.name is None else f"`{self.name}`"

    def at(self, commit: str) -> str:
        """Give the URL that takes `commit`."""
        return f"{self.repository}#{commit}" + (f":{self.subdirectory}" if self.subdirectory else "")


def is_commit(text: str) -> bool:
    """Tell whether `text` is a whole commit id: a short one may come to mean another."""
    return _COMMIT.fullmatch(text) is not None


def split_git_url(url: str) -> GitUrl:
    """Take a URL apart (Dockerfile reference, "ADD", and BuildKit's query form)."""
    before, _, fragment = url.partition("#")
    repository, question, query = before.partition("?")
    name, _, subdirectory = fragment.partition(":")
    commit = None
    if question:
        values = dict(parse_qsl(query))
        name = name or values.get("ref", "") or values.get("tag", "") or values.get("branch", "")
        subdirectory = subdirectory or values.get("subdir", "")
        commit = values.get("commit") or values.get("checksum")
    if name and is_commit(name):
        commit, name = name, ""
    return GitUrl(
        repository=repository,
        name=name or None,
        commit=commit if commit and is_commit(commit) else None,
        subdirectory=subdirectory or None,
    )
