"""The page and the JSON of a sign-off: complete, valid, and safe with hostile texts."""

from __future__ import annotations

import html.parser
import json
from dataclasses import replace
from datetime import date
from importlib import resources

import jsonschema
import pytest

from tests.sign_off.made import REASON, different, tolerated
from tests.sign_off.test_refusals import sign
from verifier.model.objections import OBJECTIONS
from verifier.model.report import Report
from verifier.reports.sign_off_form import render_sign_off_text
from verifier.sign_off.statement import sign_off_object

HOSTILE = "<script>x</script>\x1b[1m\u202e\n'\""


class Tags(html.parser.HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:  # noqa: ARG002 - the parser gives them
        self.tags.append(tag)


def page(report: Report) -> str:
    files = {file.name: file.content.decode() for file in sign(report, OBJECTIONS).files}
    return files["sign-off.html"]


@pytest.mark.parametrize("kind", ["reproducible", "different", "tolerated", "compared"])
def test_json_validates(kind: str, report: Report) -> None:
    made = {
        "reproducible": report,
        "different": different(report),
        "tolerated": tolerated(report, date(2030, 1, 1)),
        "compared": replace(report, inputs=None),
    }[kind]
    raw = resources.files("verifier.reports").joinpath("schemas/sign-off-v1.schema.json").read_text("utf-8")
    validator = jsonschema.Draft202012Validator(json.loads(raw))
    value = json.loads(json.dumps(sign_off_object(sign(made, OBJECTIONS).sign_off)))
    validator.validate(value)
    for key in value:
        with pytest.raises(jsonschema.ValidationError):
            validator.validate({name: each for name, each in value.items() if name != key})


def test_page_has_what_a_release_manager_keeps(report: Report) -> None:
    made = tolerated(report, date(2030, 1, 1))
    text = page(made)
    assert report.inputs is not None
    signed = sign(made).sign_off
    for wanted in (
        "SIGNED OFF WITHOUT A KEY: level files holds, manifest was required",
        signed.source.commit,
        "clean, when it was signed",
        report.inputs.dockerfile_digest,
        report.inputs.context_digest,
        report.inputs.bases[0].digest,
        "buildkit 28.5.2",
        "<dt>varied on purpose</dt><dd>mtime</dd>",
        "hostname, cpus, timezone, locale",
        REASON.replace("<", "&lt;").replace(">", "&gt;"),
        "2030-01-01",
        "unpinned-base",
        "Somebody",
        "2026-03-04 05:06:07 UTC",
        signed.report_digest,
    ):
        assert wanted is not None
        assert wanted in text, wanted


def test_hostile_texts_are_shown_and_do_nothing(report: Report) -> None:
    made = tolerated(report, date(2030, 1, 1))
    applied = made.tolerances[0]
    assert made.inputs is not None
    assert made.second is not None
    hostile = replace(
        made,
        tool_version=HOSTILE,
        inputs=replace(made.inputs, target=HOSTILE, build_args=(HOSTILE,), syntax=HOSTILE),
        second=replace(made.second, options=(HOSTILE,), reference=HOSTILE),
        risks=(replace(made.risks[0], message=HOSTILE),),
        tolerances=(replace(applied, tolerance=replace(applied.tolerance, reason=HOSTILE, place=HOSTILE)),),
    )
    text = page(hostile)
    tags = Tags()
    tags.feed(text)
    assert "script" not in tags.tags
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "&lt;script&gt;" in text
    assert "\x1b" not in render_sign_off_text(sign(hostile, OBJECTIONS), "x")
