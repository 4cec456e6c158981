"""The `docker buildx` command: which builder is selected, what it is, and what it does."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from verifier.clients.build_cache import CacheRecord, from_listing, pattern_for
from verifier.clients.process import Finished, run, stream
from verifier.errors import BuilderUnavailableError, NoVerdictError, StoreError

ASK_SECONDS: Final = 60.0
"""How long a question to buildx may take; a builder in a container may have to start first."""

MAX_PROGRESS_LINE: Final = 4 * 1024 * 1024
"""Bytes of one line of raw JSON progress."""

_UNPACKS_SINCE: Final = (0, 10)
_RAW_JSON_SINCE: Final = (0, 13)
_HISTORY_SINCE: Final = (0, 20)
_VERSION: Final = re.compile(r"v?(\d+)\.(\d+)(?:\.(\d+))?")
_INSTALL: Final = "sudo apt-get install docker-buildx (docker-buildx-plugin from Docker's own repository)"


@dataclass(frozen=True, slots=True, kw_only=True)
class SelectedBuilder:
    """The buildx builder that the user has selected; `driver` is `docker`, `docker-container`, `remote` and so on.

    `endpoint` is the first node's; `buildkit` is the version as it is told, "" when nobody tells.
    """

    name: str
    driver: str
    endpoint: str
    status: str
    buildkit: str
    nodes: int

    @property
    def buildkit_numbers(self) -> tuple[int, int]:
        """Major and minor version of BuildKit, (0, 0) when it is not known."""
        return _numbers(self.buildkit)


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistryImage:
    """What a registry says of a reference: the digest it means now, and its image's layers where they are plain."""

    digest: str
    media_type: str
    diff_ids: tuple[str, ...] | None


class Buildx:
    """An installed `docker buildx`."""

    def __init__(self, version: str) -> None:
        self.version = version
        self._numbers = _numbers(version)

    @property
    def unpacks(self) -> bool:
        """Whether an export may be a folder in place of an archive (`tar=false`)."""
        return self._numbers >= _UNPACKS_SINCE

    @property
    def has_raw_json(self) -> bool:
        """Whether `--progress=rawjson` is there."""
        return self._numbers >= _RAW_JSON_SINCE

    @property
    def has_history(self) -> bool:
        """Whether `buildx history rm` is there."""
        return self._numbers >= _HISTORY_SINCE

    def inspect(self) -> SelectedBuilder:
        """Ask for the selected builder (BUILDX_BUILDER, `buildx use`, the context). Raises BuilderUnavailableError."""
        finished = _ask(["inspect"])
        if finished.status != 0:
            raise BuilderUnavailableError(
                f"docker buildx has no usable builder: {finished.complaint}", "docker buildx ls"
            )
        fields = _fields(finished.text)
        if (problem := fields.get("Error")) or not fields.get("Driver"):
            raise BuilderUnavailableError(
                f"the buildx builder {fields.get('Name', '')!r} does not answer: {problem or 'it names no driver'}",
                "docker buildx ls",
            )
        return SelectedBuilder(
            name=fields.get("Name", "default"),
            driver=fields["Driver"],
            endpoint=fields.get("Endpoint", ""),
            status=fields.get("Status", ""),
            buildkit=fields.get("BuildKit version") or fields.get("Buildkit") or "",
            nodes=finished.text.count("\nEndpoint:"),
        )

    def build(
        self, builder: str, arguments: Sequence[str], on_line: Callable[[str, bytes], None], timeout: float | None
    ) -> int:
        """Run a build and hand on every line; give the exit status. Raises NoVerdictError at the time limit."""
        argv = ["docker", "buildx", "build", f"--builder={builder}", *arguments]
        return stream(argv, on_line, timeout=timeout, max_line=MAX_PROGRESS_LINE)

    def cache_records(self, builder: str) -> tuple[CacheRecord, ...]:
        """List the builder's cache. Raises NoVerdictError."""
        finished = _ask(["du", f"--builder={builder}", "--verbose"])
        if finished.status != 0:
            raise NoVerdictError(f"the cache of builder {builder} cannot be listed: {finished.complaint}")
        return from_listing(finished.text)

    def prune(self, builder: str, identifiers: Iterable[str]) -> None:
        """Remove exactly these records, as far as nothing uses them. Raises NoVerdictError."""
        finished = _ask(
            ["prune", f"--builder={builder}", "--force", "--all", f"--filter=id={pattern_for(identifiers)}"]
        )
        if finished.status != 0:
            raise NoVerdictError(f"the cache of builder {builder} cannot be pruned: {finished.complaint}")

    def remove_history(self, builder: str, identifiers: Sequence[str]) -> None:
        """Remove the records of builds from the builder's history. Raises NoVerdictError."""
        finished = _ask(["history", "rm", f"--builder={builder}", *identifiers])
        if finished.status != 0:
            raise NoVerdictError(f"build records cannot be removed: {finished.complaint}")

    def resolve(self, builder: str, reference: str) -> RegistryImage:
        """Ask the registry what a reference means now, with the user's own credentials. Raises StoreError."""
        ask = ["imagetools", "inspect", f"--builder={builder}", reference, "--format"]
        finished = _ask([*ask, "{{json .Manifest}}"])
        if finished.status != 0:
            raise StoreError(f"{reference} cannot be resolved: {finished.complaint.removeprefix('ERROR: ')}")
        manifest = _json(finished.text, reference)
        image = _ask([*ask, "{{json .Image}}"])
        return RegistryImage(
            digest=str(manifest.get("digest", "")),
            media_type=str(manifest.get("mediaType", "")),
            diff_ids=_diff_ids(_json(image.text, reference)) if image.status == 0 else None,
        )


def find_buildx() -> Buildx:
    """Find `docker buildx`. Raises BuilderUnavailableError with the command that installs it."""
    try:
        finished = _ask(["version"])
    except BuilderUnavailableError:
        raise BuilderUnavailableError("the docker command is not installed", _INSTALL) from None
    if finished.status != 0 or "buildx" not in finished.text:
        raise BuilderUnavailableError("docker buildx is not installed: BuildKit is used through it", _INSTALL)
    match = _VERSION.search(finished.text)
    return Buildx(match[0].removeprefix("v") if match else "unknown")


def state_folder(config: Path, override: str | None) -> Path:
    """Give buildx's own folder: BUILDX_CONFIG (`override`), else `buildx` in the docker client's."""
    return Path(override) if override else config / "buildx"


def _ask(arguments: Sequence[str]) -> Finished:
    return run(["docker", "buildx", *arguments], timeout=ASK_SECONDS)


def _numbers(version: str) -> tuple[int, int]:
    match = _VERSION.search(version)
    return (int(match[1]), int(match[2])) if match else (0, 0)


def _fields(text: str) -> dict[str, str]:
    """Read `Key: value` lines; of a key that comes again (a second node's) the first counts."""
    fields: dict[str, str] = {}
    for line in text.splitlines():
        key, colon, value = line.partition(":")
        if colon and key and not key[0].isspace():
            fields.setdefault(key.strip(), value.strip())
    return fields


def _json(text: str, reference: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise StoreError(f"{reference}: buildx tells nothing about it")
    return value


def _diff_ids(image: dict[str, Any]) -> tuple[str, ...] | None:
    layers = (image.get("rootfs") or {}).get("diff_ids")
    return tuple(str(layer) for layer in layers) if isinstance(layers, list) else None
