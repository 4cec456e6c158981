"""The explanation in the text report: what varies and what to change, the proof, and the risks that did not show."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from verifier.model.finding import Evidence, Explanation, Finding, Risk
from verifier.reports.escape import escape, shorten

_INSTRUCTIONS_SHOWN: Final = 4
_LINES_SHOWN: Final = 6
_REMEDY_WIDTH: Final = 64
_INSTRUCTION_WIDTH: Final = 72
_VALUE_WIDTH: Final = 40
_PATH_WIDTH: Final = 64
_RANK: Final = {"confirmed": 0, "proven": 1, "likely": 2, "possible": 3}


def proof_line(explanation: Explanation) -> str:
    """Say in one line how far the explanation reaches, and whether it was proven to leave nothing out."""
    of, left = explanation.of, len(explanation.residue)
    if left:
        noun = "difference" if of == 1 else "differences"
        return f"explained: {explanation.explained:,} of {of:,} {noun}; not explained: {left:,}"
    opaque = f", {explanation.opaque:,} of them by an opaque claim" if explanation.opaque else ""
    proof = "with these values replaced both sides have one digest" if explanation.equal else "not proven"
    whole = "the one difference" if of == 1 else f"all {of:,} differences"
    return f"explained: {whole}{opaque}; {proof}"


def cause_table(findings: Iterable[Finding]) -> str:
    """Say in a row a cause where it is, how far it goes, how sure it is, what to change; the most frequent first."""
    rows = []
    for cause, group in _by_cause(findings):
        lines = sorted({finding.instruction.line for finding in group if finding.instruction is not None})
        shown = ", ".join(str(line) for line in lines[:_LINES_SHOWN]) + (", …" if len(lines) > _LINES_SHOWN else "")
        paths = len({path for finding in group for path in finding.paths})
        rows.append((cause, shown, f"{paths:,}" if paths else "", _confidence(group), escape(group[0].remedy)))
    if not rows:
        return ""
    from tabulate import tabulate  # noqa: PLC0415  # not where nothing was found

    return tabulate(
        rows,
        headers=["cause", "line", "paths", "confidence", "remedy"],
        tablefmt="simple",
        disable_numparse=True,
        colalign=("left", "left", "right", "left", "left"),
        maxcolwidths=[None, None, None, None, _REMEDY_WIDTH],
    )


def finding_blocks(findings: Iterable[Finding]) -> Iterator[str]:
    """Give one block a cause: what it is, the instructions, and an example of what was seen."""
    for cause, group in _by_cause(findings):
        yield "\n".join(_finding_lines(cause, group))


def _by_cause(findings: Iterable[Finding]) -> list[tuple[str, list[Finding]]]:
    by_cause: dict[str, list[Finding]] = {}
    for finding in findings:
        by_cause.setdefault(finding.cause, []).append(finding)
    return sorted(by_cause.items(), key=lambda item: (-_differences(item[1]), item[0]))


def _differences(group: list[Finding]) -> int:
    return len({number for finding in group for number in finding.differences})


def _confidence(group: list[Finding]) -> str:
    """Name the weakest confidence of a cause's findings."""
    weakest = max((finding.confidence for finding in group), key=_RANK.__getitem__)
    return weakest + (", opaque" if any(finding.opaque for finding in group) else "")


def _finding_lines(cause: str, group: list[Finding]) -> Iterator[str]:
    count = _differences(group)
    yield f"{cause}: {escape(group[0].title)} ({count:,} difference{'' if count == 1 else 's'})"
    instructions = dict.fromkeys(finding.instruction for finding in group if finding.instruction is not None)
    for instruction in list(instructions)[:_INSTRUCTIONS_SHOWN]:
        yield f"    line {instruction.line}: {shorten(escape(instruction.text), _INSTRUCTION_WIDTH)}"
    if len(instructions) > _INSTRUCTIONS_SHOWN:
        yield f"    and {len(instructions) - _INSTRUCTIONS_SHOWN} more instructions"
    evidence = next((item for finding in group for item in finding.evidence), None)
    if evidence is not None:
        yield f"    {_evidence(evidence)}"


def _evidence(item: Evidence) -> str:
    inner = f" ({escape(item.inner)})" if item.inner else ""
    first, second = (shorten(escape(value or "-"), _VALUE_WIDTH) for value in (item.first, item.second))
    return f"such as {shorten(escape(item.path), _PATH_WIDTH)}{inner}: {first} | {second}"


def risk_block(risks: Iterable[Risk]) -> str:
    """List the causes that the Dockerfile's text has and that did not show this time, with their lines."""
    latent = [risk for risk in risks if risk.status == "latent" and risk.severity != "note"]
    if not latent:
        return ""
    lines = ["latent: nothing of this differed now, and may at another time (verify-build check tells more)"]
    for cause in dict.fromkeys(risk.cause for risk in latent):
        numbers = {risk.instruction.line for risk in latent if risk.cause == cause and risk.instruction is not None}
        where = ", ".join(str(number) for number in sorted(numbers))
        lines.append(f"    {cause}{f'  line {where}' if where else ''}")
    return "\n".join(lines)
