"""What is asked for beside the verdict, on real builders: variation, a build without a network, downloads, diff_ids."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest

from tests.cli.tool import error_lines, verify_build
from tests.servers import changing_server

Environment = Callable[[str, str | None], Mapping[str, str]]
Holds = Callable[[Mapping[str, str]], AbstractContextManager[None]]


@pytest.fixture
def url() -> Iterator[str]:
    with changing_server(digits=5) as address:
        yield address


def report_of(environment: Mapping[str, str], *arguments: str | Path) -> Any:
    done = verify_build(*arguments, "--quiet", "--format", "json", environment=environment)
    assert done.returncode in (0, 1), done.stderr
    assert "Traceback" not in done.stderr, done.stderr
    return json.loads(done.stdout)


def matters(report: Any) -> dict[str, set[str]]:
    differences = report["differences"]
    return {
        effect["factor"]: {differences[number]["path"] for number in effect["differences"]}
        for effect in report["variation"]["effects"]
    }


@pytest.mark.buildkit
def test_on_buildkit(tmp_path: Path, url: str, builder_environment: Environment, leaves_nothing: Holds) -> None:
    (tmp_path / "Dockerfile").write_text(
        "FROM busybox:stable\n"
        "RUN hostname > /name; date +%Z > /zone\n"
        f"RUN wget -q -O /same {url}/same && wget -q -O /other {url}/other\n"
    )
    environment = builder_environment("buildkit", None)
    with leaves_nothing(environment):
        report = report_of(
            environment, tmp_path / "Dockerfile", "--builder", "buildkit", "--network", "host", "--reproducible",
            "--vary", "hostname,timezone", "--record-network", "--probe-offline", "--keep", tmp_path / "kept",
        )  # fmt: skip
    assert report["inputs"]["varied"] == ["hostname", "timezone"]
    assert matters(report) == {"hostname": {"/name"}, "timezone": {"/zone"}}
    unvaried = {report["differences"][number]["path"] for number in report["variation"]["unvaried"]}
    assert unvaried == {"/other"}
    assert report["network"]["offline"]["instruction"]["line"] == 3
    downloads = {item["where"].rpartition("/")[2]: item for item in report["network"]["downloads"]}
    assert {name: item["same"] for name, item in downloads.items()} == {"same": True, "other": False}
    assert {instruction["line"] for item in downloads.values() for instruction in item["instructions"]} == {3}
    assert downloads["same"]["first"]["bytes"] == 4
    traces = [b"_proxy", b"_PROXY", b"secret", b"SANDBOX", b"GMT-14"]
    for blob in (tmp_path / "kept" / "second" / "blobs").rglob("*"):
        if blob.is_file() and blob.read_bytes().startswith(b"{"):
            assert not [trace for trace in traces if trace in blob.read_bytes()]


@pytest.mark.buildah
def test_on_buildah(tmp_path: Path, url: str, containers: Mapping[str, str], leaves_nothing: Holds) -> None:
    (tmp_path / "file").write_text("content\n")
    (tmp_path / "Dockerfile").write_text(
        "FROM busybox:stable\n"
        "COPY file /file\n"
        f"RUN nproc > /cpus; wget -q -O /same {url}/same\n"
        "RUN date > /date; ln -s date /link\n"
    )
    with leaves_nothing(containers):
        report = report_of(
            containers, tmp_path / "Dockerfile", "--builder", "buildah", "--network", "host",
            "--vary", "cpus,mode", "--record-network", "--prove-diff-ids",
        )  # fmt: skip
    found = matters(report)
    assert found["cpus"] == {"/cpus"}
    assert "/file" in found["mode"]
    assert [item["same"] for item in report["network"]["downloads"]] == [True]
    proven = report["explained"]["diff_ids"][-1]
    assert proven["equal"] is True
    assert proven["first"] not in (report["builds"]["first"]["layers"][-1]["diff_id"], None)


@pytest.mark.buildah
def test_what_a_builder_cannot_vary_is_refused_by_name(tmp_path: Path, containers: Mapping[str, str]) -> None:
    (tmp_path / "Dockerfile").write_text("FROM busybox:stable\n")
    done = verify_build(tmp_path / "Dockerfile", "--builder", "buildah", "--vary", "timezone", environment=containers)
    assert done.returncode == 2
    assert error_lines(done)[0].startswith("error: --vary timezone cannot be done: buildah ")
