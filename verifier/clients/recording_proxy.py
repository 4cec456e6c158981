"""A proxy on loopback that passes HTTP traffic on and keeps records of it; h11 speaks the protocol.

Plain HTTP is passed on request by request, its answers counted and digested. CONNECT is passed through as it is and
counted: no certificate of ours enters a build. Proxies that the machine has of its own are gone through.
"""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from types import TracebackType
from typing import Final, Self

from verifier.clients.proxied_client import SILENT_SECONDS, Exchange, ProxiedClient, Upstream
from verifier.errors import UnsupportedError

MAX_CONNECTIONS: Final = 256
"""Clients that are served at once; more wait."""

MAX_EXCHANGES: Final = 100_000
"""Requests that are recorded; those beyond are passed on alone."""

_TICK_SECONDS: Final = 0.1
_DRAIN_SECONDS: Final = 5.0


class RecordingProxy:
    """The proxy, from `__enter__` to `__exit__`, on a port of its own.

    `environment` names the proxies that this machine needs (http_proxy, https_proxy, no_proxy); `now` is the clock.
    Raises UnsupportedError where h11 is not installed.
    """

    def __init__(self, environment: Mapping[str, str], now: Callable[[], datetime]) -> None:
        try:
            import h11  # noqa: F401, PLC0415  # an extra
        except ImportError:
            raise UnsupportedError(
                "--record-network needs the h11 package", "pip install 'verify-build[network]'"
            ) from None
        self.build = 0
        """The build that is running: requests are put down to it."""
        self._upstream = Upstream(environment)
        self._now = now
        self._exchanges: list[Exchange] = []
        self._lock = threading.Lock()
        self._places = threading.Semaphore(MAX_CONNECTIONS)
        self._closing = threading.Event()
        self._serving: dict[threading.Thread, socket.socket] = {}
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(_TICK_SECONDS)
        self._accepting = threading.Thread(target=self._accept, name="proxy", daemon=True)

    def __enter__(self) -> Self:
        self._accepting.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing.set()
        self._accepting.join()
        self._listener.close()
        with self._lock:
            clients = tuple(self._serving.values())
        for client in clients:
            with contextlib.suppress(OSError):
                client.shutdown(socket.SHUT_RDWR)
        self._drain()

    @property
    def url(self) -> str:
        """What goes into http_proxy."""
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def exchanges(self) -> tuple[Exchange, ...]:
        """Give what was recorded, in the order of its beginning; connections that are about to end are waited for."""
        self._drain()
        with self._lock:
            return tuple(sorted(self._exchanges, key=lambda item: item.started))

    def _drain(self) -> None:
        """Wait for the connections that are open; not for long: whoever used them has ended."""
        deadline = time.monotonic() + _DRAIN_SECONDS
        with self._lock:
            threads = tuple(self._serving)
        for thread in threads:
            thread.join(max(0.0, deadline - time.monotonic()))

    def _accept(self) -> None:
        while not self._closing.is_set():
            try:
                client, _ = self._listener.accept()
            except TimeoutError:
                continue
            except OSError:
                return
            thread = threading.Thread(target=self._serve, args=(client,), name="proxy-client", daemon=True)
            with self._lock:
                self._serving[thread] = client
            thread.start()

    def _serve(self, client: socket.socket) -> None:
        try:
            with self._places, client:
                client.settimeout(SILENT_SECONDS)
                ProxiedClient(client, self._upstream, self._record, self._now, self._closing).serve(lambda: self.build)
        except (OSError, ValueError):
            return  # a client that went away, or that does not speak HTTP: its build says so itself
        finally:
            with self._lock:
                self._serving.pop(threading.current_thread(), None)

    def _record(self, exchange: Exchange) -> None:
        with self._lock:
            if len(self._exchanges) < MAX_EXCHANGES:
                self._exchanges.append(exchange)
