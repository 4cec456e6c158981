"""The report for a person at a terminal: the answer and what to change first, then the facts that it rests on."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Final

from verifier.model.difference import ContentDifference, Difference, FieldValue
from verifier.model.finding import Residue
from verifier.model.instruction import Instruction
from verifier.model.report import Report, instruction_of
from verifier.reports.answer import answer, claim
from verifier.reports.escape import escape, escape_path, shorten
from verifier.reports.findings import cause_table, finding_blocks, proof_line, risk_block
from verifier.reports.further import further_blocks
from verifier.reports.groups import Group, group_differences
from verifier.reports.tables import INSTRUCTION_WIDTH, NOTHING, digest_table, layer_table, position

_GROUPS_SHOWN: Final = 12
_EXAMPLES_SHOWN: Final = 2
_LEFT_SHOWN: Final = 5
_VALUE_WIDTH: Final = 48
_PATH_WIDTH: Final = 96
_INDENT: Final = "    "

Left = dict[int, Residue]
"""What is said of a difference that nothing explains, by its object's identity."""


def render_text(report: Report, *, verbose: bool = False) -> str:
    """Render `report`; never thousands of lines unless `verbose`."""
    blocks = [_headline(report)]
    if report.first is not None and report.second is not None:
        findings = () if report.explanation is None else report.explanation.findings
        blocks.append(cause_table(findings))
        blocks += _unexplained_blocks(report, verbose=verbose)
        blocks.append(risk_block(report.risks))
        for pair in report.platforms:
            blocks += [digest_table(report, pair), layer_table(report, pair)]
        blocks += finding_blocks(findings)
        if report.explanation is not None and report.differences:
            blocks.append(proof_line(report.explanation))
        blocks += further_blocks(report)
        if verbose and report.differences:
            blocks.append(_every_difference(report))
        elif report.differences:
            blocks.append("every difference: --verbose, or --report json=PATH; as a page: --report html=PATH")
    blocks.append("\n".join(f"note: {escape(note)}" for note in report.notes))
    return "\n\n".join(block for block in blocks if block) + "\n"


def _unexplained_blocks(report: Report, *, verbose: bool) -> Iterator[str]:
    """Show what the findings leave unexplained; with `verbose` it stands among all differences."""
    if report.unexplained and not verbose:
        yield _grouped(
            report, report.unexplained, "difference" if report.explanation is None else "unexplained difference"
        )


def _headline(report: Report) -> str:
    verdict = report.verdict
    if report.error is not None:
        subject = "" if report.inputs is None else f"{escape(report.inputs.dockerfile_path)}: "
        return f"no verdict: {subject}{escape(report.error.message)}"
    holds = "does not hold" if verdict.exit_code else "holds"
    return f"{answer(report)}\n{escape(claim(report))}: {holds}; level {verdict.level}, required {verdict.required}"


def _grouped(report: Report, differences: Sequence[Difference], noun: str) -> str:
    groups, left = group_differences(differences), _left(report)
    lines = [f"{_count(len(differences), noun)} in {_count(len(groups), 'group')}"]
    for group in groups[:_GROUPS_SHOWN]:
        lines += ["", *_group_lines(report, group, left)]
    hidden = sum(len(group.differences) for group in groups[_GROUPS_SHOWN:])
    if hidden:
        lines += ["", f"… and {hidden:,} more in {_count(len(groups) - _GROUPS_SHOWN, 'smaller group')}"]
    return "\n".join(lines)


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _group_lines(report: Report, group: Group, left: Left) -> Iterator[str]:
    yield f"{len(group.differences):,} {escape(group.field)} in {_where(report, group.differences[0])}"
    shown = _LEFT_SHOWN if left else _EXAMPLES_SHOWN
    for item in group.differences[:shown]:
        yield from _difference_lines(item)
        yield from _left_lines(report, item, left)
    more = len(group.differences) - shown
    if more > 0:
        yield f"{_INDENT}… {more:,} more"


def _left(report: Report) -> Left:
    residue = () if report.explanation is None else report.explanation.residue
    return {id(report.differences[item.difference]): item for item in residue}


def _left_lines(report: Report, item: Difference, left: Left) -> Iterator[str]:
    """Say what a difference was tried for and is not, where it is left unexplained."""
    residue = left.get(id(item))
    if residue is None:
        return
    if residue.instruction is not None and residue.instruction != instruction_of(item, report.platforms):
        yield f"{_INDENT}  made at line {residue.instruction.line}: {_shown(residue.instruction)}"
    if residue.ruled_out:
        yield f"{_INDENT}  tried: {escape('; '.join(residue.ruled_out))}"
    if residue.alike:
        yield f"{_INDENT}  the same but for {escape(' or '.join(residue.alike))}"


def _every_difference(report: Report) -> str:
    left = _left(report)
    lines = [_count(len(report.differences), "difference")]
    for item in report.differences:
        hidden = "" if item.visible else " (hidden by a later layer)"
        lines.append(f"{escape(item.field)} in {_where(report, item)}{hidden}")
        lines += _difference_lines(item)
        lines += _left_lines(report, item, left)
    return "\n".join(lines)


def _where(report: Report, item: Difference) -> str:
    platform = f"{item.platform} " if item.platform is not None and len(report.platforms) > 1 else ""
    if item.layer is None:
        return f"{platform}the {item.part}"
    instruction = instruction_of(item, report.platforms)
    made_by = "" if instruction is None else f" (line {instruction.line}: {_shown(instruction)})"
    return f"{platform}layer {position(item.layer)}{made_by}"


def _shown(instruction: Instruction) -> str:
    return shorten(escape(instruction.text), INSTRUCTION_WIDTH)


def _difference_lines(item: Difference) -> Iterator[str]:
    name = escape(item.field) if item.path is None else escape_path(item.path)
    occurrence = f" (occurrence {item.occurrence + 1})" if item.occurrence else ""
    yield f"{_INDENT}{shorten(name, _PATH_WIDTH)}{occurrence}"
    if item.content is None:
        yield f"{_INDENT}  {_value(item.first)} | {_value(item.second)}"
    else:
        yield from _content_lines(item.content)


def _content_lines(content: ContentDifference) -> Iterator[str]:
    kinds = sorted({content.type_first, content.type_second})
    yield f"{_INDENT}  {escape(' | '.join(kinds))}, {content.size_first:,} | {content.size_second:,} bytes"
    for region in content.regions[:1]:
        first = _sample(region.sample_first, region.offset_first - region.sample_offset_first)
        second = _sample(region.sample_second, region.offset_second - region.sample_offset_second)
        yield f"{_INDENT}  from byte {region.offset_first:,}: {first} | {second}"


def _sample(sample: bytes, skip: int) -> str:
    """Show the first differing bytes: as text with the little before that makes it readable, else in hexadecimal."""
    text = sample[max(0, skip - 12) : skip + 24]
    if text and all(32 <= byte < 127 or byte in b"\n\t\r" for byte in text):
        return f'"{escape(text.decode("ascii"))}"'
    return sample[skip : skip + 12].hex(" ") or "(end)"


def _value(value: FieldValue) -> str:
    if value is None:
        return NOTHING
    return shorten(escape(value if isinstance(value, str) else json.dumps(value)), _VALUE_WIDTH)
