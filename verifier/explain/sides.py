"""What an image that nobody built here tells of its build."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Final

from verifier.causes.cause import SideContext
from verifier.errors import MalformedImageError
from verifier.explain.reader import SIDES, ContentReader, SideName, Sides
from verifier.model.difference import Comparison
from verifier.oci.manifest import Manifest, parse_manifest_or_index
from verifier.oci.platform import Platform

_REWRITTEN: Final = "buildkit/rewritten-timestamp"
"""BuildKit's annotation of a layer whose times it rewrote: the epoch, in seconds."""

_MAX_DIGITS: Final = 15


def recognised(sides: Sides, comparison: Comparison, reader: ContentReader) -> Sides:
    """Add to sides that were not built here what config and manifest of the first image tell.

    Buildah and Podman sign the config with a label; who builds upon an image takes over its labels, so that this is a
    hint and no knowledge. BuildKit notes on each layer that it rewrote to which epoch; base layers it leaves alone.
    """
    found = []
    for name, side in zip(SIDES, sides, strict=True):
        is_unknown = side.window is None and side.builder is None and bool(comparison.images)
        found.append(_recognised(side, name, comparison.images[0].platform, reader) if is_unknown else side)
    return found[0], found[1]


def _recognised(side: SideContext, name: SideName, platform: Platform, reader: ContentReader) -> SideContext:
    config = reader.document(name, "config", platform)
    if config is not None and _is_signed(config):
        return replace(side, builder="buildah")
    manifest = reader.document(name, "manifest", platform)
    epochs = [] if manifest is None else _epochs(manifest)
    known = [number for number, epoch in enumerate(epochs) if epoch is not None]
    if not known or len(set(epochs) - {None}) > 1:
        return side
    return replace(side, builder="buildkit", epoch=epochs[known[0]], rewritten=True, base_layers=known[0])


def _is_signed(raw: bytes) -> bool:
    config = json.loads(raw).get("config")
    labels = config.get("Labels") if isinstance(config, dict) else None
    return isinstance(labels, dict) and "io.buildah.version" in labels


def _epochs(raw: bytes) -> list[int | None]:
    try:
        manifest = parse_manifest_or_index(raw)
    except MalformedImageError:
        return []
    if not isinstance(manifest, Manifest):
        return []
    return [_number(layer.annotation(_REWRITTEN) or "") for layer in manifest.layers]


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _MAX_DIGITS else None
