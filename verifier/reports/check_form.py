"""What `verify-build check` says: the risks of a Dockerfile, for a person or as JSON with `kind` "check"."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from verifier.causes import CAUSES, Cause
from verifier.model.finding import Risk
from verifier.model.instruction import Instruction
from verifier.oci.digest import Digest
from verifier.reports.escape import escape, shorten
from verifier.reports.instruction_form import instruction_object

CHECK_SCHEMA_VERSION: Final = 1

_MESSAGE_WIDTH: Final = 240
_ORDER: Final = {"error": 0, "warning": 1, "note": 2}


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckReport:
    """One Dockerfile's risks.

    `context` is None where no context was looked at. `stages_judged` and `stages` count the stages that the target
    needs, and all. `unread` are instructions whose shell commands could not be read to the end.
    """

    tool_version: str
    dockerfile_path: str
    dockerfile_digest: Digest
    context: str | None
    target: str | None
    stages_judged: int
    stages: int
    risks: tuple[Risk, ...]
    unread: tuple[Instruction, ...] = ()

    @property
    def to_mend(self) -> tuple[Risk, ...]:
        """What makes the check fail: neither refuted nor a mere note."""
        return tuple(risk for risk in self.risks if risk.status != "refuted" and risk.severity != "note")

    @property
    def notes(self) -> tuple[Risk, ...]:
        """What is worth knowing and does not fail."""
        return tuple(risk for risk in self.risks if risk.status != "refuted" and risk.severity == "note")

    @property
    def refuted(self) -> tuple[Risk, ...]:
        """What the same instruction makes sure of."""
        return tuple(risk for risk in self.risks if risk.status == "refuted")

    @property
    def exit_code(self) -> int:
        """1 where there is something to mend, else 0."""
        return 1 if self.to_mend else 0


def check_object(report: CheckReport, causes: Sequence[Cause] = CAUSES) -> dict[str, Any]:
    """Give the report as JSON values, by `schemas/check-v1.schema.json`."""
    known = {cause.slug: cause for cause in causes}
    return {
        "schema_version": CHECK_SCHEMA_VERSION,
        "kind": "check",
        "tool": {"name": "verify-build", "version": report.tool_version},
        "outcome": "to-mend" if report.to_mend else "nothing-to-mend",
        "dockerfile": {"path": report.dockerfile_path, "digest": report.dockerfile_digest},
        "context": report.context,
        "target": report.target,
        "stages": {"judged": report.stages_judged, "of": report.stages},
        "counts": {
            "to_mend": len(report.to_mend),
            "notes": len(report.notes),
            "refuted": len(report.refuted),
        },
        "risks": [_risk(risk, known) for risk in report.risks],
        "unread": [instruction_object(instruction) for instruction in report.unread],
    }


def render_check_json(report: CheckReport, causes: Sequence[Cause] = CAUSES) -> str:
    """Render the report as indented ASCII JSON with a final newline."""
    return json.dumps(check_object(report, causes), indent=2, ensure_ascii=True) + "\n"


def render_check_text(report: CheckReport, causes: Sequence[Cause] = CAUSES, *, verbose: bool = False) -> str:
    """Render the report for a person: the answer, what to mend with the remedies, the notes, and what was checked.

    What is refuted is counted, and listed with `verbose`.
    """
    blocks = [_headline(report)]
    blocks += [_block("to mend", report.to_mend, report, causes)] if report.to_mend else []
    blocks += [_block("notes", report.notes, report, causes)] if report.notes else []
    if report.refuted:
        if verbose:
            blocks.append("\n".join(["checked:", *(_line(risk, report) for risk in report.refuted)]))
        else:
            checked = _count(len(report.refuted), "thing")
            blocks.append(f"and {checked} that the instruction itself makes sure of: --verbose lists them")
    blocks += [f"note: line {item.line}: not every shell command could be read" for item in report.unread]
    return "\n\n".join(blocks) + "\n"


def _headline(report: CheckReport) -> str:
    path = escape(report.dockerfile_path)
    number = len(report.to_mend)
    left_out = report.stages - report.stages_judged
    judged = f" ({left_out} of {report.stages} stages are not needed and were not judged)" if left_out else ""
    if not number:
        return f"NOTHING TO MEND  {path}{judged}"
    causes = len({risk.cause for risk in report.to_mend})
    return f"TO MEND  {path}: {_count(number, 'risk')} of {_count(causes, 'cause')}{judged}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _block(title: str, risks: Iterable[Risk], report: CheckReport, causes: Sequence[Cause]) -> str:
    """List risks under their causes, the cause of the first line first."""
    risks = sorted(risks, key=lambda risk: _ORDER[risk.severity])
    remedies = {cause.slug: cause.remedy for cause in causes}
    lines = [f"{title}:"]
    for slug in dict.fromkeys(risk.cause for risk in risks):
        lines += ["", f"  {slug}"]
        lines += [_line(risk, report) for risk in risks if risk.cause == slug]
        if remedies.get(slug):
            lines.append(f"    remedy: {remedies[slug]}")
    return "\n".join(lines)


def _line(risk: Risk, report: CheckReport) -> str:
    line = risk.line or (risk.instruction.line if risk.instruction else None)
    where = escape(report.dockerfile_path) + (f":{line}" if line else "")
    return f"    {where}: {shorten(escape(risk.message), _MESSAGE_WIDTH)}"


def _risk(risk: Risk, known: dict[str, Cause]) -> dict[str, Any]:
    cause = known.get(risk.cause)
    return {
        "cause": risk.cause,
        "title": None if cause is None else cause.title,
        "severity": risk.severity,
        "status": risk.status,
        "instruction": instruction_object(risk.instruction),
        "line": risk.line or (risk.instruction.line if risk.instruction else None),
        "message": risk.message,
        "remedy": None if cause is None else cause.remedy,
    }
