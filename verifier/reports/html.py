"""One HTML page that explains itself: one file, no network, readable without script, on a phone and printed.

The page is made by the template `page.html.j2`; here the report is put into the words and numbers that it shows.
Everything foreign is escaped twice: control characters become visible here, markup in the template.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any, Final

from verifier.model.difference import Difference, LayerPair
from verifier.model.finding import Finding
from verifier.model.instruction import Instruction
from verifier.model.report import (
    PlatformPair,
    Report,
    ReportedImage,
    ReportedLayer,
    Side,
    instruction_of,
    manifest_digest_of,
)
from verifier.reports.answer import answer, claim
from verifier.reports.escape import escape, escape_path
from verifier.reports.html_bytes import Sample, sample_of, shown_value

COLOURS: Final = 8
"""Causes are told apart by as many colours; each has its name beside it all the same."""

ROWS_IN_A_CHUNK: Final = 100
"""Rows that a browser lays out together, once they come into sight."""

UNEXPLAINED: Final = "unexplained"

Causes = Mapping[int, tuple[str, ...]]
"""The causes of each difference, by its position."""

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
        ladder=list(_ladder(report)),
        findings=[_finding(finding, colours) for finding in _ordered(report)],
        platforms=[_platform(report, pair, colours, causes) for pair in report.platforms],
        by_cause=_bars_by_cause(causes, colours),
        by_layer=_bars_by_layer(report, made_at),
        dockerfile=list(_dockerfile(report, colours)),
        chunks=_chunks(list(_rows(report, colours, causes, made_at))),
        causes=list(colours),
        latent=[risk for risk in report.risks if risk.status == "latent"],
        sides=[_side(side) for side in (report.first, report.second) if side is not None],
        named_alone=UNEXPLAINED,
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


def _ladder(report: Report) -> Iterator[dict[str, Any]]:
    """Show the digests of every level, strictest first, of each platform."""
    if report.first is None or report.second is None:
        return
    if report.index_equal is not None:
        yield _rung("index", "", report.first.index_digest, report.second.index_digest)
    for pair in report.platforms:
        name = pair.platform if len(report.platforms) > 1 else ""
        yield _rung(
            "manifest",
            name,
            manifest_digest_of(report.first, pair.first),
            manifest_digest_of(report.second, pair.second),
        )
        yield _rung("config", name, *(image.config_digest if image else None for image in (pair.first, pair.second)))
        first, second = (
            None if image is None else tuple(layer.diff_id for layer in image.layers)
            for image in (pair.first, pair.second)
        )
        total = max(len(first or ()), len(second or ()))
        same = sum(one == two for one, two in zip(first or (), second or (), strict=False))
        yield {
            "level": "layers",
            "platform": name,
            "equal": first == second,
            "first": f"{same} of {total} diff_ids are equal",
            "second": None,
            "known": True,
        }
        yield _files_rung(name, pair, follows=first == second)


def _files_rung(name: str, pair: PlatformPair, *, follows: bool) -> dict[str, Any]:
    one, two = (image.files_digest if image else None for image in (pair.first, pair.second))
    if one is None and two is None and follows:
        return {
            "level": "files",
            "platform": name,
            "equal": True,
            "first": "follows from equal layers",
            "second": None,
            "known": True,
        }
    return _rung("files", name, one, two)


def _rung(level: str, platform: str, first: str | None, second: str | None) -> dict[str, Any]:
    return {
        "level": level,
        "platform": platform,
        "equal": first == second and first is not None,
        "first": first,
        "second": None if first == second else second,
        "known": first is not None or second is not None,
    }


def _finding(finding: Finding, colours: Mapping[str, int]) -> dict[str, Any]:
    return {
        "cause": finding.cause,
        "colour": colours[finding.cause],
        "title": escape(finding.title),
        "confidence": finding.confidence + (", opaque" if finding.opaque else ""),
        "count": len(finding.differences),
        "line": None if finding.instruction is None else finding.instruction.line,
        "text": None if finding.instruction is None else escape(finding.instruction.text),
        "remedy": escape(finding.remedy),
        "paths": [escape_path(path) for path in finding.paths[:20]],
        "more_paths": max(0, len(finding.paths) - 20),
        "evidence": [
            {
                "path": escape(item.path),
                "inner": None if item.inner is None else escape(item.inner),
                "offset": item.offset,
                "first": escape(item.first or "-"),
                "second": escape(item.second or "-"),
            }
            for item in finding.evidence
        ],
    }


def _platform(report: Report, pair: PlatformPair, colours: Mapping[str, int], by_difference: Causes) -> dict[str, Any]:
    causes = _causes_by_layer(report, pair, by_difference)
    largest = max((layer.size for image in (pair.first, pair.second) if image for layer in image.layers), default=1)
    return {
        "name": pair.platform,
        "rows": [
            {
                "first": _layer(pair.first, layers.first, largest),
                "second": _layer(pair.second, layers.second, largest),
                "equal": _same(pair, layers),
                "causes": [
                    (cause, colours[cause]) for cause in sorted(causes.get(layers, ()), key=colours.__getitem__)
                ],
            }
            for layers in pair.layers
        ],
    }


def _causes_by_layer(report: Report, pair: PlatformPair, by_difference: Causes) -> dict[LayerPair, set[str]]:
    found: dict[LayerPair, set[str]] = {}
    for number, item in enumerate(report.differences):
        if item.layer is not None and (item.platform is None or str(item.platform) == pair.platform):
            found.setdefault(item.layer, set()).update(by_difference.get(number, (UNEXPLAINED,)))
    return found


def _causes_of(report: Report) -> dict[int, tuple[str, ...]]:
    """Gather the causes of each difference; what is left over counts as unexplained, too."""
    found: dict[int, set[str]] = {}
    for finding in _findings(report):
        for number in finding.differences:
            found.setdefault(number, set()).add(finding.cause)
    for number in _residue(report):
        found.setdefault(number, set()).add(UNEXPLAINED)
    return {number: tuple(sorted(causes)) for number, causes in found.items()}


def _layer(image: ReportedImage | None, number: int | None, largest: int) -> dict[str, Any] | None:
    if image is None or number is None:
        return None
    layer = image.layers[number]
    return {
        "number": number,
        "diff_id": layer.diff_id,
        "size": f"{layer.size:,}",
        "share": round(100 * layer.size / max(1, largest), 1),
        "line": None if layer.instruction is None else layer.instruction.line,
        "made_by": escape(_made_by(layer)),
        "base": layer.origin == "base",
        "rebuilt": layer.rebuilt,
    }


def _made_by(layer: ReportedLayer) -> str:
    return layer.created_by if layer.instruction is None else layer.instruction.text


def _same(pair: PlatformPair, layers: LayerPair) -> bool:
    if pair.first is None or pair.second is None or layers.first is None or layers.second is None:
        return False
    return pair.first.layers[layers.first].diff_id == pair.second.layers[layers.second].diff_id


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
    ordered = sorted(counts.items(), key=lambda each: (-each[1], each[0]))[:12]
    return _bars([(escape(label), count, f"{count:,}", COLOURS) for label, count in ordered])


def _bars(rows: Sequence[tuple[str, int, str, int]]) -> list[Bar]:
    longest = max((count for _, count, _, _ in rows), default=1) or 1
    return [
        Bar(label=label, value=value, share=round(count / longest, 4), colour=colour)
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
    latent: dict[int, list[str]] = {}
    for risk in report.risks:
        line = risk.line or (risk.instruction.line if risk.instruction else None)
        if risk.status == "latent" and line is not None:
            latent.setdefault(line, []).append(risk.cause)
    for number, text in enumerate(report.inputs.dockerfile_text.rstrip("\n").split("\n"), start=1):
        yield {
            "number": number,
            "text": escape(text.rstrip("\r")),
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
        "started": None if side.started is None else side.started.isoformat(timespec="seconds"),
        "seconds": side.seconds,
    }
