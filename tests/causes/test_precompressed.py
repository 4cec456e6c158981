"""Files for the web that are kept compressed beside what they are compressed from."""

from __future__ import annotations

import gzip
import hashlib

import pytest

from tests.causes.sides import FIRST, SECOND, at, causes, explain_layers
from tests.compare.layer_images import Entry, file, tar
from verifier.model.finding import Explanation


def explain_files(first: list[Entry], second: list[Entry]) -> Explanation:
    return explain_layers(*(tar(sorted(entries, key=lambda one: one.name)) for entries in (first, second)))


def test_a_short_content_that_several_levels_compress_alike() -> None:
    # Node and Python write XFL 2 at level 9, whatever the length (RFC 1952, 2.3.1)
    contents = [at(FIRST + 4, "%H:%M:%S built ") * 3 + b"<p>" * 40, at(SECOND + 4, "%H:%M:%S built ") * 3 + b"<p>" * 40]
    pairs = [[file("a/page.gz", gzip.compress(content, 9, mtime=0))] for content in contents]
    assert causes(explain_files(*pairs)) == ["embedded-timestamp"]


# Brotli's streams: what they hold cannot be seen here, so any bytes will do.


def with_stream(moment: float, name: str = "dist/app.js", **more: int) -> list[Entry]:
    text = b"/* built %s */" % at(moment, "%Y-%m-%d %H:%M:%S")
    return [
        file(name, text, mtime=int(moment)),
        file(f"{name}.br", b"\x8b\x05\x80" + hashlib.sha256(text).digest(), mtime=int(moment), **more),
    ]


def test_a_stream_beside_its_original_goes_with_it() -> None:
    explanation = explain_files(with_stream(FIRST + 4), with_stream(SECOND + 4))
    assert causes(explanation) == ["file-mtime", "embedded-timestamp"]
    found = {finding.cause: finding for finding in explanation.findings}
    assert found["embedded-timestamp"].paths == (b"/dist/app.js", b"/dist/app.js.br")
    assert found["embedded-timestamp"].opaque
    assert found["embedded-timestamp"].confidence == "likely"


def test_a_stream_without_its_original_is_residue() -> None:
    first, second = (with_stream(moment)[1:] for moment in (FIRST + 4, SECOND + 4))
    assert causes(explain_files(first, second))[-1] == "residue"


def test_a_stream_whose_original_is_the_same_is_residue() -> None:
    first, second = ([file("dist/app.js", b"x"), with_stream(moment)[1]] for moment in (FIRST + 4, SECOND + 4))
    assert causes(explain_files(first, second))[-1] == "residue"


def test_another_mode_of_a_stream_is_residue() -> None:
    explanation = explain_files(with_stream(FIRST + 4), with_stream(SECOND + 4, mode=0o4755))
    assert causes(explanation)[-1] == "residue"


def renamed(moment: float, **more: int) -> list[Entry]:
    digest = hashlib.sha256(str(moment).encode()).hexdigest()[:12]
    return with_stream(moment, f"dist/app.{digest}.js", **more)


def test_a_stream_is_renamed_with_its_original() -> None:
    explanation = explain_files(renamed(FIRST + 4), renamed(SECOND + 4))
    assert causes(explanation) == ["asset-digest", "embedded-timestamp"]
    assert explanation.findings[0].opaque


@pytest.mark.parametrize("more", [{"mode": 0o4755}, {"uid": 7}])
def test_what_else_is_different_about_a_renamed_stream_is_residue(more: dict[str, int]) -> None:
    explanation = explain_files(renamed(FIRST + 4), renamed(SECOND + 4, **more))
    assert causes(explanation)[-1] == "residue"
    assert len(explanation.residue) == 2
