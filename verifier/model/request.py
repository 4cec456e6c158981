"""What the user asked for, and what the run may know of the world around it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from verifier.model.tolerance import Tolerance
from verifier.model.verdict import Required
from verifier.oci.digest import Digest
from verifier.oci.platform import Platform
from verifier.oci.reference import Reference


class BuildListener(Protocol):
    """Hears a build while it runs; the builder never prints."""

    def output(self, line: str) -> None:
        """Take one line of the build's output, without its newline; control characters are as they came."""

    def step(self, number: int, total: int | None, text: str) -> None:
        """Take note that step `number` of `total` (None when the builder does not say) has begun."""


class Watcher(Protocol):
    """Hears how far a run is; it alone may print."""

    def say(self, sentence: str) -> None:
        """Tell a decision that the user should know of: which builder, which inputs."""

    def building(self, ordinal: int, of: int) -> BuildListener:
        """Begin to listen to build `ordinal` of `of`."""

    def comparing(self, count: int) -> None:
        """Take note that `count` more bytes of layers have been read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """The environment, the clock and the machine's name; `now` is in UTC, `sleep` takes seconds."""

    environment: Mapping[str, str]
    now: Callable[[], datetime]
    sleep: Callable[[float], None]
    machine: str = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyRequest:
    """The main job. At most one of `against` and `expect` is set; then the first side exists and one build is run.

    `vary` names factors of the second build, or `all`; it does not go with a first side that exists. `push` is the
    name, with a tag, that the verified image gets in a registry. `lock` holds the bases that have no digest.
    """

    dockerfile: Path
    context: Path | None = None
    builder: str = "auto"
    target: str | None = None
    build_args: tuple[tuple[str, str | None], ...] = ()
    platform: Platform | None = None
    network: str | None = None
    secrets: tuple[str, ...] = ()
    ssh: tuple[str, ...] = ()
    timeout: float | None = None
    reproducible: bool = False
    source_date_epoch: str | None = None
    builds: int = 2
    against: str | None = None
    expect: Digest | None = None
    require: Required | None = None
    load: bool = False
    tags: tuple[str, ...] = ()
    keep: Path | None = None
    redact_build_args: bool = False
    explain: bool = True
    ledger: str | None = None
    remember: bool = True
    tolerances: tuple[Tolerance, ...] = ()
    vary: tuple[str, ...] = ()
    prove_diff_ids: bool = False
    probe_offline: bool = False
    record_network: bool = False
    confirm: bool = False
    push: Reference | None = None
    lock: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CompareRequest:
    """Two images that exist already, by name."""

    first: str
    second: str
    platform: Platform | None = None
    require: Required | None = None
    verify_blobs: bool = False
    explain: bool = True
    prove_diff_ids: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckRequest:
    """A Dockerfile to be judged by its text alone."""

    dockerfile: Path
    context: Path | None = None
    target: str | None = None
    build_args: tuple[tuple[str, str | None], ...] = ()
    platform: Platform | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PinRequest:
    """A Dockerfile whose pins are judged; `write` and `update` change it.

    `update` moves pins along that are there already. `lock` and `source_policy` are files to write instead.
    """

    dockerfile: Path
    build_args: tuple[tuple[str, str | None], ...] = ()
    platform: Platform | None = None
    write: bool = False
    update: bool = False
    lock: Path | None = None
    source_policy: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerRequest:
    """What is asked of a ledger: `about` is the beginning of an inputs' digest, a Dockerfile's path, or None for all.

    `ledger` is a file or a registry's repository, None for this user's own file.
    """

    about: str | None = None
    ledger: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestsRequest:
    """Images whose digests are listed."""

    images: tuple[str, ...]
    platform: Platform | None = None
