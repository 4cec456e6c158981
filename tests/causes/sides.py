"""Two images that differ in one thing, compared and explained as a verification would."""

from __future__ import annotations

import json
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.compare.layer_images import file, image, single, tar
from verifier.causes.cause import SideContext, Window
from verifier.compare import compare
from verifier.compare.contents_reader import ImageSetReader
from verifier.explain import explain
from verifier.model.finding import Explanation
from verifier.oci.image import Image

FIRST = 1_795_000_000
"""When the first build began, in seconds since 1970 (2026-11-18 11:06:40 UTC) …"""

SECOND = FIRST + 100
"""… and when the second one did; each ran for a minute."""

WINDOWS = tuple(SideContext(window=Window(start=start, end=start + 60)) for start in (FIRST, SECOND))


def explain_images(first: Image, second: Image, sides: tuple[SideContext, ...] = WINDOWS) -> Explanation:
    """Compare and explain two images."""
    sets = single(first), single(second)
    with tempfile.TemporaryDirectory() as workspace:
        comparison = compare(*sets, workspace=Path(workspace))
    return explain(
        comparison, first=sides[0], second=sides[1], contents=ImageSetReader(*sets), instructions=lambda _: None
    )


def explain_contents(
    first: bytes, second: bytes, path: str = "some/file", sides: tuple[SideContext, ...] = WINDOWS
) -> Explanation:
    """Explain two images of one file each, whose content alone differs."""
    return explain_images(image(tar([file(path, first)])), image(tar([file(path, second)])), sides)


def explain_layers(first: bytes, second: bytes, sides: tuple[SideContext, ...] = WINDOWS, **more: Any) -> Explanation:
    """Explain two images of one layer each."""
    return explain_images(image(first, **more), image(second, **more), sides)


def explain_configs(first: dict[str, Any], second: dict[str, Any], layer: bytes = b"") -> Explanation:
    """Explain two images of one layer whose configs differ."""
    layer = layer or tar([file("f", b"x")])
    return explain_images(image(layer, config=first), image(layer, config=second))


def causes(explanation: Explanation) -> list[str]:
    """List the causes found, where everything is explained; where it is not, say so."""
    found = [finding.cause for finding in explanation.findings]
    if explanation.residue or not explanation.equal:
        assert explanation.residue
        assert not explanation.equal
        return [*found, "residue"]
    return found


def at(moment: float, form: str) -> bytes:
    """Print a moment in UTC."""
    return datetime.fromtimestamp(moment, UTC).strftime(form).encode()


def rfc3339(moment: float) -> str:
    """Print a moment as image configs have it."""
    return at(moment, "%Y-%m-%dT%H:%M:%S.%fZ").decode()


def config_of(made: Image) -> dict[str, Any]:
    """Give an image's config as JSON values."""
    value: dict[str, Any] = json.loads(made.config.raw)
    return value
