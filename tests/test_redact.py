from __future__ import annotations

from dataclasses import replace

import pytest

from tests.reports.test_text import report, side
from verifier.model.difference import Difference
from verifier.model.report import Report
from verifier.redact import REDACTED, redact
from verifier.reports import render


def leaky(value: str) -> Report:
    history = Difference(
        platform=None,
        part="config",
        field="/history/3/created_by",
        first=f"RUN |2 API_TOKEN={value} N=1 /bin/sh -c make",
        second={"Env": [f"API_TOKEN={value}"]},
    )
    made = report(history)
    return replace(made, first=replace(side(1), options=("--build-arg", f"API_TOKEN={value}")))


@pytest.mark.parametrize("value", ["s3cret-value-xyz", "ab"])
def test_a_secret_build_argument_is_in_no_report(value: str) -> None:
    clean = redact(leaky(value), [("API_TOKEN", value)])
    for form in ("text", "json"):
        text = render(clean, form)  # type: ignore[arg-type]  # both are formats
        assert f"API_TOKEN={value}" not in text
    assert REDACTED in render(clean, "json")
    assert "N=1" in render(clean, "json")


def test_an_ordinary_build_argument_stays_unless_asked() -> None:
    made = leaky("1.2.3.4")
    assert redact(made, [("VERSION", "1.2.3.4")]) == made
    assert "1.2.3.4" not in render(redact(made, [("VERSION", "1.2.3.4")], everything=True), "json")
