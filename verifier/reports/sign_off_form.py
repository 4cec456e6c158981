"""What a release manager keeps of a sign-off: one HTML page to read and to print, and lines for a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from importlib import resources
from typing import Any, Final

from verifier.model.finding import Risk
from verifier.model.report import PlatformPair, Report, Side
from verifier.model.sign_off import SignedOff, SignOff
from verifier.model.variation import FACTORS
from verifier.reports.answer import answer, claim
from verifier.reports.escape import escape

_ONE_MACHINE: Final = (
    "The builds ran on one machine, soon after each other: no other kernel, processor or date was tried."
)
_ONE_BUILD: Final = "One build was made here, and held against what existed."


def render_sign_off_html(sign_off: SignOff) -> str:
    """Render the page: one file, no script, no network. A browser prints it to PDF."""
    import jinja2  # noqa: PLC0415  # takes long to import

    environment = jinja2.Environment(
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["text"] = escape
    report = sign_off.report
    inputs = report.inputs
    return environment.from_string(_resource("sign_off.html.j2")).render(
        style=_resource("page.css"),
        sign_off=sign_off,
        report=report,
        inputs=inputs,
        headline=headline(sign_off),
        claim=escape(claim(report)),
        answer=answer(report),
        signed=_time(sign_off.signed),
        sides=[_side(name, side, report) for name, side in _sides(report)],
        varied=() if inputs is None else inputs.varied,
        not_varied=() if inputs is None else [each for each in FACTORS if each not in inputs.varied],
        left_out=() if report.variation is None else report.variation.left_out,
        always=_never_varied(report),
        platforms=report.platforms,
        tolerances=[_tolerance(sign_off, number) for number in range(len(report.tolerances))],
        unexplained=_unexplained(report),
        risks=[_risk(risk) for risk in report.risks if risk.status != "refuted"],
    )


def headline(sign_off: SignOff) -> str:
    """Say the outcome in one line; what was signed in spite of stands in it by name."""
    verdict = sign_off.report.verdict
    if sign_off.refused:
        return f"NOT SIGNED OFF: {', '.join(dict.fromkeys(item.name for item in sign_off.refused))}"
    without = " WITHOUT A KEY" if sign_off.key is None else ""
    if sign_off.exceptions:
        names = ", ".join(dict.fromkeys(item.name for item in sign_off.exceptions))
        return f"SIGNED OFF{without} IN SPITE OF {names}: level {verdict.level}, required {verdict.required}"
    return f"SIGNED OFF{without}: level {verdict.level} holds, {verdict.required} was required"


def render_sign_off_text(signed: SignedOff, folder: str | None) -> str:
    """Render the outcome for a terminal: the first line says it all."""
    made = signed.sign_off
    lines = [headline(made)]
    lines += [f"    {item.name}: {escape(item.message)}" for item in (*made.refused, *made.exceptions)]
    if made.refused:
        allow = ",".join(dict.fromkeys(item.name for item in made.refused))
        lines.append(f"    nothing was written; to sign in spite of it: --allow {allow}")
        return "\n".join(lines) + "\n"
    lines += ["", f"signer   {escape(made.signer)}", f"signed   {_time(made.signed)}"]
    lines.append(f"source   {', '.join(dict.fromkeys((made.source.commit or 'unknown', made.source.state)))}")
    lines += [f"subject  {escape(item.name)}@{item.digest} ({item.kind})" for item in made.subjects]
    lines.append(f"report   {made.report_digest}")
    lines.append(f"key      {made.key or 'none: the statements are not signed'}")
    lines += [f"wrote    {escape(f'{folder}/{file.name}')}" for file in signed.files if folder is not None]
    lines += [f"attached {escape(place)}" for place in signed.attached]
    return "\n".join(lines) + "\n"


def _never_varied(report: Report) -> str | None:
    if report.inputs is None:
        return None
    return _ONE_MACHINE if report.first is not None and report.first.builder is not None else _ONE_BUILD


def _resource(name: str) -> str:
    return resources.files("verifier.reports").joinpath("page", name).read_text("utf-8")


def _time(moment: datetime | None) -> str:
    return "-" if moment is None else moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def _sides(report: Report) -> Iterator[tuple[str, Side]]:
    for name, side in (("first", report.first), ("second", report.second)):
        if side is not None:
            yield name, side


def _side(name: str, side: Side, report: Report) -> dict[str, Any]:
    builder = side.builder
    made_by = "not built here" if builder is None else f"{builder.name} {escape(builder.version)}"
    return {
        "name": name,
        "made_by": made_by,
        "options": " ".join(escape(option) for option in side.options),
        "reference": escape(side.reference),
        "started": _time(side.started),
        "finished": _time(side.finished),
        "digests": list(_digests(side, name, report.platforms)),
    }


def _digests(side: Side, name: str, platforms: tuple[PlatformPair, ...]) -> Iterator[tuple[str, str]]:
    if side.expected is not None:
        yield "expected", side.expected
    if side.index_digest is not None:
        yield "index", side.index_digest
    for pair in platforms:
        image = pair.first if name == "first" else pair.second
        if image is None:
            continue
        suffix = f" {pair.platform}" if len(platforms) > 1 else ""
        for level, digest in (
            ("manifest", image.manifest_digest),
            ("config", image.config_digest),
            ("files", image.files_digest),
        ):
            if digest is not None:
                yield f"{level}{escape(suffix)}", digest


def _tolerance(sign_off: SignOff, number: int) -> dict[str, Any]:
    applied = sign_off.report.tolerances[number]
    tolerance = applied.tolerance
    return {
        "what": escape(tolerance.described),
        "reason": escape(tolerance.reason),
        "expires": "never" if tolerance.expires is None else tolerance.expires.isoformat(),
        "status": applied.status,
        "count": len(applied.differences),
        "place": escape(tolerance.place),
    }


def _unexplained(report: Report) -> int:
    return len(report.differences) if report.explanation is None else len(report.explanation.residue)


def _risk(risk: Risk) -> dict[str, Any]:
    line = risk.line or (None if risk.instruction is None else risk.instruction.line)
    return {"cause": risk.cause, "status": risk.status, "line": line, "message": escape(risk.message)}
