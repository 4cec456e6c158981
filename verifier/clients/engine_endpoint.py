"""Where the Docker engine is: DOCKER_HOST, else the current context, else the default socket, as `docker` decides."""

from __future__ import annotations

import hashlib
import json
import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from verifier.errors import BuilderUnavailableError

DEFAULT_HOST: Final = "unix:///var/run/docker.sock"

_MAX_FILE: Final = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """An engine's address; `certificates` is the folder of ca.pem, cert.pem and key.pem where TLS is asked for."""

    host: str
    origin: str
    certificates: Path | None = None
    verify: bool = True


def config_folder(environment: Mapping[str, str] = os.environ) -> Path:
    """Give the docker client's own folder: DOCKER_CONFIG, else ~/.docker."""
    named = environment.get("DOCKER_CONFIG")
    return Path(named) if named else Path(environment.get("HOME") or "~").expanduser() / ".docker"


def resolve_endpoint(context: str | None = None, environment: Mapping[str, str] = os.environ) -> Endpoint:
    """Resolve the engine's address as the docker client does.

    `context` names a context explicitly. Otherwise DOCKER_HOST goes before DOCKER_CONTEXT, and both before the client
    configuration's `currentContext`. Raises BuilderUnavailableError when a context has no readable description.
    """
    host = environment.get("DOCKER_HOST")
    if context is None and not host:
        context = environment.get("DOCKER_CONTEXT") or _current_context(config_folder(environment))
    if context in (None, "", "default"):
        if not host:
            return Endpoint(host=DEFAULT_HOST, origin="the default socket")
        return _from_environment(host, environment)
    return _from_context(str(context), config_folder(environment))


def probe(endpoint: Endpoint) -> None:
    """Connect to a local socket and hang up. Raises OSError; other addresses are not tried.

    docker-py leaks the socket of a connection that fails, and hides why it failed.
    """
    if not endpoint.host.startswith("unix://"):
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as channel:
        channel.settimeout(10)
        channel.connect("/" + endpoint.host.removeprefix("unix://").lstrip("/"))


def _from_environment(host: str, environment: Mapping[str, str]) -> Endpoint:
    verify = bool(environment.get("DOCKER_TLS_VERIFY"))
    folder = environment.get("DOCKER_CERT_PATH")
    certificates = Path(folder) if folder else (config_folder(environment) if verify else None)
    return Endpoint(host=host, origin="DOCKER_HOST", certificates=certificates, verify=verify)


def _current_context(folder: Path) -> str | None:
    try:
        name = _read_json(folder / "config.json").get("currentContext")
    except (OSError, ValueError):
        return None  # the docker client, too, goes on with the default when it cannot read its configuration
    return name if isinstance(name, str) else None


def _from_context(name: str, folder: Path) -> Endpoint:
    identifier = hashlib.sha256(name.encode()).hexdigest()
    description = folder / "contexts" / "meta" / identifier / "meta.json"
    try:
        endpoint = _read_json(description)["Endpoints"]["docker"]
        host = endpoint["Host"]
        verify = not endpoint.get("SkipTLSVerify", False)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise BuilderUnavailableError(
            f"docker context {name!r} cannot be read", "docker context ls shows the contexts there are"
        ) from None
    certificates = folder / "contexts" / "tls" / identifier / "docker"
    return Endpoint(
        host=str(host),
        origin=f"context {name!r}",
        certificates=certificates if certificates.is_dir() else None,
        verify=verify,
    )


def _read_json(path: Path) -> dict[str, Any]:
    with path.open("rb") as file:
        value = json.loads(file.read(_MAX_FILE))
    if not isinstance(value, dict):
        raise ValueError("not an object")  # noqa: TRY004 - callers handle unreadable content as one kind of error
    return value
