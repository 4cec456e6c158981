"""An image is named by a tag, which can be moved.

What varies: the image that a tag names. Official images are rebuilt whenever their own base is, many times a month,
under the same tag; without a tag, `latest` is meant.

Why it matters: everything in the image stands on it. Both builds of one verification hold the same base, so this
never shows there; the next build may have another.

How it is recognised: in FROM, `COPY --from=` and `RUN --mount=from=`, by a reference without a digest; and a FROM
that a build argument decides. In a comparison of a build with an image that existed (`--against`), by differences in
the layers that are known to be the base image's: files, links, times and whole layers; modes, owners and attributes
are not put down to it.

Remedy: name the digest, which `verify-build pin` finds: `FROM debian:12-slim@sha256:…`.

Source: Dockerfile reference, "FROM"; OCI distribution specification, "Pulling manifests".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from verifier.causes.cause import Cause, Place, SideContext
from verifier.causes.rules.wording import latent
from verifier.dockerfile.arguments import expand, unset_variables
from verifier.dockerfile.document import Dockerfile, Stage
from verifier.dockerfile.mounts import mounts
from verifier.dockerfile.recipe import Recipe, Step
from verifier.dockerfile.stages import SCRATCH
from verifier.errors import VerifyBuildError
from verifier.model.finding import Risk
from verifier.oci.reference import parse_reference

__all__ = ["cause"]

_SLUG: Final = "unpinned-base"
_FIELDS: Final = frozenset({"content", "size", "mtime", "linkname", "entry", "layer"})
_VARIABLE: Final = re.compile(r"\$\{?([A-Za-z_]\w*)")


def _risks(recipe: Recipe) -> Iterator[Risk]:
    for stage in recipe.stages:
        yield from _judge_from(recipe, stage)
    for step in recipe.steps:
        for source in _sources(step):
            problem = None if _is_stage(recipe.dockerfile, source) else _problem(source)
            if problem is not None:
                yield latent(_SLUG, step, problem)


def _judge_from(recipe: Recipe, stage: Stage) -> Iterator[Risk]:
    unset = unset_variables(stage.base, recipe.global_values)
    if unset:
        message = f"`{stage.base}`: the build argument {unset[0]} decides the base, and has no default"
        yield latent(_SLUG, stage.source, message)
        return
    reference = expand(recipe.dockerfile, stage.source, stage.base, recipe.global_values)
    if reference == SCRATCH or any(
        other.name == reference.lower() for other in recipe.dockerfile.stages[: stage.index]
    ):
        return
    problem = _problem(reference)
    if problem is None:
        return
    named = _VARIABLE.findall(stage.base)
    decided = f"; the build argument {named[0]} can name another" if named else ""
    yield latent(_SLUG, stage.source, problem + decided)


def _sources(step: Step) -> Iterator[str]:
    statement = step.statement
    if statement.keyword in {"COPY", "ADD"} and statement.flag("from"):
        yield statement.flag("from") or ""
    elif statement.keyword == "RUN":
        for mount in mounts(statement):
            if mount.get("type", "bind") in {"bind", "cache"} and mount.get("from"):
                yield mount["from"]


def _is_stage(dockerfile: Dockerfile, source: str) -> bool:
    return source.isdecimal() or "$" in source or any(stage.name == source.lower() for stage in dockerfile.stages)


def _problem(reference: str) -> str | None:
    """Say what is wrong with a reference, None when it has a digest or is no image's name."""
    try:
        parsed = parse_reference(reference)
    except VerifyBuildError:
        return None
    if parsed.digest is not None:
        return None
    if parsed.tag == "latest":
        written = reference.endswith(":latest")
        return f"`{reference}` is {'the moving tag' if written else 'without a tag, hence'} `latest`, and has no digest"
    return f"`{reference}` has no digest: the tag can be moved"


def _given(place: Place, side: SideContext) -> bool:  # noqa: ARG001
    return place.is_base and place.field in _FIELDS


cause = Cause(
    slug=_SLUG,
    page=__doc__ or "",
    remedy="name the image by its digest (`verify-build pin` finds it)",
    given=_given,
    risk=_risks,
)
