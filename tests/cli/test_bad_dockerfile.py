"""Every Dockerfile, context and builder that cannot be used is refused in words, with the contract's exit code."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from tests.cli.tool import error_lines, verify_build

Holds = Callable[[Mapping[str, str]], AbstractContextManager[None]]


def write(folder: Path, text: str | bytes) -> Path:
    path = folder / "Dockerfile"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "empty"),
        ("# only a comment\n", "no instruction"),
        (b"\x7fELF\x02\x01\x01\x00\x00\x00", "binary"),
        ("FROM scratch\nCPOY a b\n", ":2"),
        ("FROM scratch\nCOPY\n", ":2"),
        ("RUN true\n", ":1"),
        ("FROM scratch\nENV A=${\n", ":2"),
        ("FROM scratch\nCOPY --chown a\n", ":2"),
    ],
    ids=["empty", "comment", "binary", "unknown-instruction", "no-arguments", "no-from", "bad-variable", "bad-flag"],
)
def test_a_dockerfile_that_cannot_be_meant_is_exit_2(tmp_path: Path, text: str | bytes, words: str) -> None:
    done = verify_build(write(tmp_path, text), "--builder", "buildah")
    assert done.returncode == 2, done.stderr
    assert words in error_lines(done)[0]
    assert done.stdout == ""


def test_no_such_dockerfile_and_a_directory_are_exit_2(tmp_path: Path) -> None:
    missing = verify_build(tmp_path / "Nowhere")
    assert (missing.returncode, "Nowhere" in error_lines(missing)[0]) == (2, True)
    folder = verify_build(tmp_path)
    assert (folder.returncode, "directory" in error_lines(folder)[0]) == (2, True)


def test_a_target_that_does_not_exist_is_exit_2(tmp_path: Path) -> None:
    done = verify_build(write(tmp_path, "FROM scratch AS one\n"), "--builder", "buildah", "--target", "two")
    assert done.returncode == 2, done.stderr
    assert "two" in error_lines(done)[0]


def test_a_context_that_is_missing_is_exit_2(tmp_path: Path) -> None:
    done = verify_build(write(tmp_path, "FROM scratch\n"), "--context", tmp_path / "no")
    assert done.returncode == 2, done.stderr
    assert "no" in error_lines(done)[0]


def test_without_any_builder_the_way_out_is_told(tmp_path: Path) -> None:
    nothing = {**os.environ, "PATH": "/nonexistent", "DOCKER_HOST": f"unix://{tmp_path}/none.sock"}
    report = tmp_path / "report.json"
    done = verify_build(write(tmp_path, "FROM scratch\n"), "--report", f"json={report}", environment=nothing)
    assert done.returncode == 3, done.stderr
    assert len(error_lines(done)) == 2
    value = json.loads(report.read_text())
    assert (value["outcome"], value["error"]["code"]) == ("no-verdict", "no-builder")
    doctor = verify_build("doctor", environment=nothing)
    assert doctor.returncode == 3
    assert doctor.stdout.count("apt-get install") >= 3


@pytest.mark.buildah
def test_a_context_with_a_socket_a_fifo_and_a_link_out_of_it_is_built(
    tmp_path: Path, containers: Mapping[str, str], leaves_nothing: Holds
) -> None:
    dockerfile = write(tmp_path, "FROM scratch\nCOPY . /\n")
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "out").symlink_to("/etc/passwd")
    (tmp_path / ".dockerignore").write_text("fifo\nDockerfile\n")
    with socket.socket(socket.AF_UNIX) as server, leaves_nothing(containers):
        server.bind(str(tmp_path / "sock"))
        done = verify_build(
            dockerfile, "--builder", "buildah", "--reproducible", "--format", "json", environment=containers
        )
    assert done.returncode == 0, done.stderr
    assert any("sock" in note for note in json.loads(done.stdout)["notes"])


@pytest.mark.buildah
def test_a_build_that_fails_says_which_instruction_and_line(
    tmp_path: Path, containers: Mapping[str, str], leaves_nothing: Holds
) -> None:
    dockerfile = write(tmp_path, "FROM busybox:stable\nRUN true\n\nRUN echo reason; exit 7\n")
    with leaves_nothing(containers):
        done = verify_build(dockerfile, "--builder", "buildah", "--format", "json", environment=containers)
    assert done.returncode == 3, done.stderr
    error = error_lines(done)[0]
    assert f"build 1 of 2 failed at {dockerfile}:4" in error
    assert "exit 7" in error
    assert any("reason" in note for note in json.loads(done.stdout)["notes"])


class Fickle(BaseHTTPRequestHandler):
    """Answers once, and never again."""

    answered = False

    def do_GET(self) -> None:
        self.send_response(404 if Fickle.answered else 200)
        Fickle.answered = True
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base class's name
        pass


@pytest.mark.buildah
def test_the_second_build_may_fail_alone(tmp_path: Path, containers: Mapping[str, str], leaves_nothing: Holds) -> None:
    Fickle.answered = False
    with ThreadingHTTPServer(("127.0.0.1", 0), Fickle) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}/"
        dockerfile = write(tmp_path, f"FROM busybox:stable\nRUN wget -q -O /dev/null {url}\n")
        with leaves_nothing(containers):
            done = verify_build(dockerfile, "--builder", "buildah", "--network", "host", environment=containers)
        server.shutdown()
    assert done.returncode == 3, done.stderr
    assert "build 2 of 2 failed" in error_lines(done)[0]


@pytest.mark.buildah
def test_a_base_that_is_nowhere_is_exit_3(tmp_path: Path, containers: Mapping[str, str], leaves_nothing: Holds) -> None:
    dockerfile = write(tmp_path, "FROM 127.0.0.1:9/no/such:base\n")
    with leaves_nothing(containers):
        done = verify_build(dockerfile, "--builder", "buildah", environment=containers)
    assert done.returncode == 3, done.stderr
    assert "no/such:base" in error_lines(done)[0]
