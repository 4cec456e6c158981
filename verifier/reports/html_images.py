"""The page's pictures of the images: the digests of every level, and the layers side by side."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from verifier.model.difference import LayerPair
from verifier.model.report import PlatformPair, Report, ReportedImage, ReportedLayer, manifest_digest_of
from verifier.reports.escape import escape
from verifier.reports.notices import UNEXPLAINED

Causes = Mapping[int, tuple[str, ...]]
"""The causes of each difference, by its position."""


def ladder(report: Report) -> Iterator[dict[str, Any]]:
    """Show the digests of every level, strictest first, of each platform."""
    if report.first is None or report.second is None:
        return
    if report.index_equal is not None:
        yield _rung("index", "", report.first.index_digest, report.second.index_digest)
    for pair in report.platforms:
        name = pair.platform if len(report.platforms) > 1 else ""
        yield _rung(
            "manifest",
            name,
            manifest_digest_of(report.first, pair.first),
            manifest_digest_of(report.second, pair.second),
        )
        yield _rung("config", name, *(image.config_digest if image else None for image in (pair.first, pair.second)))
        first, second = (
            None if image is None else tuple(layer.diff_id for layer in image.layers)
            for image in (pair.first, pair.second)
        )
        total = max(len(first or ()), len(second or ()))
        same = sum(one == two for one, two in zip(first or (), second or (), strict=False))
        yield {
            "level": "layers",
            "platform": name,
            "equal": first == second,
            "first": f"{same} of {total} diff_ids are equal",
            "second": None,
            "known": True,
        }
        yield _files_rung(name, pair, follows=first == second)


def _files_rung(name: str, pair: PlatformPair, *, follows: bool) -> dict[str, Any]:
    one, two = (image.files_digest if image else None for image in (pair.first, pair.second))
    if one is None and two is None and follows:
        return {
            "level": "files",
            "platform": name,
            "equal": True,
            "first": "follows from equal layers",
            "second": None,
            "known": True,
        }
    return _rung("files", name, one, two)


def _rung(level: str, platform: str, first: str | None, second: str | None) -> dict[str, Any]:
    return {
        "level": level,
        "platform": platform,
        "equal": first == second and first is not None,
        "first": first,
        "second": None if first == second else second,
        "known": first is not None or second is not None,
    }


def platform_layers(
    report: Report, pair: PlatformPair, colours: Mapping[str, int], by_difference: Causes
) -> dict[str, Any]:
    """Show one platform's layers as they were aligned, with the causes of what differs in each."""
    causes = _causes_by_layer(report, pair, by_difference)
    largest = max((layer.size for image in (pair.first, pair.second) if image for layer in image.layers), default=1)
    return {
        "name": pair.platform,
        "rows": [
            {
                "first": _layer(pair.first, layers.first, largest),
                "second": _layer(pair.second, layers.second, largest),
                "equal": _same(pair, layers),
                "causes": [(cause, colour) for cause, colour in colours.items() if cause in causes.get(layers, ())],
            }
            for layers in pair.layers
        ],
    }


def _causes_by_layer(report: Report, pair: PlatformPair, by_difference: Causes) -> dict[LayerPair, set[str]]:
    found: dict[LayerPair, set[str]] = {}
    for number, item in enumerate(report.differences):
        if item.layer is not None and (item.platform is None or str(item.platform) == pair.platform):
            found.setdefault(item.layer, set()).update(by_difference.get(number, (UNEXPLAINED,)))
    return found


def _layer(image: ReportedImage | None, number: int | None, largest: int) -> dict[str, Any] | None:
    if image is None or number is None:
        return None
    layer = image.layers[number]
    return {
        "number": number,
        "diff_id": layer.diff_id,
        "size": f"{layer.size:,}",
        "share": round(100 * layer.size / max(1, largest), 1),
        "line": None if layer.instruction is None else layer.instruction.line,
        "made_by": escape(_made_by(layer), backslashes=False),
        "base": layer.origin == "base",
        "rebuilt": layer.rebuilt,
    }


def _made_by(layer: ReportedLayer) -> str:
    return layer.created_by if layer.instruction is None else layer.instruction.text


def _same(pair: PlatformPair, layers: LayerPair) -> bool:
    if pair.first is None or pair.second is None or layers.first is None or layers.second is None:
        return False
    return pair.first.layers[layers.first].diff_id == pair.second.layers[layers.second].diff_id
