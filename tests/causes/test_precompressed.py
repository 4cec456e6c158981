"""Files for the web that are kept compressed beside what they are compressed from."""

from __future__ import annotations

import gzip

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
