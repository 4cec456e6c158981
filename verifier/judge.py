"""Judge a comparison: which level holds, which was required, and whether anything can be said at all."""

from __future__ import annotations

from collections.abc import Iterable

from verifier.errors import NoVerdictError
from verifier.model.difference import Comparison, ImageComparison
from verifier.model.verdict import LEVELS, Level, Required, Verdict

_PUSH_HINT = "a manifest digest exists once an image is pushed or exported by BuildKit, Buildah or Podman"


def level_of(image: ImageComparison) -> Level:
    """Name the strictest level at which both sides of one platform's image are equal."""
    first, second = image.first, image.second
    if first.manifest is not None and first.manifest == second.manifest:
        return "manifest"
    if first.config == second.config:
        return "config"
    if first.layers == second.layers:
        return "layers"
    if first.files is not None and first.files == second.files:
        return "files"
    return "none"


def strictest_shown(comparison: Comparison) -> Required:
    """Name the strictest level that these two sides can show: `config` where a side has no manifest digest."""
    shown = all(image.first.manifest and image.second.manifest for image in comparison.images)
    return "manifest" if shown else "config"


def judge(comparison: Comparison, required: Required | None, not_rebuilt: Iterable[str] = ()) -> Verdict:
    """Judge a comparison against the required level; None stands for the strictest that can be shown.

    `not_rebuilt` names built layers that came from a cache: where nothing but they stands between us and a verdict,
    there is none. An index is as good as its weakest platform; a platform that one side lacks is level `none`.
    Raises NoVerdictError where the required level cannot be shown, or was not tested.
    """
    wanted = required or strictest_shown(comparison)
    if wanted in {"index", "manifest"} and strictest_shown(comparison) != "manifest":
        raise NoVerdictError(f"level {wanted} cannot be shown: a side has no manifest digest", _PUSH_HINT)
    if wanted == "index" and comparison.index_equal is None:
        raise NoVerdictError("level index cannot be shown: neither side has an index")
    levels = [level_of(image) for image in comparison.images]
    if not levels or any(item.part == "index" and item.field == "entry" for item in comparison.differences):
        levels.append("none")
    level = max(levels, key=LEVELS.index)
    if not _holds(level, wanted, comparison.index_equal):
        return Verdict(outcome="different", level=level, required=wanted)
    cached = tuple(not_rebuilt)
    if cached:
        raise NoVerdictError(
            f"the builder took from its cache what was to be rebuilt: {'; '.join(cached)}",
            "equal digests of a layer that was not built again prove nothing: verify with a fresh builder or cache",
        )
    return Verdict(outcome="reproducible", level=level, required=wanted)


def _holds(level: Level, wanted: Required, index_equal: bool | None) -> bool:
    if wanted == "index":
        return bool(index_equal) and level == "manifest"
    return LEVELS.index(level) <= LEVELS.index(wanted)
