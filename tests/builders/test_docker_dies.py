"""An engine of the test's own: it dies in the middle of a build; and alone with us, nothing at all is left in it."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.builders.engine_runs import Listener, docker, make_plan, use
from tests.machine import run_setup
from verifier.builders.buildkit import buildkit_builder
from verifier.builders.docker import docker_builder
from verifier.builders.protocol import Builder
from verifier.clients.build_cache import from_listing
from verifier.errors import NoVerdictError
from verifier.model.build import BuilderName

pytestmark = [pytest.mark.engine, pytest.mark.buildkit]


@dataclass
class Private:
    process: subprocess.Popen[bytes]
    folder: Path

    def die(self) -> None:
        """Kill the engine as a machine that loses power would, with what it has started."""
        self.process.kill()
        self.process.wait(30)
        end_all(self.folder)


@pytest.fixture
def private(engines: Mapping[str, Mapping[str, str]], monkeypatch: pytest.MonkeyPatch) -> Iterator[Private]:
    environment = dict(engines["28.5-containerd"])
    # Not under tmp_path: the path of a socket is short.
    folder = Path(tempfile.mkdtemp(prefix="engine-"))
    socket = folder / "docker.sock"
    (folder / "daemon.json").write_text(
        json.dumps(
            {
                "features": {"containerd-snapshotter": True},
                "data-root": str(folder / "data"),
                "exec-root": str(folder / "exec"),
                "pidfile": str(folder / "dockerd.pid"),
                "hosts": [f"unix://{socket}"],
                "bridge": "none",
                "iptables": False,
            }
        ),
        "utf-8",
    )
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            ["dockerd", "--config-file", str(folder / "daemon.json")],
            stdout=log,
            stderr=log,
            env=environment,
            start_new_session=True,
        )
    environment["DOCKER_HOST"] = f"unix://{socket}"
    use(environment, monkeypatch)
    try:
        wait_for(process, socket, environment)
        run_setup("base_images.py", "docker", environment=environment)
        yield Private(process, folder)
    finally:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(30)
        end_all(folder)
        unmount_below(folder)
        shutil.rmtree(folder, ignore_errors=True)


def end_all(folder: Path) -> None:
    """Kill what the engine has started: their command lines name its folder."""
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            command = (entry / "cmdline").read_bytes()
        except OSError:
            continue
        if str(folder).encode() in command and int(entry.name) != os.getpid():
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(entry.name), signal.SIGKILL)


def wait_for(process: subprocess.Popen[bytes], socket: Path, environment: Mapping[str, str]) -> None:
    for _ in range(120):
        if process.poll() is not None:
            break
        if socket.exists():
            done = subprocess.run(["docker", "version"], check=False, capture_output=True, env=dict(environment))
            if done.returncode == 0:
                return
        time.sleep(0.5)
    pytest.fail(f"the engine does not start: {(socket.parent / 'log').read_text('utf-8')[-2000:]}")


def unmount_below(folder: Path) -> None:
    mounts = [line.split()[4] for line in Path("/proc/self/mountinfo").read_text("utf-8").splitlines()]
    for mount in sorted((path for path in mounts if path.startswith(f"{folder}/")), reverse=True):
        subprocess.run(["umount", "--lazy", mount], check=False, capture_output=True)


@pytest.mark.parametrize(("name", "builder"), [("docker", docker_builder()), ("buildkit", buildkit_builder())])
def test_an_engine_that_dies_in_the_middle(
    private: Private, name: BuilderName, builder: Builder, tmp_path: Path
) -> None:
    plan = make_plan(tmp_path, name, "FROM busybox:stable\nRUN true\nRUN sleep 300\n")

    def kill(text: str) -> None:
        if "sleep" in text:
            time.sleep(1)
            private.die()

    session = builder.open(plan.workspace)
    began = time.monotonic()
    with session:
        session.hold(plan.references)
        with pytest.raises(NoVerdictError) as caught:
            session.build(plan, 1, Listener(kill))
    assert time.monotonic() - began < 90
    assert caught.value.message.startswith(f"build 1 failed at {plan.dockerfile.path}:3 (RUN sleep 300)")
    assert session.leftovers(), "what cannot be removed any more is named"


def test_alone_with_us_nothing_at_all_is_left(private: Private, tmp_path: Path) -> None:
    dockerfile = "FROM busybox:stable\nWORKDIR /a\nRUN --mount=type=cache,target=/c echo x >>/c/x\nCOPY f /f\n"
    plan = make_plan(tmp_path, "buildkit", dockerfile, {"f": "x"})
    images = set(docker("image", "ls", "--all", "--quiet", "--no-trunc").split())
    with buildkit_builder().open(plan.workspace) as session:
        session.hold(plan.references)
        builds = [session.build(plan, ordinal, Listener()) for ordinal in (1, 2)]
    assert session.leftovers() == ()
    assert not any(step.cached for build in builds for step in build.steps)
    assert from_listing(docker("buildx", "du", "--verbose")) == ()
    assert set(docker("image", "ls", "--all", "--quiet", "--no-trunc").split()) == images
    references = Path(os.environ["DOCKER_CONFIG"]) / "buildx" / "refs"
    assert not [note for note in references.rglob("*") if note.is_file() and str(tmp_path) in note.read_text("utf-8")]
