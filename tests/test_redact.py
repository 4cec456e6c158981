from __future__ import annotations

from dataclasses import replace

import pytest

from tests.images import digest
from tests.reports.hostile import finding
from tests.reports.test_text import RUN, report, side
from verifier.model.difference import Difference
from verifier.model.finding import Evidence, Explanation
from verifier.model.report import Report
from verifier.redact import REDACTED, redact
from verifier.reports import FORMATS, render


def leaky(value: str) -> Report:
    history = Difference(
        platform=None,
        part="config",
        field="/history/3/created_by",
        first=f"RUN |2 API_TOKEN={value} N=1 /bin/sh -c make",
        second={"Env": [f"API_TOKEN={value}"]},
    )
    made = report(history)
    evidence = tuple(
        Evidence(path="/history/3", inner=None, offset=None, first=f"RUN |1 API_TOKEN={text}", second=None)
        for text in (value, value[:-1])
    )
    explanation = Explanation(
        findings=(replace(finding("build-arg-leak", (0,), (), RUN), evidence=evidence),),
        residue=(),
        of=1,
        opaque=1,
        counterfactual_first=digest("x"),
        counterfactual_second=digest("x"),
        minimal=(),
    )
    options = ("--build-arg", f"API_TOKEN={value}")
    return replace(made, first=replace(side(1), options=options), explanation=explanation)


@pytest.mark.parametrize("value", ["s3cret-value-xyz", "ab"])
def test_a_secret_build_argument_is_in_no_report(value: str) -> None:
    clean = redact(leaky(value), [("API_TOKEN", value)])
    for form in FORMATS:
        text = render(clean, form)
        assert f"API_TOKEN={value}" not in text
        assert len(value) < 6 or value[:-1] not in text
    assert REDACTED in render(clean, "json")
    assert "N=1" in render(clean, "json")


def test_an_ordinary_build_argument_stays_unless_asked() -> None:
    made = leaky("1.2.3.4")
    assert redact(made, [("VERSION", "1.2.3.4")]) == made
    assert "1.2.3.4" not in render(redact(made, [("VERSION", "1.2.3.4")], everything=True), "json")
