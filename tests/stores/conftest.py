"""Fixtures of the tests of stores: registries that misbehave, over real HTTP."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.stores.registry_server import RegistryServer, serve
from verifier.oci.reference import parse_reference
from verifier.stores.registry import Access, Patience, Repository

OpenRepository = Callable[..., Repository]


class Pauses(list[float]):
    """The pauses that were asked for; nobody sleeps."""

    def __call__(self, seconds: float) -> None:
        self.append(seconds)


@pytest.fixture
def server() -> Iterator[RegistryServer]:
    with serve() as registry:
        yield registry


@pytest.fixture
def pauses() -> Pauses:
    return Pauses()


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """An environment in which nothing is configured; tests add to it."""
    config = tmp_path / "docker-config"
    config.mkdir()
    return {"DOCKER_CONFIG": str(config), "HOME": str(tmp_path), "PATH": "/usr/bin:/bin"}


@pytest.fixture
def access(environment: dict[str, str], pauses: Pauses) -> Access:
    """Reach registries without pauses."""
    return Access(environment=environment, patience=Patience(retry_seconds=30, sleep=pauses))


@pytest.fixture
def impatient(server: RegistryServer, environment: dict[str, str], pauses: Pauses) -> Iterator[Repository]:
    """The repository `x` of the server, which is waited for fractions of a second alone."""
    patience = Patience(idle_seconds=0.5, start_seconds=1, bytes_per_second=1000, retry_seconds=30, sleep=pauses)
    access = Access(environment=environment, patience=patience)
    with Repository(parse_reference(f"{server.address}/x:one"), access) as opened:
        yield opened


@pytest.fixture
def repository(server: RegistryServer, access: Access) -> Iterator[Repository]:
    """The repository `x` of the server."""
    with Repository(parse_reference(f"{server.address}/x:one"), access) as opened:
        yield opened
