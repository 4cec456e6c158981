"""Render a report. Every format is a pure function of the report: no clock, locale, terminal or environment."""

from __future__ import annotations

from typing import Final, Literal, get_args

from verifier.model.report import Report

Format = Literal["text", "json"]
FORMATS: Final[tuple[Format, ...]] = get_args(Format)


def render(report: Report, form: Format, *, verbose: bool = False) -> str:
    """Render `report`; `verbose` lists every difference in the text form."""
    if form == "json":
        from verifier.reports.json_form import render_json  # noqa: PLC0415  # each form is imported where it is used

        return render_json(report)
    from verifier.reports.text import render_text  # noqa: PLC0415

    return render_text(report, verbose=verbose)
