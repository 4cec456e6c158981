"""SARIF 2.1.0 for code scanning: one result a notice, at its line, with its cause's page as help.

Specification: https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import quote

from verifier.causes import CAUSES
from verifier.model.report import Report
from verifier.reports.check_form import CheckReport
from verifier.reports.escape import escape
from verifier.reports.notices import UNEXPLAINED, Notice, location_of, notices_of, notices_of_check

_SCHEMA: Final = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_UNEXPLAINED_PAGE: Final = (
    "Differences that no cause of the catalogue explains.\n\n"
    "They are facts all the same: the report shows both sides' bytes, and what was ruled out."
)
_TAGS: Final = ("reproducible-builds", "container")


def render_sarif(report: Report) -> str:
    """Render a verification or a comparison as indented ASCII JSON with a final newline."""
    error = None if report.error is None else report.error.message
    properties = {
        "outcome": report.verdict.outcome,
        "level": report.verdict.level,
        "required": report.verdict.required,
    }
    return _render(report.tool_version, notices_of(report), report.verdict.exit_code, error, properties)


def render_check_sarif(report: CheckReport) -> str:
    """Render a check as indented ASCII JSON with a final newline."""
    outcome = {"outcome": "to-mend" if report.to_mend else "nothing-to-mend"}
    return _render(report.tool_version, notices_of_check(report), report.exit_code, None, outcome)


def _render(
    version: str, notices: Sequence[Notice], exit_code: int, error: str | None, properties: Mapping[str, str | None]
) -> str:
    rules = _rules(notices)
    invocation: dict[str, Any] = {"executionSuccessful": error is None, "exitCode": exit_code}
    if error is not None:
        invocation["toolExecutionNotifications"] = [{"level": "error", "message": {"text": escape(error)}}]
    driver = {"name": "verify-build", "version": version, "semanticVersion": version, "rules": rules}
    positions = {rule["id"]: number for number, rule in enumerate(rules)}
    run = {
        "tool": {"driver": driver},
        "columnKind": "utf16CodeUnits",
        "invocations": [invocation],
        "results": [_result(notice, positions[notice.rule]) for notice in notices],
        "properties": properties,
    }
    return json.dumps({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2, ensure_ascii=True) + "\n"


def _rules(notices: Sequence[Notice]) -> list[dict[str, Any]]:
    """Describe the rules that the results name, in the catalogue's order."""
    named = {notice.rule for notice in notices}
    rules = [_rule(cause.slug, cause.title, cause.page.strip()) for cause in CAUSES if cause.slug in named]
    if UNEXPLAINED in named:
        rules.append(_rule(UNEXPLAINED, "Differences that no cause explains", _UNEXPLAINED_PAGE))
    return rules


def _rule(slug: str, title: str, page: str) -> dict[str, Any]:
    return {
        "id": slug,
        "name": "".join(word.capitalize() for word in slug.split("-")),
        "shortDescription": {"text": f"{title}."},
        "fullDescription": {"text": page.partition("\n\n")[2].partition("\n\n")[0].replace("\n", " ") or f"{title}."},
        "help": {"text": page},
        "defaultConfiguration": {"level": "warning"},
        "properties": {"tags": list(_TAGS), "precision": "very-high"},
    }


def _result(notice: Notice, position: int) -> dict[str, Any]:
    remedy = f" Remedy: {notice.remedy}." if notice.remedy else ""
    result: dict[str, Any] = {
        "ruleId": notice.rule,
        "ruleIndex": position,
        "level": notice.severity,
        "message": {"text": f"{notice.title}: {notice.message}.{remedy}"},
        # the one that GitHub's code scanning goes by, and our own
        "partialFingerprints": {
            "primaryLocationLineHash": f"{notice.fingerprint[:16]}:1",
            "verifyBuild/v1": notice.fingerprint,
        },
    }
    if notice.dockerfile is not None:
        place: dict[str, Any] = {"artifactLocation": {"uri": _uri(notice.dockerfile)}}
        if notice.line is not None:
            place["region"] = {"startLine": notice.line, "endLine": notice.end_line or notice.line}
        result["locations"] = [{"physicalLocation": place}]
    return result


def _uri(path: str) -> str:
    location = location_of(path)
    quoted = quote(location.encode("utf-8", "surrogateescape"))
    # the first segment of a relative reference holds no colon: quote() has escaped it
    return f"file://{quoted}" if location.startswith("/") else quoted
