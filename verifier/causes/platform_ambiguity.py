"""The machine that builds decides the image's platform.

What varies: the architecture of the whole image, where the target stands on `--platform=$BUILDPLATFORM`.

Why it matters: the variable is the builder's own platform. It is meant for stages that cross-compile; under the
target it gives an arm64 image on one machine and an amd64 image on another, whatever `--platform` asks for.

How it is recognised: by `--platform=$BUILDPLATFORM` (or `BUILDOS`, `BUILDARCH`) in the FROM that the target stands
on.

Remedy: leave `--platform` out of that FROM, or name the platform there.

Source: Dockerfile reference, "FROM", "Automatic platform ARGs in the global scope".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from verifier.causes.cause import Cause
from verifier.causes.rules.wording import latent
from verifier.dockerfile.recipe import Recipe
from verifier.dockerfile.stages import SCRATCH
from verifier.model.finding import Risk

__all__ = ["cause"]

_SLUG: Final = "platform-ambiguity"
_BUILDER: Final = re.compile(r"\$\{?BUILD(?:PLATFORM|OS|ARCH|VARIANT)\b")


def _risks(recipe: Recipe) -> Iterator[Risk]:
    for stage in recipe.shipped:
        if stage.platform and _BUILDER.search(stage.platform) and stage.base != SCRATCH:
            message = f"`--platform={stage.platform}` gives the image the platform of the machine that builds it"
            yield latent(_SLUG, stage.source, message)


cause = Cause(
    slug=_SLUG,
    page=__doc__ or "",
    remedy="leave `--platform` out of the FROM that the target stands on, or name the platform there",
    risk=_risks,
)
