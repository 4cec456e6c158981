"""The HTTP session of one registry: credentials stay at home, every answer has a time limit.

Redirects are followed here and not by requests: off the registry's own origin the Authorization header is dropped for
good, and nothing goes from https to http. What requests would take from the process (netrc, proxies, certificate
authorities) is taken from the environment that is given.
"""

from __future__ import annotations

import http.client
import io
import socket
import ssl
import time
from typing import IO, TYPE_CHECKING, Any, Final, cast
from urllib.parse import urljoin, urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection

from verifier import __version__
from verifier.errors import UnreachableError
from verifier.stores.registry_access import Access, Patience
from verifier.stores.registry_answers import let_go
from verifier.stores.registry_certificates import client_context
from verifier.stores.registry_network import authorities, may_be_plain, origin_of, proxy_for

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

MAX_REDIRECTS: Final = 5
USER_AGENT: Final = f"verify-build/{__version__}"

_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_CONNECTIONS: Final = 8
_SENT_AT_ONCE: Final = 64 * 1024
"""A socket's time limit is for one call; a large body in one call would have to be sent within it."""


class RegistrySession(requests.Session):
    """Requests to one registry, and to where it redirects."""

    def __init__(self, home: str, access: Access) -> None:
        """Take the registry's address with its scheme: what the Authorization header is for."""
        super().__init__()
        self._home = origin_of(home)
        self._access = access
        self.trust_env = False
        # Without this, requests would put credentials from ~/.netrc over ours.
        self.auth = _unchanged
        self.headers.update({"User-Agent": USER_AGENT, "Accept-Encoding": "identity"})
        self.verify = authorities(access.environment)
        adapter = _PacedAdapter(access.patience)
        self.mount("https://", adapter)
        self.mount("http://", adapter)
        scheme, _, address = home.partition("://")
        context = client_context(address.lower(), access.environment) if scheme == "https" else None
        if context is not None:
            self.mount(f"https://{address.lower()}/", _PacedAdapter(access.patience, context))

    def request(self, method: Any, url: Any, *args: Any, **options: Any) -> requests.Response:
        """Send a request, and follow redirects of GET and HEAD. Raises UnreachableError, requests' exceptions."""
        headers = dict(options.pop("headers", None) or {})
        params = options.pop("params", None)
        for _ in range(MAX_REDIRECTS + 1):
            if not self.is_home(url):
                headers = {name: value for name, value in headers.items() if name.lower() != "authorization"}
            response = self._send_once(method, url, *args, headers=headers, params=params, **options)
            location = response.headers.get("Location")
            if response.status_code not in _REDIRECTS or method not in ("GET", "HEAD") or not location:
                return response
            let_go(response)
            url, params = self._next(url, location), None
        raise UnreachableError(f"{self._named(url)} redirects more than {MAX_REDIRECTS} times")

    def ask_realm(self, method: str, url: str, **options: Any) -> requests.Response:
        """Ask who gives tokens, which may be another host, with the Authorization header. Redirects are not followed.

        Raises UnreachableError for an address without TLS that may not be, requests' exceptions.
        """
        self.check_address(url)
        return self._send_once(method, url, **options)

    def is_home(self, url: str) -> bool:
        """Tell whether an address is of the registry's own scheme, host and port."""
        try:
            return origin_of(url) == self._home
        except ValueError:
            return False

    def _send_once(self, method: str, url: str, *args: Any, **options: Any) -> requests.Response:
        patience = self._access.patience
        proxy = proxy_for(url, self._access.environment)
        options["proxies"] = {} if proxy is None else {"http": proxy, "https": proxy}
        options["timeout"] = (patience.connect_seconds, patience.idle_seconds)
        options["allow_redirects"] = False
        return super().request(method, url, *args, **options)

    def _next(self, url: str, location: str) -> str:
        try:
            following = urljoin(url, location)
            self.check_address(following)
        except ValueError:
            raise UnreachableError(f"{self._named(url)} redirects to what is no address") from None
        return following

    def check_address(self, url: str) -> None:
        """Refuse an address without TLS that may not be. Raises UnreachableError, ValueError for what is no address."""
        scheme, _, _ = origin_of(url)
        if scheme == "https":
            return
        if scheme != "http" or not may_be_plain(urlsplit(url).netloc.rpartition("@")[2], self._access.environment):
            raise UnreachableError(f"the registry {self._named(None)} sends us to an address without TLS")

    def _named(self, url: str | None) -> str:
        """Name an origin for a message, without path and query: these may hold what is secret."""
        _, host, port = self._home if url is None else origin_of(url)
        return f"{host}:{port}"


def _unchanged(prepared: requests.PreparedRequest) -> requests.PreparedRequest:
    return prepared


class _PacedAdapter(HTTPAdapter):
    """Connections whose answers end in a total time limit; with a TLS context where a registry has its own."""

    def __init__(self, patience: Patience, context: ssl.SSLContext | None = None) -> None:
        self._pools = _pools(patience)
        self._secured: dict[str, Any] = {} if context is None else {"ssl_context": context}
        super().__init__(pool_connections=_CONNECTIONS, pool_maxsize=_CONNECTIONS, max_retries=0)

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        super().init_poolmanager(*args, **(options | self._secured))
        self.poolmanager.pool_classes_by_scheme = self._pools

    def proxy_manager_for(self, proxy: Any, **options: Any) -> Any:
        manager = super().proxy_manager_for(proxy, **(options | self._secured))
        manager.pool_classes_by_scheme = self._pools
        return manager


def _pools(patience: Patience) -> dict[str, type[HTTPConnectionPool]]:
    """Make the pools of connections that are as patient as this."""

    def answer(channel: socket.socket, *args: Any, **options: Any) -> http.client.HTTPResponse:
        return _PacedResponse(channel, patience, *args, **options)

    class Plain(_InPieces, HTTPConnection):
        response_class = staticmethod(answer)  # type: ignore[assignment]  # a class's place, which is only called

    class Secure(_InPieces, HTTPSConnection):
        response_class = staticmethod(answer)  # type: ignore[assignment]

    class PlainPool(HTTPConnectionPool):
        ConnectionCls = Plain

    class SecurePool(HTTPSConnectionPool):
        ConnectionCls = Secure

    return {"http": PlainPool, "https": SecurePool}


class _InPieces:
    """A connection that sends large bodies in pieces."""

    def send(self, data: Any) -> None:
        if not isinstance(data, bytes) or len(data) <= _SENT_AT_ONCE:
            super().send(data)  # type: ignore[misc]  # of the connection that this is mixed into
            return
        view = memoryview(data)
        for start in range(0, len(view), _SENT_AT_ONCE):
            super().send(view[start : start + _SENT_AT_ONCE])  # type: ignore[misc]


class _PacedResponse(http.client.HTTPResponse):
    def __init__(self, channel: socket.socket, patience: Patience, *args: Any, **options: Any) -> None:
        super().__init__(channel, *args, **options)
        raw = self.fp.detach()
        self.fp = io.BufferedReader(cast("io.RawIOBase", _PacedRaw(raw, channel, patience)))


class _PacedRaw(io.RawIOBase):
    """An answer's bytes, which end in an error when they come too slowly.

    A socket's own time limit is for one call, and a server that sends a byte now and then never reaches it.
    """

    def __init__(self, raw: io.RawIOBase, channel: socket.socket, patience: Patience) -> None:
        super().__init__()
        self._raw = raw
        self._channel = channel
        self._patience = patience
        self._limit = time.monotonic() + patience.start_seconds
        self._timeout: float | None = None

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int | None:
        left = self._limit - time.monotonic()
        timeout = min(self._patience.idle_seconds, left)
        if timeout <= 0:
            raise UnreachableError(_too_slow(self._patience))
        if timeout < self._patience.idle_seconds or self._timeout is None:
            self._channel.settimeout(timeout)
            self._timeout = timeout
        count = self._read(buffer, is_last=timeout == left)
        self._limit += (count or 0) / self._patience.bytes_per_second
        return count

    def _read(self, buffer: WriteableBuffer, *, is_last: bool) -> int | None:
        try:
            return cast("IO[bytes]", self._raw).readinto(buffer)  # type: ignore[attr-defined,no-any-return]
        except TimeoutError:
            if is_last:
                raise UnreachableError(_too_slow(self._patience)) from None
            raise

    def close(self) -> None:
        self._raw.close()
        super().close()


def _too_slow(patience: Patience) -> str:
    return (
        f"the registry answers too slowly: less than {patience.bytes_per_second} bytes a second "
        f"after {patience.start_seconds:g} seconds"
    )
