"""JUnit XML: one case a level, one a cause, and one for what no cause explains.

Schema: the one that Jenkins reads, `junit-10.xsd` of its xUnit plugin.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from xml.etree import ElementTree as ET

from verifier.model.report import Report
from verifier.model.verdict import LEVELS, Level
from verifier.reports.check_form import CheckReport
from verifier.reports.escape import escape
from verifier.reports.notices import Notice, notices_of, notices_of_check

_LEVEL = "verify-build.level"
_CAUSE = "verify-build.cause"


def render_junit(report: Report) -> str:
    """Render a verification or a comparison; the time is the builds' own, in seconds."""
    cases = [_error_case(report)] if report.error is not None else list(_level_cases(report))
    cases += _cause_cases(notices_of(report))
    name = _subject(report)
    return _render(name, cases, _seconds(report))


def _subject(report: Report) -> str:
    """Name what was looked at; an error may come before anything was."""
    if report.inputs is not None:
        return report.inputs.dockerfile_path
    return "compare" if report.error is None else ""


def render_check_junit(report: CheckReport) -> str:
    """Render a check: one case a cause."""
    cases = list(_cause_cases(notices_of_check(report)))
    if not cases:
        cases.append(ET.Element("testcase", {"name": "nothing to mend", "classname": "verify-build.check"}))
    return _render(report.dockerfile_path, cases, None)


def _seconds(report: Report) -> float | None:
    spans = [side.seconds for side in (report.first, report.second) if side is not None and side.seconds is not None]
    return sum(spans) if spans else None


def _error_case(report: Report) -> ET.Element:
    case = ET.Element("testcase", {"name": "verdict", "classname": _LEVEL})
    message = "no verdict was reached" if report.error is None else escape(report.error.message)
    error = ET.SubElement(case, "error", {"type": "no-verdict", "message": message})
    if report.error is not None and report.error.hint:
        error.text = escape(report.error.hint)
    return case


def _level_cases(report: Report) -> Iterator[ET.Element]:
    """Give a case a level: below the required one nothing is asked, above it nothing fails."""
    verdict = report.verdict
    levels: tuple[str, ...] = ("index", *LEVELS[:-1]) if verdict.required == "index" else LEVELS[:-1]
    for level in levels:
        case = ET.Element("testcase", {"name": level, "classname": _LEVEL})
        if not _holds(report, level):
            asked = verdict.required != "none" and levels.index(level) >= levels.index(verdict.required)
            kind, reason = ("failure", "the digests differ") if asked else ("skipped", "differs, and was not required")
            if asked and verdict.outcome == "tolerated":
                kind, reason = "skipped", "differs under a named tolerance"
            ET.SubElement(case, kind, {"type": "level", "message": f"{level}: {reason}"})
        yield case


def _holds(report: Report, level: str) -> bool:
    if level == "index":
        return report.index_equal is not False and _holds(report, "manifest")
    reached: Level = report.verdict.level or "none"
    return LEVELS.index(reached) <= [*LEVELS].index(level)  # type: ignore[arg-type]  # a level's word


def _cause_cases(notices: Sequence[Notice]) -> Iterator[ET.Element]:
    for rule in dict.fromkeys(notice.rule for notice in notices):
        group = [notice for notice in notices if notice.rule == rule]
        case = ET.Element("testcase", {"name": rule, "classname": _CAUSE})
        remedies = dict.fromkeys(f"remedy: {notice.remedy}" for notice in group if notice.remedy)
        text = "\n".join([*map(_line, group), *remedies])
        if any(notice.failing for notice in group):
            failure = ET.SubElement(case, "failure", {"type": group[0].severity, "message": group[0].title})
            failure.text = text
        else:
            ET.SubElement(case, "system-out").text = text
        yield case


def _line(notice: Notice) -> str:
    where = "" if notice.line is None else f"{escape(notice.dockerfile or '')}:{notice.line}: "
    return f"{where}{notice.message}"


def _render(name: str, cases: Sequence[ET.Element], seconds: float | None) -> str:
    def count(kind: str) -> str:
        return str(sum(case.find(kind) is not None for case in cases))

    attributes = {
        "name": f"verify-build {escape(name)}".rstrip(),
        "tests": str(len(cases)),
        "failures": count("failure"),
        "errors": count("error"),
        "skipped": count("skipped"),
    }
    if seconds is not None:
        attributes["time"] = f"{seconds:.3f}"
    suites = ET.Element("testsuites")
    suite = ET.SubElement(suites, "testsuite", attributes)
    suite.extend(cases)
    ET.indent(suites)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ET.tostring(suites, encoding="unicode") + "\n"
