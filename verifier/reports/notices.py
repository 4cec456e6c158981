"""What a report has to say about single lines: the one form behind SARIF, annotations, code quality and JUnit.

A notice is about a rule (a cause's slug, or `unexplained`) at an instruction. Its fingerprint holds on to the
instruction's text and not to its line: a line that moves keeps its alert.
"""

from __future__ import annotations

import hashlib
import json
import posixpath
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from verifier.causes import CAUSES
from verifier.model.difference import Difference
from verifier.model.finding import Finding, Risk, Severity
from verifier.model.instruction import Instruction
from verifier.model.report import Report
from verifier.reports.check_form import CheckReport
from verifier.reports.escape import escape, escape_path, shorten
from verifier.reports.findings import left_over

UNEXPLAINED: Final = "unexplained"
"""The rule of differences that no cause explains."""

LATENT: Final = "latent: nothing of this differed in these builds, and may at another time. "

_KNOWN: Final = {cause.slug: cause for cause in CAUSES}
_PATH_WIDTH: Final = 120
_RANK: Final[Mapping[Severity, int]] = {"error": 0, "warning": 1, "note": 2}


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One thing to say, escaped and fit to print, at lines from 1 of the Dockerfile, or at none.

    `failing` says that it is a reason for the exit code not to be 0.
    """

    rule: str
    title: str
    severity: Severity
    message: str
    remedy: str
    failing: bool
    dockerfile: str | None
    line: int | None
    end_line: int | None
    fingerprint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Draft:
    """A notice before it has its fingerprint."""

    notice: Notice
    anchor: tuple[str, ...]


def notices_of(report: Report) -> tuple[Notice, ...]:
    """List findings, what is left unexplained, and latent risks; what fails comes first, then by severity and line.

    Where the required level holds, nothing that was found is worse than a note.
    """
    path = None if report.inputs is None else report.inputs.dockerfile_path
    fails = report.verdict.outcome == "different"
    drafts = [*_findings(report, path, fails=fails), *_unexplained(report, path, fails=fails)]
    drafts += [_risk(risk, path, LATENT, fails=False) for risk in report.risks if risk.status == "latent"]
    return _finished(drafts)


def notices_of_check(report: CheckReport) -> tuple[Notice, ...]:
    """List the risks that are not refuted, what is to mend first."""
    risks = [*report.to_mend, *report.notes]
    return _finished(
        [_risk(risk, report.dockerfile_path, "", fails=risk.severity != "note") for risk in risks],
    )


def location_of(path: str) -> str:
    """Normalise a Dockerfile's path as hosts want it: relative where it is, with slashes, without a leading dot."""
    return posixpath.normpath(path)


def _findings(report: Report, path: str | None, *, fails: bool) -> Iterator[_Draft]:
    findings = () if report.explanation is None else report.explanation.findings
    for finding in findings:
        notice = Notice(
            rule=finding.cause,
            title=escape(finding.title),
            severity=finding.severity if fails else "note",
            message=f"{_extent(finding)}; {finding.confidence}{', opaque' if finding.opaque else ''}",
            remedy=escape(finding.remedy),
            failing=fails,
            dockerfile=path,
            line=None if finding.instruction is None else finding.instruction.line,
            end_line=None if finding.instruction is None else finding.instruction.end_line,
            fingerprint="",
        )
        yield _Draft(notice=notice, anchor=_anchor(finding.cause, path, finding.instruction))


def _extent(finding: Finding) -> str:
    number = len(finding.differences)
    text = f"{number:,} difference{'' if number == 1 else 's'}"
    if not finding.paths:
        return text
    more = f" and {len(finding.paths) - 1:,} more" if len(finding.paths) > 1 else ""
    return f"{text} in {shorten(escape_path(finding.paths[0]), _PATH_WIDTH)}{more}"


def _unexplained(report: Report, path: str | None, *, fails: bool) -> Iterator[_Draft]:
    """One notice an instruction whose differences no cause explains."""
    groups: dict[Instruction | None, list[Difference]] = {}
    for item, made_by in left_over(report):
        groups.setdefault(made_by, []).append(item)
    for instruction, items in groups.items():
        number, example = len(items), items[0]
        extent = "1 difference:" if number == 1 else f"{number:,} differences, such as"
        where = f"the {example.part}" if example.path is None else escape_path(example.path)
        notice = Notice(
            rule=UNEXPLAINED,
            title="Differences that no cause explains",
            severity="error" if fails else "note",
            message=f"{extent} {escape(example.field)} of {shorten(where, _PATH_WIDTH)}",
            remedy="look at both sides' bytes in the report",
            failing=fails,
            dockerfile=path,
            line=None if instruction is None else instruction.line,
            end_line=None if instruction is None else instruction.end_line,
            fingerprint="",
        )
        yield _Draft(notice=notice, anchor=_anchor(UNEXPLAINED, path, instruction))


def _risk(risk: Risk, path: str | None, prefix: str, *, fails: bool) -> _Draft:
    cause = _KNOWN.get(risk.cause)
    instruction = risk.instruction
    line = risk.line or (None if instruction is None else instruction.line)
    notice = Notice(
        rule=risk.cause,
        title=risk.cause if cause is None else cause.title,
        severity=risk.severity if fails else "note",
        message=prefix + escape(risk.message),
        remedy="" if cause is None else cause.remedy,
        failing=fails,
        dockerfile=path,
        line=line,
        end_line=line if risk.line else (None if instruction is None else instruction.end_line),
        fingerprint="",
    )
    return _Draft(notice=notice, anchor=(*_anchor(risk.cause, path, instruction), risk.message))


def _anchor(rule: str, path: str | None, instruction: Instruction | None) -> tuple[str, ...]:
    where = location_of(path) if path is not None else ""
    if instruction is None:
        return rule, where
    return rule, where, instruction.stage.name or str(instruction.stage.index), " ".join(instruction.text.split())


def _finished(drafts: Iterable[_Draft]) -> tuple[Notice, ...]:
    """Order the notices and give each a fingerprint, equal ones by their order in the Dockerfile."""
    ordered = sorted(drafts, key=lambda each: (each.anchor[0], each.notice.line or 0))
    counts: Counter[tuple[str, ...]] = Counter()
    notices = []
    for draft in ordered:
        counts[draft.anchor] += 1
        anchor = json.dumps([*draft.anchor, counts[draft.anchor]])
        digest = hashlib.sha256(anchor.encode("utf-8", "surrogatepass")).hexdigest()
        notices.append(replace(draft.notice, fingerprint=digest))
    return tuple(sorted(notices, key=lambda each: (not each.failing, _RANK[each.severity], each.line or 0, each.rule)))
