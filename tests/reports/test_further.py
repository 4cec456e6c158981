from __future__ import annotations

import json
from dataclasses import replace
from importlib.resources import files
from typing import Any

import jsonschema
import pytest

from tests.reports.hostile import hostile_report
from verifier.model.difference import LayerPair
from verifier.model.finding import NormalisedLayer
from verifier.model.instruction import Instruction, StageRef
from verifier.model.network import Download, Fetched, OfflineProbe
from verifier.model.report import Report
from verifier.model.variation import Effect, LeftOut, Variation
from verifier.oci.digest import digest_bytes
from verifier.redact import redact
from verifier.reports.json_form import render_json
from verifier.reports.text import render_text

LINES = tuple(
    Instruction(stage=StageRef(index=0), line=line, end_line=line, text=f"RUN step {line}") for line in (3, 4)
)
ONE, TWO = digest_bytes(b"1"), digest_bytes(b"2")
DOWNLOADS = (
    Download(
        instructions=LINES[:1],
        method="GET",
        where="http://deb.invalid/\x1b[31mInRelease?token=hunter2",
        encrypted=False,
        first=Fetched(count=1, bytes=1000, digests=(ONE,), statuses=(200,)),
        second=Fetched(count=1, bytes=1001, digests=(TWO,), statuses=(200,)),
    ),
    Download(
        instructions=LINES,
        method="CONNECT",
        where="pypi.invalid:443",
        encrypted=True,
        first=Fetched(count=2, bytes=5000),
        second=None,
    ),
    Download(instructions=(), method="GET", where="http://a.invalid/", encrypted=False, first=None, second=None),
)


@pytest.fixture
def report() -> Report:
    told = hostile_report()
    assert told.explanation is not None
    pair = LayerPair(first=1, second=1)
    layers = (
        NormalisedLayer(platform="linux/amd64", layer=pair, first=ONE, second=ONE),
        NormalisedLayer(platform="linux/amd64", layer=pair, first=ONE, second=TWO),
        NormalisedLayer(platform="linux/amd64", layer=pair, first=None, second=None, reason="a \x1b[31mreason"),
    )
    return replace(
        told,
        explanation=replace(told.explanation, diff_ids=layers),
        variation=Variation(
            factors=("mtime", "mode"),
            left_out=(LeftOut(factor="cpus", reason="has no option for it"),),
            further_builds=3,
            effects=(Effect(factor="mode", differences=(0,)),),
            unvaried=(1,),
        ),
        offline=OfflineProbe(succeeded=False, instruction=LINES[0], reason="failed"),
        downloads=DOWNLOADS,
    )


def schema() -> Any:
    return json.loads(files("verifier.reports").joinpath("schemas/report-v1.schema.json").read_text("utf-8"))


def test_what_was_asked_for_is_in_the_json_and_validates(report: Report) -> None:
    told = json.loads(render_json(report))
    jsonschema.validate(told, schema())
    assert told["variation"]["effects"] == [{"factor": "mode", "differences": [0]}]
    assert told["network"]["offline"]["instruction"]["line"] == 3
    assert [item["same"] for item in told["network"]["downloads"]] == [False, None, False]
    assert [item["equal"] for item in told["explained"]["diff_ids"]] == [True, False, None]


def test_what_was_not_asked_for_is_null() -> None:
    told = json.loads(render_json(hostile_report()))
    jsonschema.validate(told, schema())
    assert told["variation"] is None
    assert told["network"] == {"offline": None, "downloads": None}
    assert told["explained"]["diff_ids"] is None


def test_the_text_says_what_matters_and_where(report: Report) -> None:
    text = render_text(report)
    assert "    mode matters: it alone brings about 1 difference\n" in text
    assert "    not cpus: has no option for it\n" in text
    assert "without a network: the build fails first at line 3: RUN step 3\n" in text
    assert "one of 3, 4  CONNECT" in text
    assert "1 of 3 are equal" in text
    assert "DIFFERENT" in text
    assert "\x1b" not in text


def test_secrets_in_urls_are_redacted(report: Report) -> None:
    clean = redact(report, (("API_TOKEN", "hunter2"),))
    assert "hunter2" not in render_json(clean)
    assert "hunter2" not in render_text(clean)


def test_many_downloads_stay_a_few_lines_and_keep_those_that_differ(report: Report) -> None:
    same = Fetched(count=1, bytes=10**9, digests=(ONE,), statuses=(200,))
    many = tuple(
        replace(DOWNLOADS[0], where=f"http://a.invalid/{number}", first=same, second=same) for number in range(500)
    )
    text = render_text(replace(report, downloads=(*many, DOWNLOADS[0])))
    assert "http://deb.invalid/" in text
    assert "… and 461 more, in the JSON report" in text
    assert len(text.splitlines()) < 200
