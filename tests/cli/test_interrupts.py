"""Ctrl-C at every stage ends the run with 130 and leaves nothing behind; so do SIGTERM and a second Ctrl-C."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from tests.cli.tool import TOOL

Holds = Callable[[Mapping[str, str]], AbstractContextManager[None]]

DOCKERFILE = """\
FROM busybox:stable
WORKDIR /work
RUN echo begun; sleep 1; echo done > /work/file
RUN echo last; sleep 1
"""


def interrupt_at(
    sign: str, arguments: list[str], environment: Mapping[str, str], number: int = signal.SIGINT, times: int = 1
) -> tuple[int, str]:
    """Run the tool, send it a signal once `sign` is on stderr, and give its exit code and stderr."""
    process = subprocess.Popen(
        [*TOOL, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        text=True,
        env=dict(environment),
    )
    assert process.stderr is not None
    seen = []
    for line in process.stderr:
        seen.append(line)
        if sign in line:
            for _ in range(times):
                os.kill(process.pid, number)
            break
    else:
        pytest.fail(f"{sign!r} was never said: {''.join(seen)}")
    _, rest = process.communicate(timeout=120)
    return process.returncode, "".join(seen) + rest


STAGES = ["asked for", "[build 1 of 2]", "begun", "last", "[build 2 of 2]"]


@pytest.mark.parametrize("sign", STAGES)
@pytest.mark.parametrize(
    "builder", [pytest.param("buildah", marks=pytest.mark.buildah), pytest.param("podman", marks=pytest.mark.podman)]
)
def test_buildah_and_podman(
    tmp_path: Path, sign: str, builder: str, containers: Mapping[str, str], leaves_nothing: Holds
) -> None:
    (tmp_path / "Dockerfile").write_text(DOCKERFILE)
    with leaves_nothing(containers):
        status, stderr = interrupt_at(sign, [str(tmp_path / "Dockerfile"), "--builder", builder], containers)
    assert status == 130, stderr
    assert "error: interrupted" in stderr
    assert "Traceback" not in stderr


@pytest.mark.parametrize("sign", ["asked for", "begun", "[build 2 of 2]"])
@pytest.mark.parametrize(
    "builder", [pytest.param("docker", marks=pytest.mark.engine), pytest.param("buildkit", marks=pytest.mark.buildkit)]
)
def test_docker_and_buildkit(
    tmp_path: Path, sign: str, builder: str, engines: Mapping[str, Mapping[str, str]], leaves_nothing: Holds
) -> None:
    environment = engines["28.5-containerd"]
    (tmp_path / "Dockerfile").write_text(DOCKERFILE)
    with leaves_nothing(environment):
        status, stderr = interrupt_at(
            sign, [str(tmp_path / "Dockerfile"), "--builder", builder, "--network", "none"], environment
        )
    assert status == 130, stderr
    assert "error: interrupted" in stderr
    assert "Traceback" not in stderr


@pytest.mark.buildah
@pytest.mark.parametrize(("number", "times"), [(signal.SIGTERM, 1), (signal.SIGHUP, 1), (signal.SIGINT, 3)])
def test_other_signals_and_impatience(
    tmp_path: Path, number: int, times: int, containers: Mapping[str, str], leaves_nothing: Holds
) -> None:
    (tmp_path / "Dockerfile").write_text(DOCKERFILE)
    with leaves_nothing(containers):
        status, stderr = interrupt_at(
            "begun", [str(tmp_path / "Dockerfile"), "--builder", "buildah"], containers, number, times
        )
    assert status == 130, stderr
    assert "Traceback" not in stderr
