"""What came out of a case, held against its label."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

from accuracy.cases import Case
from verifier.causes import cause_of

_SHOWN: Final = 8
"""Paths of the residue that are told; the rest are counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What the tool said of a case.

    `found`: the cause, at its line. `wrong`: causes that nothing gave it reason to name. `residue`: what it could not
    explain, as "part field path". `faults` says in words whatever is not as the label wants it, these included; it is
    empty where all is well. `builder` is the builder with its version.
    """

    found: bool
    wrong: tuple[str, ...]
    residue: tuple[str, ...]
    level: str | None
    faults: tuple[str, ...]
    builder: str | None

    def to_json(self) -> str:
        """Write it as JSON."""
        return json.dumps(asdict(self), indent=1)

    @classmethod
    def from_json(cls, text: str) -> Outcome:
        """Read what `to_json` wrote."""
        values = json.loads(text)
        lists = {name: tuple(values[name]) for name in ("wrong", "residue", "faults")}
        return cls(found=values["found"], level=values["level"], builder=values["builder"], **lists)


def judge_report(case: Case, report: Mapping[str, Any]) -> Outcome:
    """Hold a report of `verify` or `compare` against the label."""
    facts = [report["differences"][number] for number in report["residue"]]
    residue = tuple(f"{fact['part']} {fact['field']} {fact['path'] or ''}".rstrip() for fact in facts)
    mine = [finding for finding in report["findings"] if finding["cause"] == case.cause]
    found = case.line in {finding["instruction"]["line"] if finding["instruction"] else 0 for finding in mine}
    wrong = {finding["cause"] for finding in report["findings"]} - {case.cause} - case.expected
    faults = [*_unlike(case, report, found=bool(mine), in_place=found), *_unsure(case, mine)]
    if wrong:
        faults.append(f"causes that were not expected: {', '.join(sorted(wrong))}")
    if residue:
        more = f" and {len(residue) - _SHOWN} more" if len(residue) > _SHOWN else ""
        faults.append(f"residue: {', '.join(residue[:_SHOWN])}{more}")
    builder = report["builds"]["second"]["builder"] if report["builds"] else None
    return Outcome(
        found=bool(mine) if case.remedied else found,
        wrong=tuple(sorted(wrong)),
        residue=residue,
        level=report["level"],
        faults=tuple(faults),
        builder=f"{builder['name']} {builder['version']}" if builder and case.builder else None,
    )


def _unlike(case: Case, report: Mapping[str, Any], *, found: bool, in_place: bool) -> Iterator[str]:
    if found is case.remedied:
        yield f"{case.cause} is {'still' if case.remedied else 'not'} found"
    elif not case.remedied and not in_place:
        yield f"{case.cause} is not found at line {case.line}"
    if case.level not in {None, report["level"]}:
        yield f"level {report['level']}, not {case.level}"
    if not report["explained"]["counterfactual"]["equal"]:
        yield "the counterfactual digests differ"
    if report["explained"]["differences"] != len(report["differences"]):
        yield "not every difference is explained"
    if case.tried == "vary" and not report["inputs"]["varied"]:
        yield "nothing was varied"


def _unsure(case: Case, findings: list[dict[str, Any]]) -> Iterator[str]:
    """Tell which findings are not as sure as they should be, or lack what they rest on.

    A claim is proven unless it is opaque, or one of times where no build gives a window to check it against; or where
    the label says otherwise.
    """
    timed = case.tried == "compare" and cause_of(case.cause).timed
    for finding in findings:
        sure = case.confidence or ("likely" if finding["opaque"] or timed else "proven")
        if finding["confidence"] != sure:
            yield f"{case.cause} is {finding['confidence']}, not {sure}"
        if not finding["differences"] or not finding["evidence"]:
            yield f"{case.cause} is found without differences or without evidence"


def judge_check(case: Case, report: Mapping[str, Any]) -> Outcome:
    """Hold a report of `check` against the label: the risk is there at its line, and remedied it is not."""
    risks = [risk for risk in report["risks"] if risk["cause"] == case.cause]
    faults = []
    if case.remedied:
        left = [risk for risk in risks if risk["status"] != "refuted" and risk["severity"] != case.leaves]
        found = bool(left)
        faults += [f"line {risk['line']}: {risk['message']}" for risk in left]
    else:
        found = any(risk["status"] == case.status and case.line in _lines(risk) for risk in risks)
        if not found:
            seen = [f"line {risk['line']} ({risk['status']})" for risk in risks]
            faults.append(f"{case.cause} is not {case.status} at line {case.line}, but at {', '.join(seen) or 'none'}")
    return Outcome(found=found, wrong=(), residue=(), level=None, faults=tuple(faults), builder=None)


def _lines(risk: Mapping[str, Any]) -> set[int]:
    """Give the line of the command within the instruction, and the instruction's own."""
    return {risk["line"] or 0, risk["instruction"]["line"] if risk["instruction"] else 0}
