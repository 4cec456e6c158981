"""The answer in one line, and the claim that was put to the test: what every report for people begins with."""

from __future__ import annotations

from verifier.model.report import Report, Side


def answer(report: Report) -> str:
    """Say what came out, and how far it is explained; nothing in it is escaped."""
    verdict = report.verdict
    if report.error is not None:
        return "no verdict"
    if not report.differences:
        return "reproducible" if verdict.exit_code == 0 else "not reproducible"
    word = {"reproducible": "reproducible as required", "tolerated": "reproducible but for what is tolerated"}
    return f"{word.get(verdict.outcome, 'not reproducible')}: {_extent(report)}"


def _extent(report: Report) -> str:
    of = len(report.differences)
    noun = f"difference{'' if of == 1 else 's'}"
    explanation = report.explanation
    if explanation is None:
        return f"{of:,} {noun}"
    number = len({finding.cause for finding in explanation.findings})
    causes = f"{number} cause{'' if number == 1 else 's'}"
    if explanation.explained == of:
        whole = "the one" if of == 1 else f"all {of:,}"
        return f"{causes} explain{'s' if number == 1 else ''} {whole} {noun}"
    if not number:
        return f"no cause explains the {of:,} {noun}"
    return f"{causes} explain{'s' if number == 1 else ''} {explanation.explained:,} of {of:,} {noun}"


def claim(report: Report) -> str:
    """Say what was claimed; nothing in it is escaped."""
    inputs = report.inputs
    if inputs is None:
        return f"{_reference(report.first)} and {_reference(report.second)} are one image"
    if report.first is not None and report.first.builder is None:
        return f"{inputs.dockerfile_path} builds {_reference(report.first)}"
    times = "twice" if inputs.builds_run == 2 else f"{inputs.builds_run} times"
    varied = ", varied on purpose" if inputs.varied else ""
    return f"{inputs.dockerfile_path}, built {times}{varied}, gives one digest"


def _reference(side: Side | None) -> str:
    return "" if side is None else side.reference
