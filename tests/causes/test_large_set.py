"""A large set of Debian's packages, built twice: everything that differs is explained, on every builder."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from accuracy.run import verify
from tests.machine import MARKS

DOCKERFILE = """\
FROM debian:bookworm-slim
RUN mkdir -p /usr/share/man/man1 \\
 && apt-get update \\
 && apt-get install -y python3 git openssh-server default-jre-headless fontconfig man-db ssl-cert
"""
FOUND = {
    "file-mtime",
    "directory-mtime",
    "apt-log",
    "machine-id",
    "ssh-host-keys",
    "ldconfig-aux-cache",
    "java-cacerts",
    "fontconfig-cache",
    "generated-key",
}


@pytest.mark.slow
@pytest.mark.skipif(not os.environ.get("EVERY_BUILDER"), reason="it takes ten minutes: EVERY_BUILDER=1 asks for it")
@pytest.mark.parametrize(
    "builder", [pytest.param(name, marks=MARKS[name]) for name in ("docker", "buildkit", "buildah")]
)
def test_everything_is_explained(
    builder: str, builder_environment: Callable[[str, str | None], Mapping[str, str]], tmp_path: Path
) -> None:
    (tmp_path / "Dockerfile").write_text(DOCKERFILE, "utf-8")
    path = tmp_path / "report.json"
    done = verify(tmp_path / "Dockerfile", builder, (), path, builder_environment(builder, None))
    assert done.returncode == 1, done.stderr
    report = json.loads(path.read_text("utf-8"))
    assert [report["differences"][number] for number in report["residue"]] == []
    assert report["explained"]["counterfactual"]["equal"]
    assert report["explained"]["differences"] == len(report["differences"]) > 3000
    assert {finding["cause"] for finding in report["findings"]} >= FOUND
    assert {finding["cause"] for finding in report["findings"] if finding["confidence"] == "likely"} <= {
        "machine-id",
        "ssh-host-keys",
        "generated-key",
        "hostname",
    }
