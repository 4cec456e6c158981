"""What both kinds of comparison share: open an image by name, and explain what was found."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from verifier.assemble import (
    Source,
    has_local_times,
    side_context,
)
from verifier.model.difference import Comparison
from verifier.model.finding import Explanation
from verifier.model.report import PlatformPair, instruction_of
from verifier.oci.image import ImageSet
from verifier.oci.platform import Platform
from verifier.oci.reference import parse_image_name
from verifier.stores import open_store

if TYPE_CHECKING:
    from verifier.compare.kept import KeptContents
    from verifier.origins import Origins


def explain_comparison(
    comparison: Comparison,
    sides: tuple[ImageSet, ImageSet],
    sources: tuple[Source | None, Source | None],
    platforms: tuple[PlatformPair, ...],
    origins: Origins | None = None,
    *,
    kept: KeptContents | None = None,
    prove_diff_ids: bool = False,
) -> Explanation | None:
    """Explain every difference of a comparison while its stores are open; None where there is none.

    `kept` is what the comparison has kept. `origins` tells which instruction made what differs; without it that is the
    one that made the layer. With `prove_diff_ids` the layers are written again, too.
    """
    if not comparison.all_differences:
        return None
    from verifier.compare.contents_reader import ImageSetReader  # noqa: PLC0415  # not where nothing differs
    from verifier.explain import explain  # noqa: PLC0415

    moved = any(has_local_times(source) for source in sources)
    first, second = (replace(side_context(source), local_times=moved) for source in sources)
    reader = ImageSetReader(*sides, kept)
    told = origins or (lambda item: instruction_of(item, platforms))
    behind = None if origins is None else origins.behind
    explanation = explain(comparison, first=first, second=second, contents=reader, instructions=told, behind=behind)
    if not prove_diff_ids:
        return explanation
    from verifier.explain.diff_ids import prove_diff_ids as prove  # noqa: PLC0415  # where it was asked for

    return prove(comparison, explanation, sides=(first, second), layers=reader, instructions=told)


def load_images(name: str, platform: Platform | None, workspace: Path, stores: contextlib.ExitStack) -> ImageSet:
    """Read what a name means; its store is closed with `stores`. Raises UsageError, StoreError."""
    workspace.mkdir(exist_ok=True)
    store = open_store(parse_image_name(name), workspace)
    stores.callback(store.close)
    return store.load(platform)
