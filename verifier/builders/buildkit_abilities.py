"""What the BuildKit in front of us can do: asked of buildx and the engine, never assumed from a name alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from verifier.clients.buildx import Buildx, SelectedBuilder
from verifier.clients.engine import EngineFacts
from verifier.model.build import BuilderIdentity
from verifier.model.plan import Plan
from verifier.model.variation import Factor

_IN_ENGINE: Final = (
    (28, (0, 19)),
    (27, (0, 14)),
    (26, (0, 13)),
    (25, (0, 12)),
    (24, (0, 11)),
    (23, (0, 10)),
    (0, (0, 8)),
)
"""The BuildKit in each major version of the engine: distributions' engines tell `v0.0.0+unknown`."""

_CONTEXTS_SINCE: Final = (0, 10)
_HISTORY_SINCE: Final = (0, 11)
_UNPACKED_SINCE: Final = (0, 11)
_REWRITE_SINCE: Final = (0, 13)
_CONTEXTS_KEPT_SINCE: Final = (0, 19)
"""Before, a base that a named context brought was taken for the build's own, and its times were rewritten, too (seen
with engine 26.1, not with 28.5)."""
_SYNTAX_SINCE: Final = (0, 10)
_HOSTNAME_SINCE: Final = (0, 10)
_SECRET_ENV_SINCE: Final = (0, 16)
"""BuildKit's own Dockerfile frontend is 1.10 there: secrets as environment variables."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Abilities:
    """What to do and what to leave.

    `in_engine`: the docker driver, whose images are the engine's. `exports_oci`: `type=oci` is there; otherwise the
    image is loaded and saved. `unpacks`: that export may be a folder (`tar=false`). `rewrites`:
    `rewrite-timestamp=true`. `holds`: named contexts, by which a base is put in another's place, and `holds_rewritten`
    that they go together with rewriting. `new_syntax`: heredocs, `COPY --link`, `RUN --network` without a `# syntax=`
    line.
    """

    buildkit: tuple[int, int]
    in_engine: bool
    containerd_store: bool
    exports_oci: bool
    unpacks: bool
    rewrites: bool
    holds: bool
    holds_rewritten: bool
    new_syntax: bool
    raw_progress: bool
    history: bool

    def holds_for(self, plan: Plan) -> bool:
        """Whether named contexts hold the bases of this plan without any other effect."""
        return self.holds_rewritten if plan.options.reproducible else self.holds


def abilities_of(buildx: Buildx, builder: SelectedBuilder, facts: EngineFacts | None) -> Abilities:
    """Work out the abilities; `facts` are the engine's where the driver is `docker`."""
    in_engine = facts is not None
    version = builder.buildkit_numbers
    if version == (0, 0):
        major = facts.version_numbers[0] if facts is not None else 0
        # A builder of its own that tells no version has not been started yet: it will be a current one.
        version = next(known for since, known in _IN_ENGINE if major >= since) if in_engine else (99, 0)
    exports = facts is None or facts.containerd_store
    return Abilities(
        buildkit=version,
        in_engine=in_engine,
        containerd_store=facts is not None and facts.containerd_store,
        exports_oci=exports,
        unpacks=exports and buildx.unpacks and version >= _UNPACKED_SINCE,
        rewrites=exports and version >= _REWRITE_SINCE,
        holds=version >= _CONTEXTS_SINCE,
        holds_rewritten=version >= _CONTEXTS_KEPT_SINCE,
        new_syntax=version >= _SYNTAX_SINCE,
        raw_progress=buildx.has_raw_json,
        history=buildx.has_history and version >= _HISTORY_SINCE,
    )


def identify_buildkit(
    buildx: Buildx, builder: SelectedBuilder, facts: EngineFacts | None, abilities: Abilities
) -> BuilderIdentity:
    """Put the abilities into words."""
    return BuilderIdentity(
        name="buildkit",
        version=", ".join(_version_words(buildx, builder, facts)),
        reproducible=abilities.rewrites,
        shows_manifest=abilities.exports_oci,
        limits=tuple(_limits(buildx, abilities)),
        varies=_varies(abilities),
    )


def _varies(abilities: Abilities) -> tuple[Factor, ...]:
    """Name what a frontend of this age lets us vary without a trace in the image: by build argument and by secret."""
    if abilities.buildkit < _HOSTNAME_SINCE:
        return ()
    return ("hostname",) if abilities.buildkit < _SECRET_ENV_SINCE else ("hostname", "timezone", "locale")


def _version_words(buildx: Buildx, builder: SelectedBuilder, facts: EngineFacts | None) -> list[str]:
    words = [facts.version] if facts is not None else []
    words.append(f"buildx {buildx.version}")
    if builder.buildkit_numbers != (0, 0):
        words.append(f"BuildKit {builder.buildkit}")
    if facts is not None:
        return [*words, facts.store_name]
    return [*words, f"builder {builder.name} ({builder.driver})"]


def _limits(buildx: Buildx, abilities: Abilities) -> list[str]:
    limits = []
    if not abilities.exports_oci:
        limits.append(
            "the old image store refuses `type=oci`: images are loaded under a private tag and saved, so no manifest "
            "digest is shown before a push, and times in layers are not rewritten"
        )
    elif not abilities.rewrites:
        limits.append("this BuildKit is older than 0.13 and does not rewrite times in layers: no reproducible mode")
    if not abilities.holds:
        limits.append(
            "this BuildKit knows no named contexts: a base that is not pinned cannot be put aside; a change of it "
            "between the builds is noticed and ends the run"
        )
    elif abilities.rewrites and not abilities.holds_rewritten:
        limits.append(
            "this BuildKit rewrites the times of a base that is put in another's place: in the reproducible mode a "
            "base that is not pinned is watched, and a change of it ends the run"
        )
    if abilities.containerd_store:
        limits.append(
            "with the containerd image store BuildKit forgets all cached steps that stand on an image as soon as "
            "anything is pruned: where there is a cache already, the records of this run's builds are left to "
            "BuildKit's own collection, and named"
        )
    if not abilities.new_syntax:
        limits.append("this BuildKit knows no heredocs, no COPY --link and no RUN --network without a `# syntax=` line")
    if not abilities.raw_progress:
        limits.append(f"buildx {buildx.version} has no raw JSON progress: steps carry no times")
    if not abilities.history and abilities.buildkit >= _HISTORY_SINCE:
        limits.append(
            f"buildx {buildx.version} cannot remove a build's record from BuildKit's history, which drops it by itself"
        )
    return limits
