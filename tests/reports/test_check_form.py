from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from tests.risks.dockerfiles import BASE, risks_of
from verifier.oci.digest import parse_digest
from verifier.reports.check_form import CheckReport, check_object, render_check_json, render_check_text

DIRTY = (
    BASE + "RUN apt-get install -y curl git && \\\n    date > /d\n"
    "RUN pip install --no-compile --require-hashes -r r\nADD a.tar /\n"
)


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    text = files("verifier.reports").joinpath("schemas/check-v1.schema.json").read_text()
    found: dict[str, Any] = json.loads(text)
    Draft202012Validator.check_schema(found)
    return found


def report(text: str, *, stages: int = 1) -> CheckReport:
    return CheckReport(
        tool_version="0.1.0",
        dockerfile_path="Dockerfile",
        dockerfile_digest=parse_digest("sha256:" + "0" * 64),
        context=None,
        target=None,
        stages_judged=1,
        stages=stages,
        risks=risks_of(text),
    )


@pytest.mark.parametrize("text", [BASE, DIRTY])
def test_every_report_validates(text: str, schema: dict[str, Any]) -> None:
    found = json.loads(render_check_json(report(text)))
    Draft202012Validator(schema).validate(found)
    assert found == check_object(report(text))


def test_what_is_to_mend_decides_the_exit_code() -> None:
    assert report(DIRTY).exit_code == 1
    clean = report(BASE + "ADD a.tar /\nRUN pip install --no-compile --require-hashes -r r\n")
    assert (clean.exit_code, len(clean.notes), len(clean.refuted)) == (0, 1, 1)


def test_the_text_leads_with_the_answer_and_names_lines_and_remedies() -> None:
    text = render_check_text(report(DIRTY, stages=3))
    lines = text.splitlines()
    assert lines[0] == "TO MEND  Dockerfile: 3 risks of 3 causes (2 of 3 stages are not needed and were not judged)"
    assert "    Dockerfile:2: `apt-get install` takes the newest version of `curl` and `git`" in lines
    assert "    Dockerfile:3: `date` gives the time of the build, and it is kept" in lines
    assert any(line.startswith("    remedy: ") for line in lines)
    assert "--verbose" in text
    assert "checks the digest of every package" in render_check_text(report(DIRTY), verbose=True)


def test_nothing_to_mend_is_one_line() -> None:
    assert render_check_text(report(BASE)) == "NOTHING TO MEND  Dockerfile\n"


def test_foreign_text_cannot_act_on_a_terminal() -> None:
    text = render_check_text(report(BASE + "RUN pip install 'a\x1b[31mb'\n"))
    assert "\x1b" not in text
