"""The Dockerfile's frontend is named by a tag, which can be moved.

What varies: the program that reads the Dockerfile: `# syntax=docker/dockerfile:1` is the newest release of that line.

Why it matters: another frontend may write another history, and other layers for the same instruction.

How it is recognised: by a `# syntax=` directive without a digest.

Remedy: `# syntax=docker/dockerfile:1.14@sha256:…`, or no directive where the builder's own frontend knows enough.

Source: Dockerfile reference, "Parser directives", `syntax`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from verifier.causes.cause import Cause
from verifier.causes.rules.wording import shortened
from verifier.dockerfile.recipe import Recipe
from verifier.model.finding import Risk

__all__ = ["cause"]

_SLUG: Final = "unpinned-syntax"
_DIRECTIVE: Final = re.compile(r"[ \t]*#[ \t]*syntax[ \t]*=", re.IGNORECASE)


def _risks(recipe: Recipe) -> Iterator[Risk]:
    syntax = recipe.dockerfile.syntax
    if syntax is not None and "@sha256:" not in syntax:
        message = f"`# syntax={shortened(syntax)}` has no digest: the tag can be moved"
        first = recipe.dockerfile.instructions[0]
        lines = enumerate(recipe.dockerfile.text.split("\n"), start=1)
        line = next((number for number, text in lines if _DIRECTIVE.match(text)), 1)
        yield Risk(cause=_SLUG, severity="note", instruction=first, status="latent", message=message, line=line)


cause = Cause(
    slug=_SLUG,
    page=__doc__ or "",
    remedy="name the frontend by its digest, or leave the directive out",
    severity="note",
    risk=_risks,
)
