"""Markdown for a pull request's comment or a job's summary: the verdict first, the causes, the rest folded.

Stays under the size that hosts take for a comment. Foreign text stands as character references inside code, where
neither Markdown nor HTML nor a mention means anything.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from verifier.model.difference import Difference
from verifier.model.finding import Finding
from verifier.model.instruction import Instruction
from verifier.model.report import PlatformPair, Report, manifest_digest_of
from verifier.reports.answer import answer, claim
from verifier.reports.check_form import CheckReport
from verifier.reports.escape import escape, escape_path, shorten
from verifier.reports.findings import by_cause, confidence_of, left_over
from verifier.reports.notices import notices_of_check

MAX_CHARACTERS: Final = 60_000
"""Of one comment; GitHub takes 65,536."""

_ROWS: Final = 50
_WIDTH: Final = 100
_LINES_SHOWN: Final = 12
_STRUCTURE: Final = frozenset("\\`*_{}[]<>#+!|~&@:\"'$=^")
_MARKS: Final = {"reproducible": "✅", "tolerated": "✅", "different": "❌", "no-verdict": "⚠️"}


def render_markdown(report: Report) -> str:
    """Render a verification or a comparison."""
    mark = _MARKS[report.verdict.outcome]
    blocks = [f"### {mark} verify-build: {_text(answer(report))}", _claim_line(report)]
    if report.error is not None and report.error.hint:
        blocks.append(f"Hint: {_code(report.error.hint)}")
    if report.explanation is not None:
        blocks.append(_table(("cause", "line", "paths", "confidence", "remedy"), _cause_rows(report)))
    blocks += _folded_blocks(report)
    return _bounded(blocks)


def render_check_markdown(report: CheckReport) -> str:
    """Render a check."""
    number = len(report.to_mend)
    verdict = f"{number} to mend" if number else "nothing to mend"
    mark = _MARKS["different" if number else "reproducible"]
    rows = [
        (_code(notice.rule), str(notice.line or ""), _code(shorten(notice.message, 2 * _WIDTH)), _text(notice.remedy))
        for notice in notices_of_check(report)
    ]
    blocks = [
        f"### {mark} verify-build check: {verdict}",
        _code(report.dockerfile_path),
        _table(("cause", "line", "why", "remedy"), rows),
    ]
    return _bounded(blocks)


def _claim_line(report: Report) -> str:
    if report.error is not None:
        return _code(report.error.message)
    holds = "does not hold" if report.verdict.exit_code else "holds"
    return (
        f"{_code(claim(report))}: **{holds}**. Level {_code(str(report.verdict.level))}, required "
        f"{_code(report.verdict.required)}."
    )


def _cause_rows(report: Report) -> list[tuple[str, ...]]:
    """Give each cause one row, with all its lines: a host shows what is short."""
    findings: Sequence[Finding] = () if report.explanation is None else report.explanation.findings
    return [
        (_code(cause), _lines(group), _paths(group), confidence_of(group), _text(group[0].remedy))
        for cause, group in by_cause(findings)
    ]


def _lines(group: Sequence[Finding]) -> str:
    lines = sorted({finding.instruction.line for finding in group if finding.instruction is not None})
    more = f" and {len(lines) - _LINES_SHOWN} more" if len(lines) > _LINES_SHOWN else ""
    return ", ".join(map(str, lines[:_LINES_SHOWN])) + more


def _paths(group: Sequence[Finding]) -> str:
    paths = sorted({path for finding in group for path in finding.paths})
    if not paths:
        return ""
    first = _code(shorten(escape_path(paths[0]), _WIDTH))
    return first if len(paths) == 1 else f"{len(paths):,}, such as {first}"


def _folded_blocks(report: Report) -> Iterator[str]:
    residue = list(left_over(report))
    if residue:
        yield _folded(f"{len(residue):,} not explained", _table(("field", "path", "made by"), _residue_rows(residue)))
    for pair in report.platforms:
        yield _folded(f"Digests ({pair.platform})", _table(("level", "", "digest"), _digest_rows(report, pair)))
    latent = [risk for risk in report.risks if risk.status == "latent"]
    if latent:
        rows = [
            (_code(risk.cause), _line(risk.line, risk.instruction), _code(shorten(risk.message, 2 * _WIDTH)))
            for risk in latent
        ]
        table = _table(("cause", "line", "why"), rows)
        yield _folded(f"{len(latent):,} latent: nothing of this differed now, and may at another time", table)
    if report.notes:
        yield _folded("Notes", "\n".join(f"- {_code(note)}" for note in report.notes[:_ROWS]))


def _residue_rows(residue: Sequence[tuple[Difference, Instruction | None]]) -> list[tuple[str, ...]]:
    rows = []
    for item, instruction in residue[:_ROWS]:
        made_by = "" if instruction is None else f"line {instruction.line}: {shorten(instruction.text, _WIDTH)}"
        path = "" if item.path is None else _code(shorten(escape_path(item.path), _WIDTH))
        rows.append((_code(item.field), path, _code(made_by)))
    return rows + _more(len(residue), 3)


def _digest_rows(report: Report, pair: PlatformPair) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    if report.index_equal is not None and report.first is not None and report.second is not None:
        rows += _digests("index", report.first.index_digest, report.second.index_digest)
    rows += _digests(
        "manifest", manifest_digest_of(report.first, pair.first), manifest_digest_of(report.second, pair.second)
    )
    one, two = pair.first, pair.second
    rows += _digests("config", one.config_digest if one else None, two.config_digest if two else None)
    for layers in pair.layers[:_ROWS]:
        first, second = (
            None if image is None or number is None else image.layers[number].diff_id
            for image, number in ((one, layers.first), (two, layers.second))
        )
        number = layers.first if layers.first is not None else layers.second
        rows += _digests(f"layer {number} (diff_id)", first, second)
    return rows + _more(len(pair.layers), 3)


def _digests(level: str, first: str | None, second: str | None) -> list[tuple[str, ...]]:
    if first == second:
        return [(level, "equal", _code(first or "-"))]
    return [(level, "first", _code(first or "-")), ("", "second", _code(second or "-"))]


def _more(total: int, columns: int) -> list[tuple[str, ...]]:
    hidden = total - _ROWS
    return [(f"… {hidden:,} more", *[""] * (columns - 1))] if hidden > 0 else []


def _line(line: int | None, instruction: Instruction | None) -> str:
    return str(line or (instruction.line if instruction else ""))


def _table(headers: Sequence[str], rows: Sequence[tuple[str, ...]]) -> str:
    if not rows:
        return ""
    lines = ["| " + " | ".join(headers) + " |", "|" + " --- |" * len(headers)]
    lines += ["| " + " | ".join(row) + " |" for row in rows[: _ROWS + 1]]
    return "\n".join(lines)


def _folded(title: str, text: str) -> str:
    return f"<details><summary>{_text(title)}</summary>\n\n{text}\n\n</details>"


def _code(text: str) -> str:
    """Show foreign text as it is, whatever it holds: hosts look for no mentions within code."""
    return f"<code>{_text(text)}</code>" if text else ""


def _text(text: str) -> str:
    """Show text that means nothing to Markdown or HTML."""
    shown = "".join(f"&#{ord(one)};" if one in _STRUCTURE else one for one in escape(text))
    return shown.replace("www.", "www&#46;")


def _bounded(blocks: Iterable[str]) -> str:
    """Join blocks while there is room; what is left out is said."""
    said = "\n\nMore than fits here is left out: see the whole report."
    text = ""
    for block in blocks:
        if not block:
            continue
        joined = f"{text}\n\n{block}" if text else block
        if len(joined) + len(said) > MAX_CHARACTERS:
            return text + said + "\n"
        text = joined
    return text + "\n"
