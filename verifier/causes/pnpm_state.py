"""pnpm notes when it last looked after node_modules.

What varies: `prunedAt` in `node_modules/.modules.yaml`, `lastValidatedTimestamp` in
`node_modules/.pnpm-workspace-state*.json`, `lastUpdateCheck` in `~/.local/state/pnpm/pnpm-state.json`, and `cachedAt`
in what `~/.cache/pnpm` keeps of the registry.

Why it matters: each `pnpm install` writes them again; the packages themselves agree.

How it is recognised: by the files' names and those fields' grammar, a time within the build's window.

Remedy: remove these files in the RUN that installs: nothing needs them at run time.

Source: pnpm, `@pnpm/modules-yaml`, `@pnpm/workspace.state`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from verifier.causes.cause import Cause, Claim, Place, SideContext
from verifier.causes.moments import is_of_build
from verifier.formats.field import Field
from verifier.formats.times import find_times

__all__ = ["cause"]

_PATH: Final = re.compile(
    rb".*/(?:node_modules/\.(?:modules\.yaml|pnpm-workspace-state(?:-v\d+)?\.json)"
    rb"|pnpm/(?:pnpm-state\.json|metadata[^/]*/.+\.json))",
    re.DOTALL,
)
_FIELD: Final = re.compile(
    rb'^[ \t]*"?prunedAt"?: *"?([^"\n]+?)"?,?$'
    rb'|"(?:lastValidatedTimestamp|lastUpdateCheck|prunedAt|cachedAt)": ?(\d+|"[^"\n]+")',
    re.MULTILINE,
)


def _normalise(field: Field, place: Place, side: SideContext) -> Iterator[Claim]:
    if place.field != "content" or field.kind != "text" or not _PATH.fullmatch(place.path or b""):
        return
    for match in _FIELD.finditer(field.value):
        group = 1 if match[1] is not None else 2
        for time in find_times(match[group]):
            if is_of_build(side, time.moment, time.precision):
                yield Claim(match.start(group) + time.start, match.start(group) + time.end, time.form)


cause = Cause(
    slug="pnpm-state",
    page=__doc__ or "",
    remedy="in the same RUN: rm -rf node_modules/.modules.yaml node_modules/.pnpm-workspace-state* ~/.cache/pnpm",
    timed=True,
    normalise=_normalise,
)
