"""The machine that builds decides the image's platform.

What varies: the architecture of the whole image, where the target stands on `--platform=$BUILDPLATFORM`, or where
nobody says for which platform to build.

Why it matters: the variable is the builder's own platform. It is meant for stages that cross-compile; under the
target it gives an arm64 image on one machine and an amd64 image on another, whatever `--platform` asks for.

How it is recognised: in the Dockerfile, by `--platform=$BUILDPLATFORM` (or `BUILDOS`, `BUILDARCH`) in the FROM that
the target stands on. In two images, by `architecture` and `variant` of the config, where both are names that Go has for
architectures; files of the other architecture are not put down to it.

Remedy: leave `--platform` out of that FROM, or name the platform there.

Source: Dockerfile reference, "FROM", "Automatic platform ARGs in the global scope".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from verifier.causes.cause import DOCUMENTS, Cause, Claim, Place, SideContext
from verifier.causes.rules.wording import latent
from verifier.dockerfile.recipe import Recipe
from verifier.dockerfile.stages import SCRATCH
from verifier.formats.field import Field
from verifier.model.finding import Risk

__all__ = ["cause"]

_SLUG: Final = "platform-ambiguity"
_ARCHITECTURE: Final = re.compile(
    rb'"(?:386|amd64|arm|arm64|loong64|mips|mips64|mips64le|mipsle|ppc64|ppc64le|riscv64|s390x|wasm)"'
)
_VARIANT: Final = re.compile(rb'"v[1-9]"')
_BUILDER: Final = re.compile(r"\$\{?BUILD(?:PLATFORM|OS|ARCH|VARIANT)\b")


def _risks(recipe: Recipe) -> Iterator[Risk]:
    for stage in recipe.shipped:
        if stage.platform and _BUILDER.search(stage.platform) and stage.base != SCRATCH:
            message = f"`--platform={stage.platform}` gives the image the platform of the machine that builds it"
            yield latent(_SLUG, stage.source, message)


def _normalise(field: Field, place: Place, side: SideContext) -> Iterator[Claim]:  # noqa: ARG001
    if place.part != "config" or field.kind != "json":
        return
    pattern = {"/architecture": _ARCHITECTURE, "/variant": _VARIANT}.get(field.name)
    if pattern is not None and pattern.fullmatch(field.value):
        yield Claim(1, len(field.value) - 1, field.name[1:])


def _optional(field: Field, place: Place, side: SideContext) -> bool:  # noqa: ARG001
    return place.part == "config" and field.name == "/variant" and _VARIANT.fullmatch(field.value) is not None


cause = Cause(
    slug=_SLUG,
    page=__doc__ or "",
    remedy="build with --platform, and leave it out of the FROM that the target stands on or name the platform there",
    reach=DOCUMENTS,
    normalise=_normalise,
    optional=_optional,
    risk=_risks,
)
