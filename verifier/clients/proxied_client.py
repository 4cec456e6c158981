"""One client of the recording proxy: its requests passed on, directly or through the machine's own proxy."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import selectors
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from urllib.parse import SplitResult, unquote, urlsplit, urlunsplit

from verifier.oci.digest import Digest

CONNECT_SECONDS: Final = 30.0
SILENT_SECONDS: Final = 600.0
"""How long a connection may say nothing."""

_MAX_HEAD: Final = 64 * 1024
"""Bytes of a request's or an answer's head."""

_PIECE: Final = 64 * 1024
_TICK_SECONDS: Final = 0.1
_HOP_BY_HOP: Final = frozenset(
    {b"connection", b"keep-alive", b"proxy-authenticate", b"proxy-authorization", b"proxy-connection", b"te",
     b"trailer", b"upgrade"}
)  # fmt: skip
"""Headers that end here (RFC 9110, 7.6.1)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """One request and its answer, or one tunnel. `where` is the URL without user and password, or `HOST:PORT`.

    `bytes` counts the answer's body (of a tunnel, all that came back); `digest` is the body's sha256, None of a tunnel
    and of an answer that did not end well. `status` is None of a tunnel. `build` is the build that was running.
    """

    build: int
    started: datetime
    method: str
    where: str
    encrypted: bool
    bytes: int
    status: int | None = None
    digest: Digest | None = None


class Upstream:
    """Opens connections, directly or through the machine's own proxy."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._proxies = {
            scheme: environment.get(f"{scheme}_proxy") or environment.get(f"{scheme.upper()}_PROXY") or ""
            for scheme in ("http", "https", "no", "all")
        }

    def proxy_for(self, scheme: str, host: str) -> SplitResult | None:
        """Find the proxy for a host; None where it is asked directly."""
        from urllib.request import proxy_bypass_environment  # type: ignore[attr-defined]  # noqa: PLC0415  # slow

        named = self._proxies[scheme] or self._proxies["all"]
        if not named or proxy_bypass_environment(host, {"no": self._proxies["no"]}):
            return None
        proxy = urlsplit(named if "://" in named else f"http://{named}")
        return proxy if proxy.hostname else None

    def connect(self, proxy: SplitResult | None, host: str, port: int) -> socket.socket:
        """Open a connection. Raises OSError."""
        if proxy is not None:
            host, port = proxy.hostname or "", proxy.port or 3128
        opened = socket.create_connection((host, port), timeout=CONNECT_SECONDS)
        opened.settimeout(SILENT_SECONDS)
        return opened


def credentials_for(proxy: SplitResult) -> list[tuple[bytes, bytes]]:
    """Make the header that a proxy's URL with a user name asks for."""
    if not proxy.username:
        return []
    pair = f"{unquote(proxy.username)}:{unquote(proxy.password or '')}"
    return [(b"Proxy-Authorization", b"Basic " + base64.b64encode(pair.encode()))]


class ProxiedClient:
    """One client's connection."""

    def __init__(
        self,
        client: socket.socket,
        upstream: Upstream,
        record: Callable[[Exchange], None],
        now: Callable[[], datetime],
        closing: threading.Event,
    ) -> None:
        import h11  # noqa: PLC0415

        self._h11 = h11
        self._client = client
        self._connection = h11.Connection(h11.SERVER, max_incomplete_event_size=_MAX_HEAD)
        self._upstream = upstream
        self._record = record
        self._now = now
        self._closing = closing

    def serve(self, build: Callable[[], int]) -> None:
        """Serve request after request until the client, or the proxy, goes. Raises OSError."""
        h11 = self._h11
        with contextlib.suppress(h11.ProtocolError):
            while not self._closing.is_set():
                request = self._next(self._connection, self._client)
                if not isinstance(request, h11.Request):
                    return
                started, running = self._now(), build()
                if request.method == b"CONNECT":
                    self._tunnel(request, started, running)
                    return
                self._pass_on(request, started, running)
                if self._connection.our_state is not h11.DONE or self._connection.their_state is not h11.DONE:
                    return
                self._connection.start_next_cycle()

    def _next(self, connection: Any, source: socket.socket) -> Any:
        """Give the next event of one side."""
        while True:
            event = connection.next_event()
            if event is not self._h11.NEED_DATA:
                return event
            connection.receive_data(source.recv(_PIECE))

    def _tunnel(self, request: Any, started: datetime, build: int) -> None:
        where = request.target.decode("ascii", "replace")
        target = urlsplit(f"//{where}")
        host, port = target.hostname or "", target.port or 443
        proxy = self._upstream.proxy_for("https", host)
        received = 0
        try:
            with self._upstream.connect(proxy, host, port) as server:
                early = b"" if proxy is None else self._ask_for_tunnel(server, where, proxy)
                self._client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n" + early)
                waiting, _ = self._connection.trailing_data
                server.sendall(waiting)
                received = len(early)
                for count in _pump(self._client, server, self._closing):
                    received += count
        except OSError as error:
            self._refuse(error)
        finally:
            self._record(
                Exchange(
                    build=build,
                    started=started,
                    method="CONNECT",
                    where=f"{host}:{port}",
                    encrypted=True,
                    bytes=received,
                )
            )

    def _ask_for_tunnel(self, server: socket.socket, where: str, proxy: SplitResult) -> bytes:
        """Ask the machine's own proxy for a tunnel; give what it sent beyond its answer."""
        h11 = self._h11
        connection = h11.Connection(h11.CLIENT, max_incomplete_event_size=_MAX_HEAD)
        headers = [(b"Host", where.encode()), *credentials_for(proxy)]
        server.sendall(connection.send(h11.Request(method=b"CONNECT", target=where.encode(), headers=headers)))
        answer = self._next(connection, server)
        if not isinstance(answer, h11.Response) or not 200 <= answer.status_code < 300:
            raise OSError(f"the proxy {proxy.hostname} gives no tunnel to {where}")
        early, _ = connection.trailing_data
        return bytes(early)

    def _pass_on(self, request: Any, started: datetime, build: int) -> None:
        url = urlsplit(request.target.decode("latin-1"))
        if url.scheme != "http" or not url.hostname:
            self._refuse(ValueError("not a request to a proxy"))
            return
        status, count, digest = 0, 0, None
        try:
            proxy = self._upstream.proxy_for("http", url.hostname)
            with self._upstream.connect(proxy, url.hostname, url.port or 80) as server:
                connection = self._send_request(request, url, proxy, server)
                status, count, digest = self._answer(connection, server)
        except (OSError, self._h11.ProtocolError) as error:
            status = status or 502
            self._refuse(error)
        finally:
            self._record(
                Exchange(
                    build=build,
                    started=started,
                    method=request.method.decode("ascii", "replace"),
                    where=_shown(url),
                    encrypted=False,
                    bytes=count,
                    status=status or None,
                    digest=digest,
                )
            )

    def _send_request(self, request: Any, url: SplitResult, proxy: SplitResult | None, server: socket.socket) -> Any:
        h11 = self._h11
        connection = h11.Connection(h11.CLIENT, max_incomplete_event_size=_MAX_HEAD)
        headers = [(name, value) for name, value in request.headers if name not in _HOP_BY_HOP]
        headers.append((b"Connection", b"close"))
        target = request.target
        if proxy is None:
            target = urlunsplit(("", "", url.path or "/", url.query, "")).encode("latin-1")
        else:
            headers += credentials_for(proxy)
        server.sendall(connection.send(h11.Request(method=request.method, target=target, headers=headers)))
        if self._connection.they_are_waiting_for_100_continue:
            self._client.sendall(self._connection.send(h11.InformationalResponse(status_code=100, headers=[])))
        while not isinstance(event := self._next(self._connection, self._client), h11.EndOfMessage):
            if not isinstance(event, h11.Data):
                raise OSError("the client went away")
            with contextlib.suppress(ConnectionError):  # it may have answered already, and not care for the rest
                server.sendall(connection.send(h11.Data(data=event.data)))
        with contextlib.suppress(ConnectionError):
            server.sendall(connection.send(event))
        return connection

    def _answer(self, connection: Any, server: socket.socket) -> tuple[int, int, Digest | None]:
        """Hand the answer on while it is counted and digested."""
        h11 = self._h11
        status, count, hasher = 0, 0, hashlib.sha256()
        while True:
            event = self._next(connection, server)
            if isinstance(event, h11.InformationalResponse):
                continue
            if isinstance(event, h11.Response):
                status = event.status_code
                headers = [(name, value) for name, value in event.headers if name not in _HOP_BY_HOP]
                event = h11.Response(status_code=status, reason=event.reason, headers=headers)
            elif isinstance(event, h11.Data):
                count += len(event.data)
                hasher.update(event.data)
            elif not isinstance(event, h11.EndOfMessage):
                raise OSError("the server went away")
            self._client.sendall(self._connection.send(event) or b"")
            if isinstance(event, h11.EndOfMessage):
                return status, count, Digest(f"sha256:{hasher.hexdigest()}")

    def _refuse(self, error: Exception) -> None:
        """Say 502, where nothing was said yet."""
        h11 = self._h11
        if self._connection.our_state is not h11.SEND_RESPONSE:
            raise OSError(str(error)) from error
        body = f"{error}\n".encode()
        headers = [(b"Content-Length", str(len(body)).encode()), (b"Connection", b"close")]
        for event in (
            h11.Response(status_code=502, headers=headers, reason=b"Bad Gateway"),
            h11.Data(data=body),
            h11.EndOfMessage(),
        ):
            self._client.sendall(self._connection.send(event) or b"")


def _pump(client: socket.socket, server: socket.socket, closing: threading.Event) -> Iterator[int]:
    """Carry bytes both ways until one side ends; yield how many came from the server."""
    silent = 0.0
    with selectors.DefaultSelector() as selector:
        selector.register(client, selectors.EVENT_READ, server)
        selector.register(server, selectors.EVENT_READ, client)
        while not closing.is_set() and silent < SILENT_SECONDS:
            ready = selector.select(_TICK_SECONDS)
            silent = 0.0 if ready else silent + _TICK_SECONDS
            for key, _ in ready:
                source = client if key.fileobj is client else server
                data = source.recv(_PIECE)
                if not data:
                    return
                key.data.sendall(data)
                yield len(data) if source is server else 0


def _shown(url: SplitResult) -> str:
    """Write a URL without user, password and fragment."""
    host = url.netloc.rpartition("@")[2]
    return urlunsplit((url.scheme, host, url.path or "/", url.query, ""))
