"""The page's cards: one a cause with every instruction it is at, and one for what no cause explains."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from verifier.model.finding import Evidence, Finding
from verifier.model.instruction import Instruction
from verifier.model.report import Report
from verifier.reports.escape import escape, escape_path, shorten
from verifier.reports.findings import by_cause, confidence_of, count_differences, left_over
from verifier.reports.html_bytes import sample_of, shown_value

_EVIDENCE_SHOWN: Final = 5
_PATHS_SHOWN: Final = 20
_LEFT_SHOWN: Final = 20
_PLACES_SHOWN: Final = 6
_INSTRUCTION_WIDTH: Final = 240


def cause_cards(findings: Sequence[Finding], colours: Mapping[str, int]) -> list[dict[str, Any]]:
    """Describe each cause once, the most frequent first; `colours` are numbers by the cause's name."""
    return [_card(cause, group, colours[cause]) for cause, group in by_cause(findings)]


def _card(cause: str, group: Sequence[Finding], colour: int) -> dict[str, Any]:
    paths = sorted({path for finding in group for path in finding.paths})
    evidence = [_evidence(item) for item in _chosen(group)]
    names = [escape_path(path) for path in paths[:_PATHS_SHOWN]]
    if len(paths) <= len(names) and {item["path"] for item in evidence}.issuperset(names):
        names = []
    places, more_lines = _places(group)
    return {
        "cause": cause,
        "colour": colour,
        "title": escape(group[0].title),
        "confidence": confidence_of(group),
        "count": count_differences(group),
        "places": places,
        "more_lines": more_lines,
        "remedies": list(dict.fromkeys(escape(finding.remedy) for finding in group)),
        "evidence": evidence,
        "paths": names,
        "more_paths": max(0, len(paths) - _PATHS_SHOWN),
    }


def _places(group: Sequence[Finding]) -> tuple[list[dict[str, Any]], list[int]]:
    """Give the weightiest instructions of a cause in the Dockerfile's order, and the lines of the others."""
    counts: dict[Instruction, set[int]] = {}
    for finding in group:
        if finding.instruction is not None:
            counts.setdefault(finding.instruction, set()).update(finding.differences)
    ordered = sorted(counts, key=lambda each: (-len(counts[each]), each.line))
    places = [
        {
            "line": instruction.line,
            "text": shorten(escape(instruction.text, backslashes=False), _INSTRUCTION_WIDTH),
            "count": len(counts[instruction]),
        }
        for instruction in sorted(ordered[:_PLACES_SHOWN], key=lambda each: each.line)
    ]
    return places, sorted(instruction.line for instruction in ordered[_PLACES_SHOWN:])


def _chosen(group: Sequence[Finding]) -> list[Evidence]:
    """Choose what is shown: something of each instruction before more of one."""
    deepest = max((len(finding.evidence) for finding in group), default=0)
    turns = (finding.evidence[turn : turn + 1] for turn in range(deepest) for finding in group)
    return [item for items in turns for item in items][:_EVIDENCE_SHOWN]


def _evidence(item: Evidence) -> dict[str, Any]:
    return {
        "path": escape(item.path),
        "inner": None if item.inner is None else escape(item.inner),
        "offset": item.offset,
        "first": escape(item.first or "-"),
        "second": escape(item.second or "-"),
    }


def unexplained_card(report: Report) -> dict[str, Any] | None:
    """Describe what the causes leave over, with what it was tried for; None where nothing is left over."""
    if report.explanation is None or not report.explanation.residue:
        return None
    rows = list(_left(report))
    return {"count": len(rows), "rows": rows[:_LEFT_SHOWN], "more": max(0, len(rows) - _LEFT_SHOWN)}


def _left(report: Report) -> Iterator[dict[str, Any]]:
    residue = () if report.explanation is None else report.explanation.residue
    for left, (item, made_by) in zip(residue, left_over(report), strict=True):
        yield {
            "path": item.part if item.path is None else escape_path(item.path),
            "field": escape(item.field),
            "line": None if made_by is None else made_by.line,
            "first": shown_value(item.first),
            "second": shown_value(item.second),
            "sample": None if item.content is None else sample_of(item.content),
            "ruled_out": [escape(reason) for reason in left.ruled_out],
            "alike": escape(" or ".join(left.alike)),
        }
