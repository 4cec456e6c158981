"""The formats that other programs read: valid by their official schemas, whatever names hold."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import jsonschema
import pytest
import xmlschema

from tests.machine import ROOT
from tests.reports.hostile import DOCKERFILE, INSTRUCTION, REPORTS, hostile_check, hostile_report
from verifier.model.difference import Difference
from verifier.model.finding import Residue
from verifier.model.instruction import Instruction
from verifier.model.report import Report
from verifier.reports import FORMATS, Format, render, render_check

SCHEMAS = Path(__file__).with_name("schemas")
SARIF = jsonschema.Draft4Validator(json.loads((SCHEMAS / "sarif-schema-2.1.0.json").read_text("utf-8")))
JUNIT = xmlschema.XMLSchema(str(SCHEMAS / "junit-10.xsd"))


def sarif(report: Report) -> Any:
    value = json.loads(render(report, "sarif"))
    SARIF.validate(value)
    return value["runs"][0]


@pytest.mark.parametrize("name", REPORTS)
def test_sarif_is_valid(name: str) -> None:
    run = sarif(REPORTS[name]())
    rules = run["tool"]["driver"]["rules"]
    assert all(rules[result["ruleIndex"]]["id"] == result["ruleId"] for result in run["results"])


def test_sarif_of_a_check_is_valid() -> None:
    value = json.loads(render_check(hostile_check(), "sarif"))
    SARIF.validate(value)
    assert [result["ruleId"] for result in value["runs"][0]["results"]] == ["unpinned-apt"]


def test_sarif_has_a_result_for_each_finding_the_residue_and_the_latent_risk() -> None:
    run = sarif(hostile_report())
    assert {(result["ruleId"], result["level"]) for result in run["results"]} == {
        ("file-mtime", "warning"),
        ("directory-mtime", "warning"),
        ("unexplained", "error"),
        ("unpinned-apt", "note"),
    }
    place = next(result for result in run["results"] if result["ruleId"] == "file-mtime")["locations"][0]
    assert place["physicalLocation"]["region"] == {"startLine": 7, "endLine": 9}
    assert place["physicalLocation"]["artifactLocation"]["uri"] == "dir%20with%20space/Docker%2Cfile%3A%25%7C%0A%3Cx%3E"


def test_sarif_of_a_run_without_a_verdict_says_so() -> None:
    run = sarif(REPORTS["failed"]())
    assert run["invocations"][0]["executionSuccessful"] is False
    assert run["invocations"][0]["exitCode"] == 3


def moved(report: Report, by: int) -> Report:
    def move(instruction: Instruction | None) -> Instruction | None:
        if instruction is None:
            return None
        return replace(instruction, line=instruction.line + by, end_line=instruction.end_line + by)

    explanation = report.explanation
    assert explanation is not None
    findings = tuple(replace(item, instruction=move(item.instruction)) for item in explanation.findings)
    return replace(report, explanation=replace(explanation, findings=findings))


def test_a_line_that_moves_keeps_its_alert() -> None:
    before, after = (
        {result["ruleId"]: result["partialFingerprints"] for result in sarif(report)["results"]}
        for report in (hostile_report(), moved(hostile_report(), 5))
    )
    assert before == after


def test_another_instruction_is_another_alert() -> None:
    report = hostile_report()
    assert report.explanation is not None
    first = replace(report.explanation.findings[0], instruction=replace(INSTRUCTION, text="RUN other"))
    changed = replace(report, explanation=replace(report.explanation, findings=(first,)))
    one, two = (
        next(each for each in sarif(made)["results"] if each["ruleId"] == "file-mtime")["partialFingerprints"]
        for made in (report, changed)
    )
    assert one["primaryLocationLineHash"] != two["primaryLocationLineHash"]


def suite_of(text: str) -> ET.Element:
    return ET.fromstring(text.encode())[0]  # noqa: S314  # our own


@pytest.mark.parametrize("name", REPORTS)
def test_junit_is_valid(name: str) -> None:
    text = render(REPORTS[name](), "junit")
    JUNIT.validate(io.StringIO(text))
    suite = suite_of(text)
    for kind, attribute in (("failure", "failures"), ("error", "errors"), ("skipped", "skipped")):
        assert int(suite.attrib[attribute]) == len(suite.findall(f"testcase/{kind}"))
    assert int(suite.attrib["tests"]) == len(suite.findall("testcase"))


def test_junit_of_a_check_is_valid() -> None:
    JUNIT.validate(io.StringIO(render_check(hostile_check(), "junit")))


def test_junit_has_a_case_a_level_and_a_cause() -> None:
    cases = {case.attrib["name"]: case for case in suite_of(render(hostile_report(), "junit"))}
    assert set(cases) == {
        *("manifest", "config", "layers", "files"),
        *("file-mtime", "directory-mtime", "unexplained", "unpinned-apt"),
    }
    failed = {name for name, case in cases.items() if case.find("failure") is not None}
    # the level is `files`, `manifest` was required: what lies below the required level is not a reason to fail
    assert failed == {"manifest", "file-mtime", "directory-mtime", "unexplained"} | {"config", "layers"}


def test_junit_fails_nothing_where_the_required_level_holds() -> None:
    suite = suite_of(render(REPORTS["holding"](), "junit"))
    assert suite.attrib["failures"] == "0"
    assert {case.attrib["name"] for case in suite if case.find("skipped") is not None} == {
        *("manifest", "config", "layers")
    }


@pytest.mark.parametrize("name", REPORTS)
def test_a_github_command_is_one_line_that_only_we_have_written(name: str) -> None:
    lines = render(REPORTS[name](), "github").splitlines()
    assert lines
    for line in lines:
        assert re.fullmatch(r"::(error|warning|notice) ([a-zA-Z]+=[^,:\r\n]*)(,[a-zA-Z]+=[^,:\r\n]*)*::[^\r\n]+", line)
        assert not re.search(r"[\x00-\x1f\x7f]", line)


def test_a_github_command_names_file_and_lines() -> None:
    first = render(hostile_report(), "github").splitlines()[0]
    assert first.startswith(
        "::error file=dir with space/Docker%2Cfile%3A%25|\\n<x>,line=3,endLine=4,title=unexplained::"
    )


def test_gitlab_has_what_its_documentation_asks_for() -> None:
    rows = json.loads(render(hostile_report(), "gitlab"))
    assert len({row["fingerprint"] for row in rows}) == len(rows) == 4
    for row in rows:
        assert set(row) == {"description", "check_name", "fingerprint", "severity", "location"}
        assert row["severity"] in {"info", "minor", "major", "critical", "blocker"}
        assert row["location"]["lines"]["begin"] >= 1
        assert not row["location"]["path"].startswith("./")


@pytest.mark.parametrize("name", REPORTS)
def test_markdown_holds_no_markup_but_ours(name: str) -> None:
    text = render(REPORTS[name](), "markdown")
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069]", text)
    assert set(re.findall(r"</?([a-z]+)", text)) <= {"code", "details", "summary"}
    tables = [line for line in text.splitlines() if line.startswith("| ")]
    assert all(line.count("|") == line.count(" | ") + 2 for line in tables)
    assert "@somebody" not in text
    assert "www." not in text


def test_what_is_unexplained_is_at_the_instruction_that_made_it() -> None:
    """A layer may be made by a COPY from the stage whose RUN is to blame; a document has no path."""
    report = hostile_report()
    explanation = report.explanation
    assert explanation is not None
    document = Difference(
        platform=None, part="config", layer=None, path=None, field="/config/Env/0", first="1", second="2"
    )
    made = replace(
        report,
        differences=(*report.differences, document),
        explanation=replace(
            explanation,
            of=9,
            residue=(replace(explanation.residue[0], instruction=INSTRUCTION), Residue(difference=8, ruled_out=())),
        ),
    )
    found = [each for each in sarif(made)["results"] if each["ruleId"] == "unexplained"]
    places = [each["locations"][0]["physicalLocation"].get("region") for each in found]
    assert places == [None, {"startLine": 7, "endLine": 9}]
    assert "1 difference: /config/Env/0 of the config. Remedy" in found[0]["message"]["text"]
    assert "<code>line 7&#58; RUN echo" in render(made, "markdown")


def test_markdown_gives_a_cause_one_row() -> None:
    report = hostile_report()
    assert report.explanation is not None
    first = report.explanation.findings[0]
    again = tuple(replace(first, instruction=replace(INSTRUCTION, line=line)) for line in range(20, 40))
    made = replace(report, explanation=replace(report.explanation, findings=(first, *again)))
    rows = [line for line in render(made, "markdown").splitlines() if line.startswith("| <code>file-mtime</code>")]
    assert len(rows) == 1
    assert "| 7, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30 and 9 more |" in rows[0]


def test_junit_says_a_remedy_once_and_names_what_was_looked_at() -> None:
    report = hostile_report()
    assert report.explanation is not None
    first = report.explanation.findings[0]
    twice = replace(report.explanation, findings=(first, replace(first, instruction=replace(INSTRUCTION, line=20))))
    assert render(replace(report, explanation=twice), "junit").count("remedy: use the builder") == 1
    failed = REPORTS["failed"]()
    assert suite_of(render(failed, "junit")).attrib["name"] == "verify-build Dockerfile"
    assert suite_of(render(replace(failed, inputs=None), "junit")).attrib["name"] == "verify-build"
    assert suite_of(render(REPORTS["compared"](), "junit")).attrib["name"] == "verify-build compare"


def test_markdown_stays_under_the_hosts_limit_and_says_what_it_leaves_out() -> None:
    report = hostile_report()
    notes = tuple(f"{number} " + "x" * 3000 for number in range(100))
    text = render(replace(report, notes=notes), "markdown")
    assert len(text) < 65_536
    assert "is left out" in text


def test_markdown_leads_with_the_answer() -> None:
    first = render(hostile_report(), "markdown").splitlines()[0]
    assert first == "### ❌ verify-build: not reproducible&#58; 2 causes explain 7 of 8 differences"


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("surroundings", [{"TZ": "Asia/Tokyo", "LC_ALL": "C", "PYTHONHASHSEED": "1"}, {"TZ": "UTC"}])
def test_every_format_renders_the_same_bytes_anywhere(
    form: Format, surroundings: dict[str, str], expected: dict[str, bytes]
) -> None:
    code = (
        "import sys; from tests.reports.hostile import hostile_report; from verifier.reports import render;"
        f"sys.stdout.buffer.write(render(hostile_report(), {form!r}).encode('utf-8', 'surrogateescape'))"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **surroundings}
    argv = ["sh", "-c", 'umask 077; exec "$@"', "sh", sys.executable, "-c", code]
    assert subprocess.run(argv, env=environment, capture_output=True, check=True, timeout=60).stdout == expected[form]


@pytest.fixture(scope="module")
def expected() -> dict[str, bytes]:
    report = hostile_report()
    return {form: render(report, form).encode("utf-8", "surrogateescape") for form in FORMATS}


def test_the_hostile_dockerfile_is_hostile() -> None:
    assert "\n" in DOCKERFILE
