"""COPY takes files along that belong to the working copy, not to the program.

What varies: `.git` (an index with times and inode numbers, reflogs), byte code, virtual environments, `node_modules`,
build outputs, logs, editors' files: they differ between two checkouts of one commit.

Why it matters: two people who build the same commit get other layers, and whatever lies around is shipped.

How it is recognised: in the Dockerfile, by COPY or ADD of a directory of the context, where one of those is not left
out by the ignore file. In two images, by one of these names in the path of what differs in the layer of such a COPY;
what the files should be is not known: hence this is never called proven. Where an image's own history alone tells of
the COPY, which leaves out `--from=`, a source with a leading slash counts as another stage's.

Remedy: list them in `.dockerignore`, or copy the directories that are needed by name.

Source: Docker documentation, "Build context", ".dockerignore files".
"""

from __future__ import annotations

import fnmatch
from collections.abc import Iterator
from typing import Final

from verifier.causes.cause import Cause, Place, SideContext
from verifier.causes.made_by import is_copy
from verifier.causes.rules.context_copies import copied_directories
from verifier.causes.rules.wording import latent, listed
from verifier.dockerfile.recipe import Recipe
from verifier.model.finding import Risk

__all__ = ["cause"]

_SLUG: Final = "context-leak"
_FIELDS: Final = frozenset({"content", "size", "mtime", "linkname", "entry"})
_LEAKS: Final = (
    ".git", ".svn", ".hg", "__pycache__", "*.pyc", ".venv", "venv", "node_modules", ".pytest_cache", ".mypy_cache",
    ".ruff_cache", ".tox", ".nox", ".idea", ".vscode", ".DS_Store", "Thumbs.db", "*.swp", "*~", "*.log", ".terraform",
    ".gradle", "*.egg-info", ".coverage", "npm-debug.log*", ".env",
)  # fmt: skip


def _risks(recipe: Recipe) -> Iterator[Risk]:
    if recipe.context is None:
        return
    for step, directory in copied_directories(recipe):
        leaks = sorted({leak for path in recipe.context.paths if (leak := _leak(path, directory)) is not None})
        leaks.sort(key=lambda path: (path.count("/"), path != ".git", path))
        if leaks:
            rule = f"`{recipe.context.ignore_file}` does not leave out" if recipe.context.ignore_file else "takes along"
            subject = f"`{directory or '.'}`: " if recipe.context.ignore_file else f"`{step.statement.keyword}` "
            yield latent(_SLUG, step, f"{subject}{rule} {listed(leaks)}")


def _leak(path: str, directory: str) -> str | None:
    """Give the outermost part of `path` beneath `directory` that does not belong to the program."""
    if directory and not path.startswith(directory + "/"):
        return None
    rest = path[len(directory) + 1 :] if directory else path
    parts = rest.split("/")
    for number, part in enumerate(parts):
        if any(fnmatch.fnmatchcase(part, pattern) for pattern in _LEAKS):
            return "/".join(filter(None, [directory, *parts[: number + 1]]))
    return None


def _given(place: Place, side: SideContext) -> bool:  # noqa: ARG001
    if place.path is None or place.field not in _FIELDS or not is_copy(place):
        return False
    return _leak(place.path[1:].decode("utf-8", "surrogateescape"), "") is not None


cause = Cause(
    slug=_SLUG,
    page=__doc__ or "",
    remedy="list what does not belong to the program in `.dockerignore`, or copy by name",
    given=_given,
    risk=_risks,
)
