"""Apply tolerances to a finished report: the facts and the level stay as they are, the outcome alone may change.

A difference is tolerated where a tolerance names its place (path or field), or where every cause that it is put down to
is named. A difference that no cause explains is never covered by a cause. Mode, setuid, owner, capabilities and
whiteouts are covered by a tolerance alone that names that very field.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from functools import lru_cache
from typing import Final

from verifier.model.difference import Difference
from verifier.model.report import Report
from verifier.model.tolerance import NAMED_ALONE, AppliedTolerance, Tolerance
from verifier.model.verdict import Required

_NO_CONTENT: Final = frozenset({"mtime", "order", "header", "padding", "trailer", "uname", "gname", "digest"})
"""Fields of a layer that `files/v1` leaves out."""

_STRICTEST_FIRST: Final[tuple[Required, ...]] = ("index", "manifest", "config", "layers", "files", "none")
_SPECIAL_BITS: Final = 0o7000


def tolerate(report: Report, tolerances: Sequence[Tolerance], today: date) -> Report:
    """Mark what is tolerated; the outcome is `tolerated` where nothing else stands before the required level."""
    if not tolerances:
        return report
    current = [each for each in tolerances if each.expires is None or today <= each.expires]
    causes = _causes(report)
    covered: dict[int, set[int]] = {}
    for number, item in enumerate(report.differences):
        by = _covered(item, causes.get(number, frozenset()), current)
        if by:
            covered[number] = by
    applied = tuple(_applied(each, current, covered) for each in tolerances)
    verdict = report.verdict
    if verdict.outcome == "different" and _nothing_else(report, covered):
        verdict = replace(verdict, outcome="tolerated")
    notes = [
        f"the tolerance of {each.tolerance.described} ({each.tolerance.place}) is {each.status}"
        for each in applied
        if each.status != "used"
    ]
    return replace(
        report, verdict=verdict, tolerated=tuple(sorted(covered)), tolerances=applied, notes=(*report.notes, *notes)
    )


def _causes(report: Report) -> dict[int, frozenset[str]]:
    """Gather the causes of each difference that is explained in full."""
    if report.explanation is None:
        return {}
    left = {item.difference for item in report.explanation.residue}
    found: dict[int, set[str]] = {}
    for finding in report.explanation.findings:
        for number in finding.differences:
            if number not in left:
                found.setdefault(number, set()).add(finding.cause)
    return {number: frozenset(causes) for number, causes in found.items()}


def _covered(item: Difference, causes: frozenset[str], tolerances: Sequence[Tolerance]) -> set[int]:
    """Give the positions of the tolerances that cover a difference together; none where something is left."""
    agreeing = [number for number, each in enumerate(tolerances) if _agrees(each, item)]
    whole = {number for number in agreeing if tolerances[number].cause is None}
    if whole:
        return whole
    by_cause = {number for number in agreeing if tolerances[number].cause in causes}
    return by_cause if causes and {tolerances[number].cause for number in by_cause} == causes else set()


def _agrees(tolerance: Tolerance, item: Difference) -> bool:
    field = field_of(item)
    if tolerance.field is None and field in NAMED_ALONE:
        return False
    if tolerance.field is not None and tolerance.field != field:
        return False
    if tolerance.path is None:
        return True
    return item.path is not None and _pattern(tolerance.path).fullmatch(item.path) is not None


def field_of(item: Difference) -> str:
    """Name a difference's field as tolerances do: a mode that differs in its special bits is `setuid`."""
    if item.field == "entry" and item.path is not None and item.path.rpartition(b"/")[2].startswith(b".wh."):
        return "whiteout"
    if item.field == "mode" and isinstance(item.first, str) and isinstance(item.second, str):
        try:
            if (int(item.first, 8) ^ int(item.second, 8)) & _SPECIAL_BITS:
                return "setuid"
        except ValueError:
            return "setuid"
    return item.field


@lru_cache(maxsize=256)
def _pattern(text: str) -> re.Pattern[bytes]:
    """Read a path's pattern: `**` stands for anything, `*` and `?` for what has no slash."""
    parts = re.split(r"(\*\*|\*|\?)", text)
    words = {"**": ".*", "*": "[^/]*", "?": "[^/]"}
    return re.compile("".join(words.get(part, re.escape(part)) for part in parts).encode(), re.DOTALL)


def _applied(tolerance: Tolerance, current: Sequence[Tolerance], covered: dict[int, set[int]]) -> AppliedTolerance:
    if tolerance not in current:
        return AppliedTolerance(tolerance=tolerance, status="expired")
    position = current.index(tolerance)
    numbers = tuple(number for number, by in sorted(covered.items()) if position in by)
    return AppliedTolerance(tolerance=tolerance, status="used" if numbers else "unused", differences=numbers)


def _nothing_else(report: Report, covered: dict[int, set[int]]) -> bool:
    """Tell whether every difference that stands before the required level is tolerated, and there is one."""
    required = report.verdict.required
    standing = [number for number, item in enumerate(report.differences) if _stands_before(item, required)]
    return bool(standing) and all(number in covered for number in standing)


def _stands_before(item: Difference, required: Required) -> bool:
    """Tell whether a difference may keep the required level from holding; where in doubt, it does."""
    return _STRICTEST_FIRST.index(required) <= _STRICTEST_FIRST.index(_matters_down_to(item))


def _matters_down_to(item: Difference) -> Required:
    """Name the least strict level that a difference may stand in the way of."""
    if item.part == "index":
        return "files" if item.field == "entry" else "index"  # an entry: a platform that one side lacks
    if item.part == "attestation":
        return "index"
    if item.part == "manifest" or item.field == "digest":
        return "manifest"
    if item.part == "config":
        return "layers" if item.field.startswith("/rootfs") else "config"
    return "layers" if item.field in _NO_CONTENT or not item.visible else "files"
