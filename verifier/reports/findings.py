"""The explanation in the text report: what varies and what to change, the proof, and the risks that did not show."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from verifier.model.difference import Difference
from verifier.model.finding import Evidence, Explanation, Finding, Risk
from verifier.model.instruction import Instruction
from verifier.model.report import Report, instruction_of
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
    for cause, group in by_cause(findings):
        lines = sorted({finding.instruction.line for finding in group if finding.instruction is not None})
        shown = ", ".join(str(line) for line in lines[:_LINES_SHOWN]) + (", …" if len(lines) > _LINES_SHOWN else "")
        paths = len({path for finding in group for path in finding.paths})
        rows.append((cause, shown, f"{paths:,}" if paths else "", confidence_of(group), escape(group[0].remedy)))
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


def left_over(report: Report) -> Iterator[tuple[Difference, Instruction | None]]:
    """Give each difference that no cause explains with the instruction behind it, which may be in another stage."""
    if report.explanation is None:
        yield from ((item, instruction_of(item, report.platforms)) for item in report.differences)
        return
    for left in report.explanation.residue:
        item = report.differences[left.difference]
        yield item, left.instruction or instruction_of(item, report.platforms)


def finding_blocks(findings: Iterable[Finding]) -> Iterator[str]:
    """Give one block a cause: what it is, the instructions, and an example of what was seen."""
    for cause, group in by_cause(findings):
        yield "\n".join(_finding_lines(cause, group))


def by_cause(findings: Iterable[Finding]) -> list[tuple[str, list[Finding]]]:
    """Gather findings under their causes, the most frequent cause first."""
    grouped: dict[str, list[Finding]] = {}
    for finding in findings:
        grouped.setdefault(finding.cause, []).append(finding)
    return sorted(grouped.items(), key=lambda item: (-count_differences(item[1]), item[0]))


def count_differences(group: Iterable[Finding]) -> int:
    """Count the differences that findings have a part in, each once."""
    return len({number for finding in group for number in finding.differences})


def confidence_of(group: Sequence[Finding]) -> str:
    """Name the weakest confidence of a cause's findings."""
    weakest = max((finding.confidence for finding in group), key=_RANK.__getitem__)
    return weakest + (", opaque" if any(finding.opaque for finding in group) else "")


def _finding_lines(cause: str, group: list[Finding]) -> Iterator[str]:
    count = count_differences(group)
    yield f"{cause}: {escape(group[0].title)} ({count:,} difference{'' if count == 1 else 's'})"
    instructions = dict.fromkeys(finding.instruction for finding in group if finding.instruction is not None)
    for instruction in list(instructions)[:_INSTRUCTIONS_SHOWN]:
        yield f"    line {instruction.line}: {shorten(escape(instruction.text), _INSTRUCTION_WIDTH)}"
    more = len(instructions) - _INSTRUCTIONS_SHOWN
    if more > 0:
        yield f"    and {more} more instruction{'' if more == 1 else 's'}"
    evidence = next((item for finding in group for item in finding.evidence), None)
    if evidence is not None:
        yield f"    {_evidence(evidence)}"


def _evidence(item: Evidence) -> str:
    inner = f" ({escape(item.inner)})" if item.inner else ""
    first, second = (shorten(escape(value or "-"), _VALUE_WIDTH) for value in (item.first, item.second))
    values = f"{first}, another on each side" if first == second else f"{first} | {second}"
    return f"such as {shorten(escape(item.path), _PATH_WIDTH)}{inner}: {values}"


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
