"""A cache mount hands the leftovers of earlier builds to a later one.

What varies: what is in the cache: nothing on a fresh builder, anything on one that has built before.

Why it matters: a package manager with a warm cache may take a version that it holds where a cold one would download a
newer one, and a compiler may take stale objects. Two builds of one verification start from caches of their own.

How it is recognised: by `RUN --mount=type=cache`. Nothing says that the command's result depends on it: hence only a
note.

Remedy: pin what is downloaded, so that a cache can only make it faster, and verify without it.

Source: Dockerfile reference, "RUN --mount=type=cache": "the cache may be garbage collected at any time".
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from verifier.causes.cause import Cause
from verifier.causes.rules.wording import latent, listed
from verifier.dockerfile.mounts import mounts
from verifier.dockerfile.recipe import Recipe
from verifier.model.finding import Risk

__all__ = ["cause"]

_SLUG: Final = "cache-mount"


def _risks(recipe: Recipe) -> Iterator[Risk]:
    for step in recipe.steps:
        if step.statement.keyword != "RUN":
            continue
        caches = [mount for mount in mounts(step.statement) if mount.get("type") == "cache"]
        targets = [mount.get("target") or mount.get("dst") or mount.get("destination") or "?" for mount in caches]
        if targets:
            message = f"what earlier builds left in {listed(targets)} may come into this one"
            yield latent(_SLUG, step, message, severity="note")


cause = Cause(
    slug=_SLUG,
    page=__doc__ or "",
    remedy="pin what is downloaded, so that the cache can only make it faster",
    severity="note",
    risk=_risks,
)
