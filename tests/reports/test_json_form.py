from __future__ import annotations

import json
from importlib import resources
from typing import Any

import jsonschema
import pytest

from tests.reports.test_text import mtime, report
from verifier.model.report import Report, ReportedError
from verifier.model.verdict import Verdict
from verifier.reports import render

SCHEMA = json.loads(resources.files("verifier.reports").joinpath("schemas/report-v1.schema.json").read_text())


def rendered(made: Report) -> Any:
    value = json.loads(render(made, "json"))
    jsonschema.Draft202012Validator(SCHEMA).validate(value)
    return value


def test_a_report_validates_against_its_schema() -> None:
    value = rendered(report(mtime(b"/f")))
    assert (value["level"], value["required"], value["outcome"]) == ("files", "manifest", "different")
    assert value["builds"]["first"]["layers"][1]["instruction"]["line"] == 3
    assert value["residue"] == [0]


def test_a_path_that_is_not_utf8_has_its_bytes_beside_it() -> None:
    plain, raw = rendered(report(mtime(b"/f"), mtime(b"/\xff")))["differences"]
    assert (plain["path"], plain["path_base64"]) == ("/f", None)
    assert (raw["path"], raw["path_base64"]) == ("/\ufffd", "L/8=")


def test_no_verdict_validates_and_carries_the_error() -> None:
    value = rendered(
        Report(
            tool_version="0",
            verdict=Verdict(outcome="no-verdict", level=None, required="manifest"),
            error=ReportedError(code="no-builder", message="nothing answers", hint="install one"),
        )
    )
    assert (value["level"], value["builds"], value["error"]["code"]) == (None, None, "no-builder")


@pytest.mark.parametrize("key", ["level", "outcome", "differences", "explained"])
def test_the_schema_misses_nothing(key: str) -> None:
    value = rendered(report(mtime(b"/f")))
    del value[key]
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft202012Validator(SCHEMA).validate(value)
