"""The Docker engine: how it is found, and what it says of itself. The client itself is imported when it is needed.

docker-py takes 150 ms to import; only `connect_engine` pays for it.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from verifier.clients.engine_endpoint import Endpoint, resolve_endpoint
from verifier.errors import BuilderUnavailableError, VerifyBuildError

if TYPE_CHECKING:
    from verifier.clients.engine_client import Engine


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineFacts:
    """What an engine says of itself; `containerd_store` tells the containerd image store from the old one.

    `product` is the name of its main component ("Engine", "Podman Engine").
    """

    product: str
    version: str
    api_version: str
    driver: str
    containerd_store: bool
    os: str
    architecture: str

    @property
    def version_numbers(self) -> tuple[int, int]:
        """Major and minor version, zeros where there are none."""
        major, minor = [*self.version.partition("+")[0].split("."), "0", "0"][:2]
        return (int(major) if major.isdecimal() else 0, int(minor) if minor.isdecimal() else 0)

    @property
    def store_name(self) -> str:
        """The image store in words."""
        return "containerd image store" if self.containerd_store else f"{self.driver} image store"


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredImage:
    """One image as the engine lists it; `parent` is "" where it has none that the engine knows of."""

    id: str
    parent: str
    tags: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredContainer:
    """One container as the engine lists it; `image` is the image's ID, `command` is for people."""

    id: str
    image: str
    command: str


def connect_engine(context: str | None = None) -> Engine:
    """Connect to the engine that the docker client would use, or to that of a named context.

    Raises BuilderUnavailableError, with the command that would mend it as hint.
    """
    from verifier.clients.engine_client import Engine, open_client  # noqa: PLC0415 - docker-py takes 150 ms

    endpoint = resolve_endpoint(context)
    try:
        return Engine(open_client(endpoint), endpoint)
    except VerifyBuildError:
        raise
    except Exception as error:
        raise unreachable(endpoint, error) from error


def unreachable(endpoint: Endpoint, error: Exception, *, lost: bool = False) -> BuilderUnavailableError:
    """Say why an engine cannot be reached, or (`lost`) that it no longer can, and what would mend it."""
    at = f"the Docker engine at {endpoint.host} ({endpoint.origin})"
    if isinstance(error, PermissionError) or "Permission denied" in str(error):
        return BuilderUnavailableError(f"{at} may not be used by this user", "sudo usermod -aG docker $USER")
    if lost:
        return BuilderUnavailableError(f"{at} no longer answers", "sudo systemctl status docker")
    if endpoint.origin == "the default socket":
        installed = shutil.which("dockerd") or Path("/usr/sbin/dockerd").exists()
        hint = "sudo systemctl start docker" if installed else "sudo apt-get install docker.io"
        return BuilderUnavailableError(f"{at} does not answer", hint)
    return BuilderUnavailableError(f"{at} does not answer", "docker context ls shows the engines that are known")
