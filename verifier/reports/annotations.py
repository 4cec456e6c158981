"""Annotations where the work is: GitHub's workflow commands, and GitLab's code quality report.

Formats: https://docs.github.com/actions/reference/workflow-commands-for-github-actions and
https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Final

from verifier.model.finding import Severity
from verifier.model.report import Report
from verifier.reports.check_form import CheckReport
from verifier.reports.escape import escape
from verifier.reports.notices import Notice, location_of, notices_of, notices_of_check

_GITHUB: Final[Mapping[Severity, str]] = {"error": "error", "warning": "warning", "note": "notice"}
_GITLAB: Final[Mapping[Severity, str]] = {"error": "critical", "warning": "major", "note": "info"}


def render_github(report: Report) -> str:
    """Render one workflow command a notice, what fails first: the host shows ten of a kind."""
    if report.error is not None:
        hint = f" ({escape(report.error.hint)})" if report.error.hint else ""
        return f"::error title=verify-build::{_data(f'no verdict: {escape(report.error.message)}{hint}')}\n"
    return _commands(notices_of(report))


def render_check_github(report: CheckReport) -> str:
    """Render one workflow command a risk."""
    return _commands(notices_of_check(report))


def render_gitlab(report: Report) -> str:
    """Render a code quality report; GitLab shows what a merge request adds and takes away."""
    return _quality(notices_of(report))


def render_check_gitlab(report: CheckReport) -> str:
    """Render a check as a code quality report."""
    return _quality(notices_of_check(report))


def _commands(notices: Sequence[Notice]) -> str:
    return "".join(_command(notice) for notice in notices)


def _command(notice: Notice) -> str:
    properties = []
    if notice.dockerfile is not None:
        properties.append(f"file={_property(location_of(notice.dockerfile))}")
    if notice.line is not None:
        properties.append(f"line={notice.line}")
    if notice.end_line is not None:
        properties.append(f"endLine={notice.end_line}")
    properties.append(f"title={_property(notice.rule)}")
    return f"::{_GITHUB[notice.severity]} {','.join(properties)}::{_data(_sentence(notice))}\n"


def _sentence(notice: Notice) -> str:
    remedy = f". Remedy: {notice.remedy}" if notice.remedy else ""
    return f"{notice.title}: {notice.message}{remedy}"


def _data(text: str) -> str:
    """Escape a command's message as the runner unescapes it."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(escape(text)).replace(":", "%3A").replace(",", "%2C")


def _quality(notices: Sequence[Notice]) -> str:
    """Give what has a place in a file; the format has none for the rest."""
    rows = [
        {
            "description": _sentence(notice),
            "check_name": notice.rule,
            "fingerprint": notice.fingerprint,
            "severity": _GITLAB[notice.severity],
            "location": {"path": location_of(notice.dockerfile), "lines": {"begin": notice.line or 1}},
        }
        for notice in notices
        if notice.dockerfile is not None
    ]
    return json.dumps(rows, indent=2, ensure_ascii=True) + "\n"
