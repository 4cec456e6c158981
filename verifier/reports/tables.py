"""The two tables of the text report: the digests level by level, and the layers with the lines that made them."""

from __future__ import annotations

from collections import Counter
from typing import Final

from tabulate import tabulate

from verifier.model.difference import Difference, LayerPair
from verifier.model.report import PlatformPair, Report, ReportedImage, ReportedLayer, manifest_digest_of
from verifier.oci.digest import Digest
from verifier.reports.escape import escape, shorten

NOTHING: Final = "-"
"""Stands where a side has no such thing."""

INSTRUCTION_WIDTH: Final = 48
_SHORT_DIGEST: Final = len("sha256:") + 12
_FIELDS_SHOWN: Final = 4

_Row = tuple[str, str, str, str]


def digest_table(report: Report, pair: PlatformPair) -> str:
    """Show the digest of every level: once where both sides agree, else one above the other to be read and copied."""
    first, second = pair.first, pair.second
    rows: list[_Row] = []
    if report.index_equal is not None and report.first is not None and report.second is not None:
        rows += _digest_rows("index", report.first.index_digest, report.second.index_digest)
    rows += _manifest_rows(manifest_digest_of(report.first, first), manifest_digest_of(report.second, second))
    rows += _digest_rows("config", first.config_digest if first else None, second.config_digest if second else None)
    rows += _layers_rows(_diff_ids(first), _diff_ids(second))
    rows += _files_rows(first, second)
    headers = ["level", "", "", f"digest ({escape(pair.platform)})"]
    return tabulate(rows, headers=headers, tablefmt="simple", disable_numparse=True)


def _diff_ids(image: ReportedImage | None) -> list[Digest]:
    return [layer.diff_id for layer in image.layers] if image else []


def _manifest_rows(first: Digest | None, second: Digest | None) -> list[_Row]:
    if first is None and second is None:
        return [("manifest", "unknown", "", "this builder has none before a push")]
    return _digest_rows("manifest", first, second)


def _digest_rows(level: str, first: Digest | None, second: Digest | None) -> list[_Row]:
    if first == second:
        return [(level, "equal", "", first or NOTHING)]
    return [(level, "differs", "first", first or NOTHING), ("", "", "second", second or NOTHING)]


def _layers_rows(first: list[Digest], second: list[Digest]) -> list[_Row]:
    total = max(len(first), len(second))
    if first == second:
        return [("layers", "equal", "", f"{total} diff_id{'' if total == 1 else 's'}")]
    same = sum(one == two for one, two in zip(first, second, strict=False))
    return [("layers", "differs", "", f"{same} of {total} diff_ids are equal")]


def _files_rows(first: ReportedImage | None, second: ReportedImage | None) -> list[_Row]:
    one = first.files_digest if first else None
    two = second.files_digest if second else None
    if one is not None or two is not None:
        return _digest_rows("files", one, two)
    follows = first is not None and second is not None and _diff_ids(first) == _diff_ids(second)
    return [("files", "equal", "", "follows from equal layers")] if follows else []


def layer_table(report: Report, pair: PlatformPair) -> str:
    """Show the layers as they were aligned, each with the Dockerfile line that made it and what differs in it."""
    counts = _counts(report.differences, pair.platform)
    rows = []
    for layers in pair.layers:
        first = _layer_at(pair.first, layers.first)
        second = _layer_at(pair.second, layers.second)
        either = first or second
        if either is not None:
            rows.append((*_origin_cells(layers, first, second, either), counts.get(layers, "")))
    headers = ["layer", "line", "made by", "first diff_id", "second diff_id", "differences"]
    return tabulate(rows, headers=headers, tablefmt="simple", disable_numparse=True) if rows else ""


def _layer_at(image: ReportedImage | None, number: int | None) -> ReportedLayer | None:
    return None if image is None or number is None else image.layers[number]


def _origin_cells(
    layers: LayerPair, first: ReportedLayer | None, second: ReportedLayer | None, either: ReportedLayer
) -> tuple[str, str, str, str, str]:
    instruction = either.instruction
    line = "base" if either.origin == "base" else str(instruction.line) if instruction else NOTHING
    made_by = escape(instruction.text if instruction else either.created_by)
    # what differs was made anew, whatever the builder says of its cache
    is_same = first is None or second is None or first.diff_id == second.diff_id
    if either.origin != "base" and is_same and any(layer and layer.rebuilt is False for layer in (first, second)):
        made_by = f"(not rebuilt) {made_by}"
    one = first.diff_id[:_SHORT_DIGEST] if first else NOTHING
    two = second.diff_id[:_SHORT_DIGEST] if second else NOTHING
    return position(layers), line, shorten(made_by, INSTRUCTION_WIDTH), one, "equal" if one == two else two


def position(layers: LayerPair) -> str:
    """Write where an aligned pair of layers stands: one number where both sides agree on it."""
    if layers.first == layers.second:
        return str(layers.first)
    return f"{NOTHING if layers.first is None else layers.first}/{NOTHING if layers.second is None else layers.second}"


def _counts(differences: tuple[Difference, ...], platform: str) -> dict[LayerPair, str]:
    counts: dict[LayerPair, Counter[str]] = {}
    for item in differences:
        if item.layer is not None and (item.platform is None or str(item.platform) == platform):
            counts.setdefault(item.layer, Counter())[item.field] += 1
    return {layers: _summary(fields) for layers, fields in counts.items()}


def _summary(fields: Counter[str]) -> str:
    ordered = sorted(fields.items(), key=lambda item: (-item[1], item[0]))
    shown = [f"{count:,} {escape(field)}" for field, count in ordered[:_FIELDS_SHOWN]]
    more = sum(count for _, count in ordered[_FIELDS_SHOWN:])
    return ", ".join(shown) + (f" and {more:,} more" if more else "")
