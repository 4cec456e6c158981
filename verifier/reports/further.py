"""What was asked for beside the verdict, as JSON and as text: variation, network, real `diff_id`s."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from verifier.model.finding import NormalisedLayer
from verifier.model.instruction import Instruction
from verifier.model.network import Download, Fetched, OfflineProbe
from verifier.model.report import Report
from verifier.model.tolerance import AppliedTolerance
from verifier.model.variation import Variation
from verifier.reports.escape import escape, shorten
from verifier.reports.instruction_form import instruction_object

_DOWNLOADS_SHOWN: Final = 40
_WHERE_WIDTH: Final = 88
_TEXT_WIDTH: Final = 72


def variation_object(variation: Variation | None) -> dict[str, Any] | None:
    """Give the JSON of what was varied."""
    if variation is None:
        return None
    return {
        "factors": list(variation.factors),
        "left_out": [{"factor": item.factor, "reason": item.reason} for item in variation.left_out],
        "further_builds": variation.further_builds,
        "settled": variation.settled,
        "effects": [{"factor": item.factor, "differences": list(item.differences)} for item in variation.effects],
        "unvaried": list(variation.unvaried),
        "unsettled": list(variation.unsettled),
    }


def offline_object(probe: OfflineProbe | None) -> dict[str, Any] | None:
    """Give the JSON of the build without a network."""
    if probe is None:
        return None
    return {"succeeded": probe.succeeded, "instruction": instruction_object(probe.instruction), "reason": probe.reason}


def downloads_object(downloads: Sequence[Download] | None) -> list[dict[str, Any]] | None:
    """Give the JSON of what the builds fetched."""
    if downloads is None:
        return None
    return [
        {
            "instructions": [instruction_object(instruction) for instruction in item.instructions],
            "method": item.method,
            "where": item.where,
            "encrypted": item.encrypted,
            "first": _fetched(item.first),
            "second": _fetched(item.second),
            "same": item.same,
        }
        for item in downloads
    ]


def diff_ids_object(layers: Sequence[NormalisedLayer] | None) -> list[dict[str, Any]] | None:
    """Give the JSON of the normalised layers."""
    if layers is None:
        return None
    return [
        {
            "platform": item.platform,
            "layer": {"first": item.layer.first, "second": item.layer.second},
            "first": item.first,
            "second": item.second,
            "equal": item.equal,
            "reason": item.reason,
        }
        for item in layers
    ]


def tolerance_object(applied: AppliedTolerance) -> dict[str, Any]:
    """Give the JSON of one tolerance and what became of it."""
    item = applied.tolerance
    return {
        "cause": item.cause,
        "path": item.path,
        "field": item.field,
        "reason": item.reason,
        "expires": None if item.expires is None else item.expires.isoformat(),
        "place": item.place,
        "status": applied.status,
        "differences": list(applied.differences),
    }


def _fetched(item: Fetched | None) -> dict[str, Any] | None:
    if item is None:
        return None
    return {
        "count": item.count,
        "bytes": item.bytes,
        "digests": list(item.digests),
        "statuses": list(item.statuses),
    }


def further_blocks(report: Report) -> Iterator[str]:
    """Give the text blocks of what was asked for."""
    explanation = report.explanation
    if explanation is not None and explanation.diff_ids is not None:
        yield "\n".join(_diff_id_lines(explanation.diff_ids))
    used = [item for item in report.tolerances if item.status == "used"]
    if used:
        yield "\n".join(_tolerance_lines(used))
    if report.variation is not None:
        yield "\n".join(_variation_lines(report.variation, len(report.differences)))
    if report.offline is not None:
        yield _offline_line(report.offline)
    if report.downloads is not None:
        yield _downloads_block(report.downloads)


def _tolerance_lines(used: Sequence[AppliedTolerance]) -> Iterator[str]:
    yield f"tolerated: {_count(len({number for item in used for number in item.differences}))}"
    for item in used:
        until = "" if item.tolerance.expires is None else f", until {item.tolerance.expires.isoformat()}"
        yield f"    {escape(item.tolerance.described)}: {escape(item.tolerance.reason)}{until}"


def _diff_id_lines(layers: Sequence[NormalisedLayer]) -> Iterator[str]:
    equal = sum(item.equal is True for item in layers)
    yield f"diff_ids of the layers with every claimed value replaced: {equal} of {len(layers)} are equal"
    for item in layers:
        name = f"layer {item.layer.first}" if item.layer.first == item.layer.second else f"layer {_pair(item)}"
        if item.reason is not None:
            yield f"    {name}: not written: {escape(item.reason)}"
        elif item.equal:
            yield f"    {name}: {item.first}"
        else:
            yield f"    {name}: DIFFERENT: {item.first} | {item.second}"


def _pair(item: NormalisedLayer) -> str:
    first, second = ("-" if number is None else str(number) for number in (item.layer.first, item.layer.second))
    return f"{first}/{second}"


def _variation_lines(variation: Variation, of: int) -> Iterator[str]:
    yield f"varied in the second build: {', '.join(variation.factors) or 'nothing'}"
    for item in variation.left_out:
        yield f"    not {item.factor}: {escape(item.reason)}"
    if not of:
        yield "    nothing of it matters: both builds gave the same"
        return
    if not variation.further_builds:
        return
    for effect in variation.effects:
        yield f"    {effect.factor} matters: it alone brings about {_count(len(effect.differences))}"
    if variation.unvaried:
        yield f"    without any variation: {_count(len(variation.unvaried))}"
    if variation.unsettled:
        yield f"    not put down to one of them alone: {_count(len(variation.unsettled))}"
    if not variation.effects and not variation.unsettled and variation.settled:
        yield "    nothing of it matters: every difference is there without it"
    if not variation.settled:
        yield "    not settled: a further build failed, or there were too many"
    builds = "1 further build, which varied nothing"
    if variation.further_builds > 1:
        builds = f"{variation.further_builds} further builds, one of which varied nothing"
    yield f"    found by {builds}"


def _count(number: int) -> str:
    return f"{number:,} difference{'' if number == 1 else 's'}"


def _offline_line(probe: OfflineProbe) -> str:
    if probe.succeeded:
        return (
            "without a network: the build succeeds (nothing is said of ADD from a URL, which no option takes it from)"
        )
    if probe.instruction is None:
        return f"without a network: the build failed: {escape(probe.reason or 'the builder does not say where')}"
    text = shorten(escape(probe.instruction.text), _TEXT_WIDTH)
    return f"without a network: the build fails first at line {probe.instruction.line}: {text}"


def _downloads_block(downloads: Sequence[Download]) -> str:
    from tabulate import tabulate  # noqa: PLC0415  # not for JSON

    if not downloads:
        return "downloads: none went through the recording proxy"
    rows = [
        [
            _lines(item.instructions),
            item.method,
            shorten(escape(item.where), _WHERE_WIDTH),
            _bytes(item.first),
            _bytes(item.second),
            "encrypted" if item.encrypted else "same" if item.same else "DIFFERENT",
        ]
        for item in _weightiest(downloads)
    ]
    table = tabulate(
        rows,
        headers=["line", "", "from", "first bytes", "second bytes", "content"],
        disable_numparse=True,
        colalign=("left", "left", "left", "right", "right", "left"),
    )
    hidden = len(downloads) - len(rows)
    more = f"\n… and {hidden:,} more, in the JSON report" if hidden else ""
    return f"downloads\n{table}{more}"


def _weightiest(downloads: Sequence[Download]) -> list[Download]:
    """Choose what to show, in the report's order: what is not the same first of all, then the largest."""
    ranked = sorted(
        range(len(downloads)),
        key=lambda number: (downloads[number].same is not False, -_size(downloads[number]), number),
    )
    return [downloads[number] for number in sorted(ranked[:_DOWNLOADS_SHOWN])]


def _size(item: Download) -> int:
    return sum(side.bytes for side in (item.first, item.second) if side is not None)


def _lines(instructions: Sequence[Instruction]) -> str:
    lines = [str(instruction.line) for instruction in instructions]
    return f"one of {', '.join(lines)}" if len(lines) > 1 else "".join(lines) or "?"


def _bytes(item: Fetched | None) -> str:
    return "-" if item is None else f"{item.bytes:,}"
