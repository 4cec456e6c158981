"""On what terms registries are reached: where settings are looked up, and how long an answer is waited for."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long a registry is waited for, and how often it is asked again; times are in seconds.

    Every answer has a total time limit: `start_seconds`, and what its bytes take at `bytes_per_second`. A silence of
    `idle_seconds` ends it at once. After 429, 502, 503, 504 and broken connections it is asked again, up to `attempts`
    times, with pauses of `pause_seconds`, doubled each time (or what Retry-After says), and not later than
    `retry_seconds` after it was first asked. A refused connection is an answer: it is not tried again.
    """

    connect_seconds: float = 10.0
    idle_seconds: float = 30.0
    start_seconds: float = 60.0
    bytes_per_second: int = 16 * 1024
    attempts: int = 5
    pause_seconds: float = 0.5
    retry_seconds: float = 120.0
    sleep: Callable[[float], None] = time.sleep


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """How registries are reached.

    `environment` is where DOCKER_CONFIG, the proxies and the CA are looked up; VERIFY_BUILD_HTTP_REGISTRIES in it names
    hosts (`host[:port]`, by commas) that are spoken to without TLS. Loopback needs no such permission.
    """

    environment: Mapping[str, str] = field(default_factory=lambda: os.environ, repr=False)
    patience: Patience = field(default_factory=Patience)
