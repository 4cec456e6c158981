"""COPY takes the whole context, and there is no ignore file.

What varies: whatever lies in the directory on the day of the build: later also what nobody thought of.

Why it matters: the image then depends on the state of a working copy. What is there today may be clean; a test run,
an editor or a build beside it changes that.

How it is recognised: COPY or ADD of the whole context, without any ignore file that the builder would read.

Remedy: write a `.dockerignore`, at the least with `.git`, or copy the directories that are needed by name.

Source: Docker documentation, "Build context", ".dockerignore files".
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from verifier.causes.cause import Cause
from verifier.causes.rules.context_copies import copied_directories
from verifier.causes.rules.wording import latent
from verifier.dockerfile.recipe import Recipe
from verifier.model.finding import Risk

__all__ = ["cause"]

_SLUG: Final = "missing-dockerignore"


def _risks(recipe: Recipe) -> Iterator[Risk]:
    if recipe.context is None or recipe.context.ignore_file is not None:
        return
    for step, directory in copied_directories(recipe):
        if not directory:
            message = f"`{step.statement.keyword}` takes the whole context, and there is no `.dockerignore`"
            yield latent(_SLUG, step, message)
            return


cause = Cause(
    slug=_SLUG,
    page=__doc__ or "",
    remedy="write a `.dockerignore`, at the least with `.git`, or copy by name",
    risk=_risks,
)
