"""One HTML page that explains itself: one file, no network, readable without script, on a phone and printed.

The page is made by the template `page.html.j2`; here the report is put into the words and numbers that it shows.
Everything foreign is escaped twice: control characters become visible here, markup in the template.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC
from importlib import resources
from typing import Any, Final

from verifier.model.difference import Difference, LayerPair
from verifier.model.finding import Finding
from verifier.model.instruction import Instruction
from verifier.model.report import Report, Side, instruction_of
from verifier.reports.answer import answer, claim
from verifier.reports.escape import escape, escape_path, shorten
from verifier.reports.findings import left_over, proof_line
from verifier.reports.html_bytes import Sample, sample_of, shown_value
from verifier.reports.html_causes import cause_cards, unexplained_card
from verifier.reports.html_images import Causes, ladder, platform_layers
from verifier.reports.notices import UNEXPLAINED

COLOURS: Final = 8
"""Causes are told apart by as many colours; each has its name beside it all the same."""

ROWS_IN_A_CHUNK: Final = 100
"""Rows that a browser lays out together, once they come into sight."""

CHUNKS_PRINTED: Final = 1
"""How much of the table goes to paper: ten thousand rows would be a thousand pages."""

_BARS_SHOWN: Final = 12
_PLAIN: Final = COLOURS + 1
"""The colour of what is no cause."""

_LABEL_WIDTH: Final = 52

MadeAt = Mapping[int, Instruction]
"""The instruction behind each difference, by its position."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One bar of a picture: `share` of the longest, from 0 to 1."""

    label: str
    value: str
    share: float
    colour: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One difference as the table shows it; `causes` are names with their colours."""

    number: int
    where: str
    field: str
    layer: str
    line: int | None
    causes: tuple[tuple[str, int], ...]
    first: str
    second: str
    sample: Sample | None
    hidden: bool


def render_html(report: Report) -> str:
    """Render a verification or a comparison as one page."""
    import jinja2  # noqa: PLC0415  # takes long to import

    environment = jinja2.Environment(
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["text"] = escape
    template = environment.from_string(_resource("page.html.j2"))
    colours, causes, made_at = _colours(report), _causes_of(report), _made_at(report)
    return template.render(
        style=_resource("page.css"),
        script=_resource("page.js"),
        report=report,
        title=escape(claim(report)) if report.error is None else "no verdict",
        answer=answer(report),
        ladder=list(ladder(report)),
        cards=cause_cards(_findings(report), colours),
        unexplained=unexplained_card(report),
        platforms=[platform_layers(report, pair, colours, causes) for pair in report.platforms],
        by_cause=_bars_by_cause(causes, colours),
        by_layer=_bars_by_layer(report, made_at),
        dockerfile=list(_dockerfile(report, colours)),
        chunks=_chunks(list(_rows(report, colours, causes, made_at))),
        causes=list(colours),
        latent=[risk for risk in report.risks if risk.status == "latent"],
        sides=[_side(side) for side in (report.first, report.second) if side is not None],
        printed=CHUNKS_PRINTED * ROWS_IN_A_CHUNK,
        proof="" if report.explanation is None else proof_line(report.explanation),
    )


def _resource(name: str) -> str:
    return resources.files("verifier.reports").joinpath("page", name).read_text("utf-8")


def _colours(report: Report) -> dict[str, int]:
    """Give each cause a colour, the most frequent first; what no cause explains has the last."""
    counts = Counter(
        {finding.cause: 0 for finding in _findings(report)},
    )
    for finding in _findings(report):
        counts[finding.cause] += len(finding.differences)
    ordered = [cause for cause, _ in sorted(counts.items(), key=lambda item: (-item[1], item[0]))]
    colours = {cause: number % COLOURS for number, cause in enumerate(ordered)}
    if _residue(report):
        colours[UNEXPLAINED] = COLOURS
    return colours


def _findings(report: Report) -> Sequence[Finding]:
    return () if report.explanation is None else report.explanation.findings


def _ordered(report: Report) -> list[Finding]:
    return sorted(_findings(report), key=lambda item: (-len(item.differences), item.cause))


def _residue(report: Report) -> frozenset[int]:
    if report.explanation is None:
        return frozenset(range(len(report.differences)))
    return frozenset(item.difference for item in report.explanation.residue)


def _causes_of(report: Report) -> dict[int, tuple[str, ...]]:
    """Gather the causes of each difference; what is left over counts as unexplained, too."""
    found: dict[int, set[str]] = {}
    for finding in _findings(report):
        for number in finding.differences:
            found.setdefault(number, set()).add(finding.cause)
    for number in _residue(report):
        found.setdefault(number, set()).add(UNEXPLAINED)
    return {number: tuple(sorted(causes)) for number, causes in found.items()}


def _bars_by_cause(by_difference: Causes, colours: Mapping[str, int]) -> list[Bar]:
    counts: Counter[str] = Counter()
    for causes in by_difference.values():
        counts.update(causes)
    return _bars([(cause, counts[cause], f"{counts[cause]:,}", colour) for cause, colour in colours.items()])


def _bars_by_layer(report: Report, made_at: MadeAt) -> list[Bar]:
    """Count differences by the instruction behind them."""
    counts: Counter[str] = Counter()
    for number, item in enumerate(report.differences):
        counts[_place(item, made_at.get(number))] += 1
    ordered = sorted(counts.items(), key=lambda each: (-each[1], each[0]))[:_BARS_SHOWN]
    return _bars([(escape(label, backslashes=False), count, f"{count:,}", _PLAIN) for label, count in ordered])


def _bars(rows: Sequence[tuple[str, int, str, int]]) -> list[Bar]:
    longest = max((count for _, count, _, _ in rows), default=1) or 1
    return [
        Bar(label=shorten(label, _LABEL_WIDTH), value=value, share=round(count / longest, 4), colour=colour)
        for label, count, value, colour in rows
    ]


def _place(item: Difference, instruction: Instruction | None) -> str:
    if item.layer is None:
        return f"the {item.part}"
    number = item.layer.first if item.layer.first is not None else item.layer.second
    return f"layer {number}" if instruction is None else f"line {instruction.line}: {instruction.text}"


def _dockerfile(report: Report, colours: Mapping[str, int]) -> Iterator[dict[str, Any]]:
    """Walk the Dockerfile's lines with the findings and the latent risks that stand at each."""
    if report.inputs is None:
        return
    marks: dict[int, list[tuple[str, int]]] = {}
    for finding in _ordered(report):
        _mark(marks, finding.instruction, (finding.cause, colours[finding.cause]))
    for _, instruction in left_over(report) if UNEXPLAINED in colours else ():
        _mark(marks, instruction, (UNEXPLAINED, colours[UNEXPLAINED]))
    latent: dict[int, list[str]] = {}
    for risk in report.risks:
        line = risk.line or (risk.instruction.line if risk.instruction else None)
        if risk.status == "latent" and line is not None:
            latent.setdefault(line, []).append(risk.cause)
    for number, text in enumerate(report.inputs.dockerfile_text.rstrip("\n").split("\n"), start=1):
        yield {
            "number": number,
            "text": escape(text.rstrip("\r").expandtabs(4), backslashes=False),
            "marks": list(dict.fromkeys(marks.get(number, []))),
            "latent": list(dict.fromkeys(latent.get(number, []))),
        }


def _mark(marks: dict[int, list[tuple[str, int]]], instruction: Instruction | None, mark: tuple[str, int]) -> None:
    if instruction is not None:
        marks.setdefault(instruction.line, []).append(mark)


def _made_at(report: Report) -> dict[int, Instruction]:
    """Find the instruction behind each difference: the findings', which may be in another stage than the layer's."""
    found = {}
    for number, item in enumerate(report.differences):
        instruction = instruction_of(item, report.platforms)
        if instruction is not None:
            found[number] = instruction
    for left in () if report.explanation is None else report.explanation.residue:
        if left.instruction is not None:
            found[left.difference] = left.instruction
    for finding in _findings(report):
        if finding.instruction is not None:
            found |= dict.fromkeys(finding.differences, finding.instruction)
    return found


def _rows(report: Report, colours: Mapping[str, int], causes: Causes, made_at: MadeAt) -> Iterator[Row]:
    for number, item in enumerate(report.differences):
        instruction = made_at.get(number)
        where = item.field if item.path is None else escape_path(item.path)
        yield Row(
            number=number,
            where=escape(where) if item.path is None else where,
            field=escape(item.field) if item.path is not None else item.part,
            layer="" if item.layer is None else _position(item.layer),
            line=None if instruction is None else instruction.line,
            causes=tuple((cause, colours[cause]) for cause in causes.get(number, ())),
            first=shown_value(item.first),
            second=shown_value(item.second),
            sample=None if item.content is None else sample_of(item.content),
            hidden=not item.visible,
        )


def _position(layers: LayerPair) -> str:
    if layers.first == layers.second:
        return str(layers.first)
    return "/".join("-" if number is None else str(number) for number in (layers.first, layers.second))


def _chunks(rows: list[Row]) -> list[list[Row]]:
    return [rows[start : start + ROWS_IN_A_CHUNK] for start in range(0, len(rows), ROWS_IN_A_CHUNK)]


def _side(side: Side) -> dict[str, Any]:
    return {
        "reference": escape(side.reference),
        "builder": None if side.builder is None else f"{side.builder.name} {escape(side.builder.version)}",
        "options": [escape(option) for option in side.options],
        "started": None if side.started is None else f"{side.started.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC",
        "seconds": side.seconds,
    }
