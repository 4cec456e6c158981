"""The engine's API through docker-py's low-level client; the API version is always the negotiated one.

Import this only where an engine is about to be used: see `verifier.clients.engine.connect_engine`.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Generator, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self, cast

import requests
import urllib3
from docker import APIClient, auth
from docker.errors import APIError, DockerException, NotFound
from docker.tls import TLSConfig
from docker.utils.config import load_general_config
from docker.utils.proxy import ProxyConfig

from verifier.clients.build_cache import CacheRecord, from_engine, pattern_for
from verifier.clients.engine import EngineFacts, StoredContainer, StoredImage, unreachable
from verifier.clients.engine_endpoint import Endpoint, probe
from verifier.clients.engine_export import write_bounded
from verifier.clients.engine_stream import Message, read_messages
from verifier.clients.timestamps import parse_timestamp
from verifier.errors import StoreError
from verifier.oci.digest import Digest, parse_digest

ANSWER_SECONDS: Final = 60.0
"""How long the engine may take to answer a question."""

SILENT_EXPORT_SECONDS: Final = 600.0
"""How long an export may pause between two pieces; the containerd store packs large layers before it sends any."""

PULL_SECONDS: Final = 1_800.0
"""How long a pull may take."""

_PIECE: Final = 1024 * 1024
_NO_CREDENTIAL: Final = "e30="
"""An empty JSON object, as the engine's API wants credentials."""


def open_client(endpoint: Endpoint) -> APIClient:
    """Open a client to an address; it asks for the API version at once and raises whatever docker-py raises."""
    probe(endpoint)
    tls: TLSConfig | bool = False
    if endpoint.certificates is not None:
        folder = endpoint.certificates
        certificate = (str(folder / "cert.pem"), str(folder / "key.pem"))
        authority = folder / "ca.pem"
        tls = TLSConfig(
            client_cert=certificate if Path(certificate[0]).exists() else None,
            ca_cert=str(authority) if authority.exists() else None,
            verify=endpoint.verify,
        )
    over_ssh = endpoint.host.startswith("ssh://")
    return APIClient(
        base_url=endpoint.host, timeout=int(ANSWER_SECONDS), tls=tls, use_ssh_client=over_ssh, max_pool_size=4
    )


class Engine:
    """An engine that answers. Close it, or use it as a context manager."""

    def __init__(self, client: APIClient, endpoint: Endpoint) -> None:
        self._client = client
        self.endpoint = endpoint

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of every connection."""
        self._client.close()

    def answers(self) -> bool:
        """Ask whether the engine is still there."""
        try:
            probe(self.endpoint)
            return bool(self._client.ping())
        except Exception:  # noqa: BLE001 - whatever goes wrong here means that it is not
            return False

    def describe(self) -> EngineFacts:
        """Ask for versions, storage and platform. Raises BuilderUnavailableError."""
        with self._asking("info"):
            info = self._client.info()
            components = self._client.version(api_version=False).get("Components") or ()
            status = dict(pair for pair in info.get("DriverStatus") or () if len(pair) == 2)
            return EngineFacts(
                product=str(next((part.get("Name") for part in components), "Engine")),
                version=str(info.get("ServerVersion") or "unknown"),
                api_version=str(self._client.api_version),
                driver=str(info.get("Driver") or "unknown"),
                containerd_store="containerd.snapshotter" in str(status.get("driver-type", "")),
                os=str(info.get("OSType") or "linux"),
                architecture=str(info.get("Architecture") or "unknown"),
            )

    def clock(self) -> datetime:
        """Read the engine's own clock, in UTC."""
        with self._asking("info"):
            return parse_timestamp(self._client.info().get("SystemTime")) or datetime.now(UTC)

    def inspect_image(self, name: str) -> Mapping[str, Any] | None:
        """Give the engine's own description of an image, None when it has no such image. Raises StoreError."""
        with self._asking(f"image {name}"):
            try:
                return cast("dict[str, Any]", self._client.inspect_image(name))  # type: ignore[no-untyped-call]
            except NotFound:
                return None

    def images(self) -> tuple[StoredImage, ...]:
        """List every image, those without a tag and those of intermediate steps included."""
        with self._asking("images"):
            return tuple(
                StoredImage(
                    id=image["Id"],
                    parent=image.get("ParentId") or "",
                    tags=tuple(tag for tag in image.get("RepoTags") or () if tag != "<none>:<none>"),
                )
                for image in self._client.images(all=True)
            )

    def containers(self) -> tuple[StoredContainer, ...]:
        """List every container, running or not."""
        with self._asking("containers"):
            return tuple(
                StoredContainer(
                    id=item["Id"], image=str(item.get("ImageID") or ""), command=str(item.get("Command") or "")
                )
                for item in self._client.containers(all=True)
            )

    def tag(self, image: str, name: str) -> None:
        """Give an image another name, `repository:tag`. Raises StoreError."""
        repository, _, tag = name.rpartition(":") if ":" in name.rsplit("/", 1)[-1] else (name, "", "latest")
        with self._asking(f"image {image}"):
            self._client.tag(image, repository, tag)

    def remove_image(self, name: str) -> bool:
        """Remove a tag, or an image by its ID, never its parents; tell whether it was there. Raises StoreError."""
        with self._asking(f"image {name}"):
            try:
                self._client.remove_image(name, noprune=True)
            except NotFound:
                return False
            return True

    def remove_container(self, identifier: str) -> bool:
        """Remove a container by its ID, running or not; tell whether it was there. Raises StoreError."""
        with self._asking(f"container {identifier[:12]}"):
            try:
                self._client.remove_container(identifier, force=True, v=True)
            except NotFound:
                return False
            return True

    def save(self, name: str, destination: Path, limit_bytes: int | None = None) -> None:
        """Write an image as the engine exports it (`docker save`) to `destination`, a file that must not exist.

        `limit_bytes` bounds the export. Raises StoreError when there is no such image, when the engine breaks off, or
        past the limit, ResourceError when the file cannot be written; no file is left behind then.
        """
        with self._asking(f"image {name}"), self._get(f"/images/{name}/get") as response:
            write_bounded(response, destination, limit_bytes, f"image {name}")

    def load(self, archive: Path) -> str | None:
        """Load an archive (`docker load`) and give the name or ID that the engine tells. Raises StoreError."""
        loaded: str | None = None
        with self._asking(f"loading {archive.name}"), archive.open("rb") as data:
            for message in self._post("/images/load", {"quiet": "1"}, data, None, PULL_SECONDS):
                if "error" in message:
                    raise StoreError(f"the Docker engine cannot load {archive.name}: {message['error']}")
                words = str(message.get("stream", "")).strip().rpartition(": ")
                if words[0].startswith("Loaded image"):
                    loaded = words[2]
        return loaded

    def pull(self, name: str, platform: str | None) -> None:
        """Pull an image by tag or by digest. Raises StoreError with the registry's words."""
        repository, separator, tag = name.partition("@")
        if not separator:
            repository, tag = name.rsplit(":", 1) if ":" in name.rsplit("/", 1)[-1] else (name, "latest")
        parameters = {"fromImage": repository, "tag": tag, **({"platform": platform} if platform else {})}
        with self._asking(f"pulling {name}"):
            headers = self._credentials_for(repository)
            for message in self._post("/images/create", parameters, None, headers, PULL_SECONDS):
                if "error" in message:
                    raise StoreError(f"{name} cannot be pulled: {message['error']}")

    def push(self, name: str) -> Digest:
        """Push a tag and give the manifest's digest as the registry answers with it. Raises StoreError."""
        repository, _, tag = name.rpartition(":")
        pushed: object = None
        with self._asking(f"pushing {name}"):
            # engines before 28 refuse a push without this header, even where no credential is needed
            headers = {"X-Registry-Auth": _NO_CREDENTIAL, **self._credentials_for(repository)}
            for message in self._post(f"/images/{repository}/push", {"tag": tag}, None, headers, PULL_SECONDS):
                if "error" in message:
                    raise StoreError(f"{name} cannot be pushed: {message['error']}")
                told = message.get("aux")
                pushed = told.get("Digest", pushed) if isinstance(told, dict) else pushed
        return parse_digest(pushed, f"the Docker engine's digest of {name}")

    def build(
        self, archive: Path, parameters: Mapping[str, str], timeout: float | None
    ) -> Generator[Message, None, None]:
        """Build with the classic builder from a context archive and yield the messages as they come.

        Closing cancels; a failing build says so in a message. Raises NoVerdictError when the engine goes away, at the
        time limit (in seconds), StoreError when the engine refuses at once.
        """
        headers = {"Content-Type": "application/x-tar"}
        with self._asking("build"), archive.open("rb") as data:
            yield from self._post("/build", parameters, data, headers, timeout)

    @property
    def has_cache_api(self) -> bool:
        """Whether the build cache can be listed alone (API 1.42); before, the question weighs every image too."""
        return _api_numbers(self._client.api_version) >= (1, 42)

    def cache_records(self) -> tuple[CacheRecord, ...]:
        """List BuildKit's cache in this engine. Raises StoreError."""
        with self._asking("build cache"):
            response = self._client.get(self._url("/system/df"), params={"type": "build-cache"}, timeout=ANSWER_SECONDS)
            _raise_for(response)
            return from_engine(response.json().get("BuildCache"))

    def prune_cache(self, identifiers: Iterable[str]) -> None:
        """Remove exactly these records of BuildKit's cache, as far as nothing uses them. Raises StoreError."""
        parameters = {"all": "1", "filters": json.dumps({"id": [pattern_for(identifiers)]})}
        with self._asking("build cache"):
            _raise_for(self._client.post(self._url("/build/prune"), params=parameters, timeout=ANSWER_SECONDS))

    def proxy_arguments(self) -> dict[str, str]:
        """Give the build arguments that the docker client adds for the proxies of its configuration."""
        proxies = load_general_config().get("proxies") or {}
        chosen: Any = proxies.get(self.endpoint.host) or proxies.get("default") or {}
        return {key: str(value) for key, value in ProxyConfig.from_dict(chosen).get_environment().items()}

    def _credentials_for(self, repository: str) -> dict[str, str]:
        header = auth.get_config_header(self._client, auth.resolve_repository_name(repository)[0])
        return {"X-Registry-Auth": _text(header)} if header else {}

    def _url(self, path: str) -> str:
        return f"{self._client.base_url}/v{self._client.api_version}{path}"

    @contextlib.contextmanager
    def _get(self, path: str) -> Iterator[Any]:
        response = self._client.get(self._url(path), stream=True, timeout=(ANSWER_SECONDS, SILENT_EXPORT_SECONDS))
        try:
            _raise_for(response)
            yield response
        finally:
            response.close()

    def _post(
        self,
        path: str,
        parameters: Mapping[str, str],
        data: Any,
        headers: Mapping[str, str] | None,
        timeout: float | None,
    ) -> Iterator[Message]:
        response = self._client.post(
            self._url(path),
            params=dict(parameters),
            data=data,
            headers=dict(headers or {}),
            stream=True,
            timeout=(ANSWER_SECONDS, None),
        )
        try:
            _raise_for(response)
        except BaseException:
            response.close()
            raise
        yield from read_messages(response, alive=self.answers, timeout=timeout)

    @contextlib.contextmanager
    def _asking(self, what: str) -> Iterator[None]:
        """Turn the client's exceptions into ours; `what` is what the question is about."""
        try:
            probe(self.endpoint)
        except OSError as error:
            raise unreachable(self.endpoint, error, lost=True) from error
        try:
            yield
        except NotFound as error:
            raise StoreError(f"{what}: the Docker engine has no such thing: {_explain(error)}") from None
        except APIError as error:
            raise StoreError(f"{what}: {_explain(error)}") from None
        except (DockerException, requests.RequestException, urllib3.exceptions.HTTPError) as error:
            raise unreachable(self.endpoint, error, lost=True) from error


def _raise_for(response: Any) -> None:
    if response.status_code < 400:
        return
    try:
        explanation = json.loads(response.content[:_PIECE]).get("message", "")
    except (ValueError, AttributeError):
        explanation = response.reason or ""
    kind = NotFound if response.status_code == 404 else APIError
    raise kind(f"status {response.status_code}", response=response, explanation=explanation)


def _api_numbers(version: str) -> tuple[int, int]:
    major, _, minor = version.partition(".")
    return (int(major), int(minor)) if major.isdecimal() and minor.isdecimal() else (0, 0)


def _explain(error: Any) -> str:
    return str(getattr(error, "explanation", None) or error).strip()


def _text(value: bytes | str) -> str:
    return value.decode("ascii") if isinstance(value, bytes) else value
