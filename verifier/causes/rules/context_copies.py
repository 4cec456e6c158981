"""Which directories of the build context a COPY or an ADD takes as a whole."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from verifier.dockerfile.recipe import Recipe, Step


def copied_directories(recipe: Recipe) -> Iterator[tuple[Step, str]]:
    """Walk the directories that are copied whole; the context itself is the empty string."""
    if recipe.context is None:
        return
    parents = {path.rpartition("/")[0] for path in recipe.context.paths}
    for step in recipe.steps:
        statement = step.statement
        if statement.keyword not in {"COPY", "ADD"} or statement.flag("from") or statement.has_flag("exclude"):
            continue
        for source in statement.arguments[:-1]:
            if "://" in source or "$" in source or source.startswith("<<"):
                continue
            wanted = posixpath.normpath("/" + source.lstrip("/")).strip("/")
            if wanted in {"", "*"}:
                yield step, ""
            elif wanted in parents or wanted.removesuffix("/*") in parents:
                yield step, wanted.removesuffix("/*")
