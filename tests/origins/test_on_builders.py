"""Compile in one stage, copy into another: each builder's findings point at the compile's line."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from tests.cli.tool import verify_build
from tests.machine import MARKS

DOCKERFILE = """\
FROM busybox:stable AS generate
WORKDIR /src
RUN date > header

FROM busybox:stable
COPY --from=generate /src/ /src/
RUN mkdir /out && cat /src/header > /out/copied && date -u +%s > /out/compiled
RUN chmod 755 /out/compiled

FROM busybox:stable
COPY --from=1 /out/c* /usr/bin/
RUN cp /usr/bin/copied /again && echo done > /fixed
"""

ENGINES = {"buildkit": "28.5-overlay2"}
"""The other image store than most tests use; the accuracy's fixtures have multi-stage builds on the usual one."""


@pytest.mark.slow
@pytest.mark.parametrize(
    "builder", [pytest.param(name, marks=MARKS[name]) for name in ("buildkit", "docker", "buildah")]
)
def test_the_compile_s_line(
    builder: str,
    builder_environment: Callable[[str, str | None], Mapping[str, str]],
    tmp_path: Path,
    leaves_nothing: Callable[[Mapping[str, str]], AbstractContextManager[None]],
) -> None:
    environment = builder_environment(builder, ENGINES.get(builder))
    path, report = tmp_path / "Dockerfile", tmp_path / "report.json"
    path.write_text(DOCKERFILE)
    options = ("--builder", builder, "--network", "host", "--quiet", "--report", f"json={report}")
    with leaves_nothing(environment):
        done = verify_build(path, *options, environment=environment)
    assert done.returncode == 1, done.stderr
    found = json.loads(report.read_text("utf-8"))
    assert found["residue"] == []
    lines = {
        (finding["cause"], item): (finding["instruction"]["stage"]["index"], finding["instruction"]["line"])
        for finding in found["findings"]
        if finding["instruction"]
        for item in finding["paths"]
    }
    assert lines["embedded-timestamp", "/usr/bin/compiled"] == (1, 7)
    assert lines["embedded-timestamp", "/usr/bin/copied"] == (0, 3)
    assert lines["embedded-timestamp", "/again"] == (0, 3)
    assert lines["file-mtime", "/usr/bin/compiled"] == (1, 7)
    assert lines["file-mtime", "/fixed"] == (2, 12)
    assert not [note for note in found["notes"] if "copies from a stage" in note or "could not be removed" in note]
