"""Credentials for registries, as the docker client keeps them: `config.json`, credential helpers, credential stores.

A secret is never part of a message, a log or a `repr`. What a helper says when it fails is not repeated either: nobody
knows what is in it.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal
from urllib.parse import urlsplit

from verifier.clients.engine_endpoint import config_folder
from verifier.clients.process import run
from verifier.errors import NoVerdictError

HELPER_SECONDS: Final = 30.0
"""How long a credential helper may take; some of them ask the network."""

DOCKER_HUB: Final = "docker.io"
_DOCKER_HUB_KEY: Final = "https://index.docker.io/v1/"
_DOCKER_HUB_HOSTS: Final = frozenset({"docker.io", "index.docker.io", "registry-1.docker.io"})
_MAX_FILE: Final = 1024 * 1024
_HELPER_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_TOKEN_USER: Final = "<token>"  # noqa: S105 - the helpers' word for "this is an identity token"

Kind = Literal["password", "identity-token", "registry-token"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential:
    """What a registry may be told.

    A `password` goes with its user name, an `identity-token` is exchanged for tokens of one repository (OAuth 2.0), a
    `registry-token` is sent as it is.
    """

    kind: Kind
    username: str = field(repr=False)
    secret: str = field(repr=False)

    @property
    def basic(self) -> str:
        """User name and password as HTTP's Basic scheme wants them (RFC 7617)."""
        return base64.b64encode(f"{self.username}:{self.secret}".encode()).decode("ascii")


@dataclass(frozen=True, slots=True, kw_only=True)
class Lookup:
    """What was found for a registry; `trouble` says why something that was configured could not be used."""

    credential: Credential | None
    trouble: str | None = None


def find_credential(registry: str, environment: Mapping[str, str]) -> Lookup:
    """Look up a registry's credential (`host[:port]`, `docker.io` for Docker Hub).

    A helper of the registry's own goes first, then the credential store, then what the file itself holds; what fails is
    passed over and told in `trouble`: many registries need no credential for reading.
    """
    path = config_folder(environment) / "config.json"
    try:
        config = _read_config(path)
    except _UnusableError as error:
        return Lookup(credential=None, trouble=str(error))
    trouble = None
    helper = _helper_for(registry, config)
    if helper is not None:
        try:
            found = _ask_helper(helper, _key_of(registry), environment)
        except _UnusableError as error:
            trouble = str(error)
        else:
            if found is not None:
                return Lookup(credential=found)
    try:
        return Lookup(credential=_from_file(registry, config), trouble=trouble)
    except _UnusableError as error:
        return Lookup(credential=None, trouble=trouble or f"{path}: {error}")


class _UnusableError(Exception):
    """Something that is configured cannot be used; the words are fit for a hint."""


def _read_config(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as stream:
            raw = stream.read(_MAX_FILE + 1)
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except OSError as error:
        raise _UnusableError(f"{path} cannot be read: {error.strerror}") from None
    if len(raw) > _MAX_FILE:
        raise _UnusableError(f"{path} is larger than {_MAX_FILE} bytes")
    try:
        value = json.loads(raw)
    except (ValueError, RecursionError):
        raise _UnusableError(f"{path} is not JSON") from None
    return value if isinstance(value, dict) else {}


def _helper_for(registry: str, config: Mapping[str, Any]) -> str | None:
    helpers = _object(config, "credHelpers")
    own = next((name for key, name in helpers.items() if _is_of(key, registry)), None)
    name = own or config.get("credsStore")
    return name if isinstance(name, str) and name else None


def _ask_helper(name: str, key: str, environment: Mapping[str, str]) -> Credential | None:
    """Ask `docker-credential-NAME get`; None when it has nothing for this registry."""
    if not _HELPER_NAME.fullmatch(name):
        raise _UnusableError("config.json names a credential helper with a name that is none")
    program = f"docker-credential-{name}"
    try:
        done = run([program, "get"], timeout=HELPER_SECONDS, environment=environment, input_bytes=key.encode())
    except NoVerdictError as error:
        raise _UnusableError(error.message) from None
    if done.status != 0:
        if b"credentials not found" in done.stdout + done.stderr:
            return None
        raise _UnusableError(f"{program} failed with exit status {done.status}")
    try:
        answer = json.loads(done.stdout)
        username, secret = answer["Username"], answer["Secret"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise _UnusableError(f"{program} did not answer as a helper does") from None
    if not (isinstance(username, str) and isinstance(secret, str)):
        raise _UnusableError(f"{program} did not answer as a helper does")
    if not username and not secret:
        return None
    kind: Kind = "identity-token" if username == _TOKEN_USER else "password"
    return Credential(kind=kind, username=username, secret=secret)


def _from_file(registry: str, config: Mapping[str, Any]) -> Credential | None:
    auths = _object(config, "auths")
    key = _key_of(registry)
    names = [name for name in (key, registry) if name in auths]
    names += [name for name in auths if name not in names and _is_of(name, registry)]
    for name in names:
        entry = auths[name]
        found = _from_entry(entry) if isinstance(entry, dict) else None
        if found is not None:
            return found
    return None


def _from_entry(entry: Mapping[str, Any]) -> Credential | None:
    texts = {key: value for key, value in entry.items() if isinstance(value, str) and value}
    username, password = texts.get("username", ""), texts.get("password", "")
    if "auth" in texts:
        username, password = _decoded(texts["auth"])
    if "identitytoken" in texts:
        return Credential(kind="identity-token", username=_TOKEN_USER, secret=texts["identitytoken"])
    if "registrytoken" in texts:
        return Credential(kind="registry-token", username="", secret=texts["registrytoken"])
    return Credential(kind="password", username=username, secret=password) if username else None


def _decoded(auth: str) -> tuple[str, str]:
    try:
        username, colon, password = base64.b64decode(auth, validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        colon = ""
    if not colon:
        raise _UnusableError("an `auth` in it is not base64 of NAME:PASSWORD")
    return username, password.strip("\0")


def _key_of(registry: str) -> str:
    """Give the name that Docker files a registry under."""
    return _DOCKER_HUB_KEY if registry == DOCKER_HUB else registry


def _is_of(key: str, registry: str) -> bool:
    """Tell whether a key of config.json, which may be an address with a path, means a registry."""
    host = urlsplit(key if "://" in key else f"//{key}").netloc
    return host in _DOCKER_HUB_HOSTS if registry == DOCKER_HUB else host == registry


def _object(config: Mapping[str, Any], key: str) -> dict[str, Any]:
    value = config.get(key)
    return value if isinstance(value, dict) else {}
