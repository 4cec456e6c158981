"""Fixtures of every test: engines, containers-storage, a registry, base images; each real, none of them the user's."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from tests.machine import (
    STARTED,
    USUAL_ENGINES,
    Engines,
    make_containers_storage,
    note_started,
    remove_containers_storage,
    run_setup,
    stop_started,
    unavailable,
)
from tests.traces import nothing_left

# Tests that look for what was left behind in a store must not run beside others that use it: one group, one worker.
GROUPS = {"engine": "engine", "buildkit": "engine", "buildah": "containers", "podman": "containers"}


def pytest_configure(config: pytest.Config) -> None:
    """Let workers tell the session that commands them what they have started."""
    if not hasattr(config, "workerinput"):
        descriptor, path = tempfile.mkstemp(prefix="tests-started-")
        os.close(descriptor)
        os.environ[STARTED] = path
        os.environ["XDG_STATE_HOME"] = tempfile.mkdtemp(prefix="tests-state-")


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop what was started, once no worker needs it any more."""
    if not hasattr(config, "workerinput") and STARTED in os.environ:
        stop_started()
        shutil.rmtree(os.environ["XDG_STATE_HOME"], ignore_errors=True)


@pytest.hookimpl(wrapper=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> Generator[None]:
    """Keep the tests of one store on one worker; a wrapper, because xdist's own hook reads the groups first of all."""
    for item in items:
        group = next((GROUPS[mark.name] for mark in item.iter_markers() if mark.name in GROUPS), None)
        if group and item.get_closest_marker("xdist_group") is None:
            item.add_marker(pytest.mark.xdist_group(group))
    return (yield)


@pytest.fixture(scope="session")
def engines(tmp_path_factory: pytest.TempPathFactory) -> Engines:
    """Environments by engine name ("20.10", "28.5-containerd", …); asking for one starts it, with base images."""
    return Engines(tmp_path_factory.mktemp("engines"))


@pytest.fixture(scope="session")
def containers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, str]]:
    """The environment of a containers-storage of this session's own, with base images, for Buildah and Podman."""
    folder = tmp_path_factory.mktemp("containers")
    environment = make_containers_storage(folder)
    run_setup("base_images.py", "containers", environment=environment)
    yield environment
    remove_containers_storage(folder, environment)


@pytest.fixture
def builder_environment(
    request: pytest.FixtureRequest, tmp_path: Path
) -> Callable[[str, str | None], Mapping[str, str]]:
    """Give the environment in which a builder, and it alone, is at hand; temporary files are the test's own.

    The engine is the usual one unless another is named.
    """

    def give(builder: str, engine: str | None = None) -> Mapping[str, str]:
        if engine := engine or USUAL_ENGINES.get(builder):
            chosen = request.getfixturevalue("engines")[engine]
        else:
            if shutil.which(builder) is None:
                unavailable(f"{builder} is not installed")
            chosen = request.getfixturevalue("containers")
        scratch = tmp_path / "scratch"
        scratch.mkdir()
        return {**chosen, "TMPDIR": str(scratch)}

    return give


@pytest.fixture(scope="session")
def bases() -> Callable[[str], Path]:
    """Give a base image by name as an archive, which is a docker archive and an OCI archive at once."""
    return lambda name: Path(run_setup("base_images.py", "archive", name).strip())


@pytest.fixture(scope="session")
def registry() -> str:
    """The address of a real registry on loopback, such as 127.0.0.1:40123."""
    if "stopped" in run_setup("registry.sh", "status"):
        note_started("registry.sh", "stop")
    run_setup("registry.sh", "start")
    return run_setup("registry.sh", "url").strip().removeprefix("http://")


@pytest.fixture
def leaves_nothing() -> Callable[[Mapping[str, str]], AbstractContextManager[None]]:
    """Hold that the block leaves nothing behind in the environment's stores, files and processes."""
    return nothing_left
