"""A JSON report read back: every form is the same as from the report itself; what is malformed is named."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.reports.hostile import REPORTS, hostile_report
from tests.reports.test_text import mtime, report
from verifier.errors import UsageError
from verifier.model.difference import ContentDifference, Difference, LayerPair, Region
from verifier.model.report import Report
from verifier.reports import FORMATS, render
from verifier.reports.json_reader import read_report

CONTENT = ContentDifference(
    type_first="text",
    type_second="text",
    size_first=9,
    size_second=10,
    regions=(
        Region(
            offset_first=1,
            length_first=2,
            offset_second=1,
            length_second=3,
            sample_offset_first=0,
            sample_first=b"\x00ab",
            sample_offset_second=0,
            sample_second=b"\xff",
        ),
    ),
    complete=True,
)


def with_content() -> Report:
    pair = LayerPair(first=1, second=1)
    made = report(
        mtime(b"/a"),
        Difference(part="layer", platform=None, layer=pair, path=b"/f", field="content", first="1", second="2",
                   content=CONTENT),
    )  # fmt: skip
    started = datetime(2026, 1, 2, 3, 4, 5, 999_900, tzinfo=UTC)
    assert made.first is not None
    side = replace(made.first, started=started, finished=started + timedelta(seconds=1.0004))
    return replace(made, first=side)


MADE = {**REPORTS, "content": with_content}


@pytest.mark.parametrize("name", MADE)
@pytest.mark.parametrize("form", FORMATS)
def test_every_form_of_what_was_read_is_the_same(name: str, form: Any) -> None:
    made = MADE[name]()
    read = read_report(render(made, "json").encode())
    assert render(read, form) == render(made, form)


def damaged(*path: str | int, value: object = None, drop: bool = False) -> bytes:
    document = json.loads(render(hostile_report(), "json"))
    target: Any = document
    for step in path[:-1]:
        target = target[step]
    if drop:
        del target[path[-1]]
    else:
        target[path[-1]] = value
    return json.dumps(document).encode()


@pytest.mark.parametrize(
    ("raw", "place"),
    [
        (b"", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b"[]", "object"),
        (b"{}", "schema_version"),
        (damaged("schema_version", value=2), "schema_version"),
        (damaged("kind", value="check"), "schema_version"),
        (damaged("level", value="best"), r"report\.level"),
        (damaged("outcome", value=["x"]), r"report\.outcome"),
        (damaged("differences", 0, "field", drop=True), r"differences\[0\]\.field"),
        (damaged("differences", 0, "occurrence", value=-1), "occurrence"),
        (damaged("differences", 0, "occurrence", value=True), "occurrence"),
        (damaged("differences", 4, "path_base64", value="%%%"), "base64"),
        (damaged("residue", value=[99]), "residue"),
        (damaged("findings", 0, "differences", value=[8]), "findings"),
        (damaged("findings", 0, "confidence", value="sure"), "confidence"),
        (damaged("builds", "first", "config_digest", value="sha256:12"), "config_digest"),
        (damaged("builds", "first", "started", value="2026-01-01T00:00:00"), "time zone"),
        (damaged("alignment", 0, "layers", 0, "first", value=7), "layer that is not there"),
        (damaged("notes", value=[1]), "notes"),
        (damaged("explained", value=3), "explained"),
    ],
)
def test_what_is_malformed_is_named(raw: bytes, place: str) -> None:
    with pytest.raises(UsageError, match=place):
        read_report(raw)
