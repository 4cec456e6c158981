"""Render a report. Every format is a pure function of the report: no clock, locale, terminal or environment."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final, Literal, get_args

from verifier.model.report import Report

if TYPE_CHECKING:
    from verifier.reports.check_form import CheckReport

Format = Literal["text", "json", "sarif", "junit", "markdown", "html", "github", "gitlab"]
FORMATS: Final[tuple[Format, ...]] = get_args(Format)

_MODULES: Final[Mapping[Format, str]] = {
    "text": "text",
    "json": "json_form",
    "sarif": "sarif",
    "junit": "junit",
    "markdown": "markdown",
    "html": "html",
    "github": "annotations",
    "gitlab": "annotations",
}
"""Where each form is made; imported when it is asked for."""


def render(report: Report, form: Format, *, verbose: bool = False) -> str:
    """Render `report`; `verbose` lists every difference in the text form."""
    module = importlib.import_module(f"verifier.reports.{_MODULES[form]}")
    function = getattr(module, f"render_{form}")
    text: str = function(report, verbose=verbose) if form == "text" else function(report)
    return text


def render_check(report: CheckReport, form: Format, *, verbose: bool = False) -> str:
    """Render what `check` found; `verbose` lists what was checked and found right in the text form."""
    name = "check_form" if form in {"text", "json"} else _MODULES[form]
    function = getattr(importlib.import_module(f"verifier.reports.{name}"), f"render_check_{form}")
    text: str = function(report, verbose=verbose) if form == "text" else function(report)
    return text
