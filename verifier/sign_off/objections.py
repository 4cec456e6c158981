"""Decide what stands against signing a report off."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from verifier.model.report import Report
from verifier.model.sign_off import Objection, SourceCommit


def find_objections(report: Report, source: SourceCommit, today: date) -> tuple[Objection, ...]:
    """List all that stands against a signature today, in the order of OBJECTIONS."""
    return (*_of_verdict(report), *_of_source(source), *_of_tolerances(report, today))


def _of_verdict(report: Report) -> Iterator[Objection]:
    verdict = report.verdict
    if verdict.outcome == "no-verdict":
        why = "" if report.error is None else f": {report.error.message}"
        yield Objection(name="no-verdict", message=f"no verdict was reached{why}")
    elif verdict.outcome == "different":
        holds = "no level" if verdict.level in (None, "none") else f"level {verdict.level}"
        message = f"{holds} holds, and {verdict.required} is required"
        yield Objection(name="different", message=message)


def _of_source(source: SourceCommit) -> Iterator[Objection]:
    if source.unknown is not None:
        yield Objection(name="unknown-source", message=source.unknown)
    if source.dirty:
        yield Objection(name="dirty-source", message="; ".join(source.dirty))
    if source.changed:
        yield Objection(name="changed-source", message="; ".join(source.changed))


def _of_tolerances(report: Report, today: date) -> Iterator[Objection]:
    for applied in report.tolerances:
        tolerance = applied.tolerance
        over = tolerance.expires is not None and tolerance.expires < today
        if applied.status == "expired" or (applied.status == "used" and over):
            message = f"the tolerance of {tolerance.described} ({tolerance.place}) expired on {tolerance.expires}"
            yield Objection(name="expired-tolerance", message=message)
