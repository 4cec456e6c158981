"""The shell scripts of `setup/`: what they refuse, and that what they start is there."""

from __future__ import annotations

import shutil
import subprocess
import urllib.request
from pathlib import Path

import pytest

from tests.machine import ENGINES, SETUP, Engines, run_setup


def run(script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([SETUP / script, *arguments], capture_output=True, text=True, check=False, timeout=60)


@pytest.mark.parametrize(
    ("script", "arguments", "says"),
    [
        ("engines.sh", (), "usage: engines.sh"),
        ("engines.sh", ("dance",), "usage: engines.sh"),
        ("engines.sh", ("env", "1.0"), "no such engine: 1.0"),
        ("registry.sh", (), "usage: registry.sh"),
        ("tool.sh", ("--prod",), "usage: tool.sh"),
        ("verify.sh", (), "usage: verify.sh"),
        ("unpack.sh", ("trixie",), "usage: unpack.sh"),
    ],
)
def test_bad_usage_is_told_and_nothing_is_done(script: str, arguments: tuple[str, ...], says: str) -> None:
    done = run(script, *arguments)
    assert done.returncode != 0
    assert says in done.stderr
    assert done.stdout == ""


def test_the_engines_that_tests_name_are_those_that_the_script_knows() -> None:
    assert tuple(run_setup("engines.sh", "names").split()) == ENGINES


@pytest.mark.engine
@pytest.mark.parametrize("name", ["20.10", "28.5-containerd"])
def test_an_engine_is_of_the_version_that_its_name_says(engines: Engines, name: str) -> None:
    argv = ["docker", "version", "--format", "{{.Client.Version}} {{.Server.Version}}"]
    done = subprocess.run(argv, capture_output=True, text=True, check=True, env=dict(engines[name]))
    client, server = done.stdout.split()
    version = name.split("-", maxsplit=1)[0]
    assert client.startswith(version)
    assert server.startswith(version)


@pytest.mark.engine
def test_starting_an_engine_twice_keeps_the_one_that_runs(engines: Engines) -> None:
    pidfile = Path(engines["20.10"]["DOCKER_CONFIG"]).parent / "dockerd.pid"
    before = pidfile.read_text("utf-8")
    assert run("engines.sh", "start", "20.10").returncode == 0
    assert pidfile.read_text("utf-8") == before


def test_the_registry_answers_on_loopback(registry: str) -> None:
    assert registry.startswith("127.0.0.1:")
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(f"http://{registry}/v2/", timeout=10) as answer:
        assert answer.status == 200


def test_every_script_is_clean_for_the_shell_that_runs_it() -> None:
    shell = shutil.which("dash") or shutil.which("sh")
    assert shell
    for script in SETUP.glob("*.sh"):
        done = subprocess.run([shell, "-n", script], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
