"""What both kinds of comparison share: open an image by name, and explain what was found."""

from __future__ import annotations

import contextlib
from pathlib import Path

from verifier.assemble import (
    Source,
    side_context,
)
from verifier.model.difference import Comparison
from verifier.model.finding import Explanation
from verifier.model.report import PlatformPair, instruction_of
from verifier.oci.image import ImageSet
from verifier.oci.platform import Platform
from verifier.oci.reference import parse_image_name
from verifier.stores import open_store


def explain_comparison(
    comparison: Comparison,
    sides: tuple[ImageSet, ImageSet],
    sources: tuple[Source | None, Source | None],
    platforms: tuple[PlatformPair, ...],
) -> Explanation | None:
    """Explain every difference of a comparison while its stores are open; None where there is none."""
    if not comparison.all_differences:
        return None
    from verifier.compare.contents_reader import ImageSetReader  # noqa: PLC0415  # not where nothing differs
    from verifier.explain import explain  # noqa: PLC0415

    return explain(
        comparison,
        first=side_context(sources[0]),
        second=side_context(sources[1]),
        contents=ImageSetReader(*sides),
        instructions=lambda item: instruction_of(item, platforms),
    )


def load_images(name: str, platform: Platform | None, workspace: Path, stores: contextlib.ExitStack) -> ImageSet:
    """Read what a name means; its store is closed with `stores`. Raises UsageError, StoreError."""
    workspace.mkdir(exist_ok=True)
    store = open_store(parse_image_name(name), workspace)
    stores.callback(store.close)
    return store.load(platform)
