"""Judge a comparison: which level holds, which was required, and whether anything can be said at all."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from verifier.errors import NoVerdictError
from verifier.model.difference import Comparison, Difference, ImageComparison, Part
from verifier.model.verdict import LEVELS, Level, Required, Verdict
from verifier.oci.digest import Digest
from verifier.oci.image import ImageSet

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


def judge_expected(
    expected: Digest, images: ImageSet, required: Required | None
) -> tuple[Verdict, tuple[Difference, ...]]:
    """Judge one build against a digest alone; it may be the index's, a manifest's or a config's.

    A digest says nothing of what is under it, so a mismatch is level `none` with one difference.
    """
    if images.index is not None and images.index.digest == expected:
        level: Level = "manifest"
    elif any(image.manifest is not None and image.manifest.digest == expected for image in images.images):
        level = "manifest"
    elif any(image.config.digest == expected for image in images.images):
        level = "config"
    else:
        level = "none"
    held = level != "none" and _holds(level, required or level, images.index is not None)
    verdict = Verdict(outcome="reproducible" if held else "different", level=level, required=required or "manifest")
    if level != "none":
        return replace(verdict, required=required or level), ()
    image = images.images[0]
    built = image.config.digest if image.manifest is None else image.manifest.digest
    part: Part = "config" if image.manifest is None else "manifest"
    return verdict, (Difference(platform=image.platform, part=part, field="digest", first=expected, second=built),)


def _holds(level: Level, wanted: Required, index_equal: bool | None) -> bool:
    if wanted == "index":
        return bool(index_equal) and level == "manifest"
    return LEVELS.index(level) <= LEVELS.index(wanted)
