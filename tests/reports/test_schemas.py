"""Every JSON that a command prints validates against the schema in the package."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from importlib import resources
from typing import Any

import jsonschema
import pytest

from tests.images import digest
from tests.ledger.records import record
from verifier.cli.in_force import in_force
from verifier.model.digests import DigestReport, ImageDigests, Unread, same_images
from verifier.model.pin import Change, Pin, PinReport, Remark
from verifier.model.tolerance import Tolerance
from verifier.reports.config_form import render_config_json, render_config_text
from verifier.reports.digests_form import render_digests_json, render_digests_text
from verifier.reports.ledger_form import render_ledger_json, render_ledger_text
from verifier.reports.pin_form import render_pin_json, render_pin_text

PIN = Pin(
    line=1,
    kind="from",
    written="debian:12",
    reference="debian:12",
    digest=digest("a"),
    current=digest("b"),
    created="2026-01-01T00:00:00Z",
    status="to-mend",
    remarks=(Remark(code="tag-moved", message="the tag 12 points elsewhere \x1b[1m", mends=True),),
    proposed=f"debian:12@{digest('b')}",
    changes=(Change(what="created", before="a", after="b"),),
)
PINS = PinReport(tool_version="0", dockerfile_path="Dockerfile", dockerfile_digest=digest("d"), pins=(PIN,))
IMAGE = ImageDigests(
    reference="debian:12",
    tag_digest=digest("i"),
    index=digest("i"),
    manifest=digest("m"),
    config=digest("c"),
    platform="linux/amd64",
    size=10,
    layers=1,
    created=None,
)
IMAGES = (IMAGE, replace(IMAGE, reference="oci:x", tag_digest=None, index=None, manifest=None))
DIGESTS = DigestReport(
    tool_version="0",
    images=IMAGES,
    unread=(Unread(reference="x", message="gone", hint=None),),
    same=same_images(IMAGES),
)
TOLERANCE = Tolerance(
    cause="file-mtime", path=None, field=None, reason="x", expires=date(2027, 1, 1), place="tolerate[0]"
)


def config() -> str:
    rows, _ = in_force("/nonexistent/Dockerfile")
    return render_config_json([(row.option, row.value, row.source) for row in rows], (TOLERANCE,), "file")


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("pin", render_pin_json(PINS)),
        ("digests", render_digests_json(DIGESTS)),
        ("ledger", render_ledger_json([record()], "file")),
        ("config", config()),
    ],
)
def test_json_validates(kind: str, text: str) -> None:
    schema = json.loads(resources.files("verifier.reports").joinpath(f"schemas/{kind}-v1.schema.json").read_text())
    value: Any = json.loads(text)
    validator = jsonschema.Draft202012Validator(schema)
    validator.validate(value)
    assert value["kind"] == kind
    for key in value:
        with pytest.raises(jsonschema.ValidationError):
            validator.validate({name: each for name, each in value.items() if name != key})


def test_two_names_of_one_image_are_said_to_be_the_same() -> None:
    assert [(each.by, each.references) for each in DIGESTS.same] == [("config", ("debian:12", "oci:x"))]
    twice = same_images((IMAGE, replace(IMAGE, reference="mirror/debian:12")))
    assert [(each.by, each.references) for each in twice] == [("manifest", ("debian:12", "mirror/debian:12"))]
    assert same_images((IMAGE, IMAGE)) == ()


def test_texts_are_safe_to_print() -> None:
    texts = [
        render_pin_text(PINS),
        render_digests_text(DIGESTS),
        render_ledger_text([record(machine="\x1b[1m")], "file"),
        render_config_text([("builder", "\x1b[1m", "default")], (TOLERANCE,), None),
    ]
    assert not [text for text in texts if "\x1b" in text]
    assert "tag-moved" in texts[0]
    assert texts[1].splitlines()[0] == "debian:12  linux/amd64"
