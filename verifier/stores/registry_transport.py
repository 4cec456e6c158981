"""oras-py as the transport to one repository, with our own policy of redirects, time limits, retries and credentials.

What oras does itself is sending a request and answering 401; its policy of retries (131 s on a refused connection, and
none after 429 or 503) is passed by.
"""

from __future__ import annotations

import email.utils
import inspect
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

import oras.defaults
import oras.logger
import oras.provider
import requests

from verifier.clients.credentials import find_credential
from verifier.errors import StoreError
from verifier.stores.registry_access import Access
from verifier.stores.registry_answers import failure, read_bounded
from verifier.stores.registry_auth import RegistryAuth
from verifier.stores.registry_errors import NETWORK_ERRORS, network_error
from verifier.stores.registry_network import address_of, authorities, is_loopback, may_be_plain
from verifier.stores.registry_session import RegistrySession

_AGAIN: Final = frozenset({429, 502, 503, 504})
_request_once: Final = inspect.unwrap(oras.provider.Registry.do_request)


class Transport(oras.provider.Registry):  # type: ignore[misc]  # oras has no types
    """Requests to one repository. Used from several threads at once."""

    def __init__(self, registry: str, access: Access) -> None:
        """Find out how the registry is spoken to; loopback is asked for that. Raises UnreachableError."""
        oras.logger.setup_logger(quiet=True)
        self._registry = registry
        self._access = access
        host = address_of(registry)
        scheme = self._scheme(host)
        super().__init__(hostname=host, insecure=scheme == "http", tls_verify=authorities(access.environment))
        self.session: RegistrySession = RegistrySession(f"{scheme}://{host}", access)
        self.auth = RegistryAuth(
            registry,
            self.session,
            lambda: find_credential(registry, access.environment),
            lambda send: self._patiently(send, is_repeatable=True),
        )

    def url(self, path: str) -> str:
        """Give the address of a path below `/v2/`."""
        return f"{self.prefix}://{self.hostname}/v2/{path}"

    def do_request(
        self,
        url: str,
        method: str = "GET",
        data: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        json: Any = None,
        stream: bool = True,
    ) -> requests.Response:
        """Send a request, answer 401, and ask again where that may help; the answer's status is the caller's to judge.

        The body is not read yet. Raises UnauthorizedError, UnreachableError.
        """

        def send() -> requests.Response:
            response: requests.Response = _request_once(self, url, method, data, dict(headers or {}), json, stream)
            if response.status_code in (401, 403):
                raise self.auth.refused(response)
            return response

        return self._patiently(send, is_repeatable=_is_repeatable(method, url))

    def fetch(
        self, url: str, what: str, *, limit: int, headers: Mapping[str, str] | None = None
    ) -> tuple[requests.Response, bytes]:
        """Read a whole answer of at most `limit` bytes; where its body breaks off it is asked for again.

        Raises NotFoundError, UnauthorizedError, UnreachableError, MalformedImageError for a longer one.
        """
        started = time.monotonic()
        failures = 0
        while True:
            response = self.do_request(url, headers=headers)
            if response.status_code != 200:
                raise failure(response, self._registry, what)
            try:
                return response, read_bounded(response, limit, what)
            except StoreError:
                raise
            except NETWORK_ERRORS as error:
                trouble, may_help = network_error(error, self._registry)
                if not may_help:
                    raise trouble from None
            failures += 1
            self.pause(failures, started, trouble)

    def pause(self, failures: int, started: float, trouble: StoreError, seconds: float | None = None) -> None:
        """Wait before something is tried again, for the `failures`-th time.

        `seconds` is what the registry asks for. Raises `trouble` where nothing more is to be tried.
        """
        patience = self._access.patience
        wait = patience.pause_seconds * 2 ** (failures - 1) if seconds is None else seconds
        if failures >= patience.attempts:
            raise trouble
        if time.monotonic() - started + wait > patience.retry_seconds:
            if seconds is not None:
                trouble.hint = f"it asks to come back in {seconds:.0f} seconds"
            raise trouble
        patience.sleep(wait)

    def close(self) -> None:
        """Close every connection; safe to call twice."""
        self.session.close()

    def _patiently(self, send: Callable[[], requests.Response], *, is_repeatable: bool) -> requests.Response:
        started = time.monotonic()
        failures = 0
        while True:
            wait = None
            try:
                response = send()
            except StoreError:
                raise
            except NETWORK_ERRORS as error:
                trouble, may_help = network_error(error, self._registry)
                if not may_help or not is_repeatable:
                    raise trouble from None
            else:
                if response.status_code not in _AGAIN:
                    return response
                wait = _retry_after(response)
                trouble = failure(response, self._registry, "what was asked for")
            failures += 1
            self.pause(failures, started, trouble, wait)

    def _scheme(self, host: str) -> str:
        """Say whether a host is spoken to with TLS; on loopback, where both are found, it is asked."""
        if not may_be_plain(host, self._access.environment):
            return "https"
        if not is_loopback(host):
            return "http"
        with RegistrySession(f"http://{host}", self._access) as session:
            try:
                with session.ask_realm("GET", f"http://{host}/v2/", stream=True) as response:
                    # what servers with TLS answer to a request without
                    return "https" if response.status_code == 400 else "http"
            except StoreError:
                raise
            except NETWORK_ERRORS as error:
                trouble, may_help = network_error(error, self._registry)
                if not may_help:
                    raise trouble from None
                return "https"


def _is_repeatable(method: str, url: str) -> bool:
    """Tell whether a request may be sent again when nobody knows whether it arrived: not a piece of an upload.

    The beginning of an upload may: one that nobody goes on with, the registry forgets.
    """
    return method in ("GET", "HEAD", "POST") or (method == "PUT" and "/manifests/" in url)


def _retry_after(response: requests.Response) -> float | None:
    """Read Retry-After (RFC 9110, section 10.2.3): seconds, or a date."""
    text = response.headers.get("Retry-After", "").strip()
    if text.isascii() and text.isdigit() and len(text) < 10:
        return float(text)
    try:
        date = email.utils.parsedate_to_datetime(text)
        return max(0.0, date.timestamp() - time.time())
    except (ValueError, TypeError, OverflowError):
        return None
