"""What goes wrong on the way to a registry, in words.

Nothing of the exceptions' own texts is repeated: they hold addresses, and these may hold secrets.
"""

from __future__ import annotations

import socket
from typing import Final, NamedTuple

import requests.exceptions
import urllib3.exceptions

from verifier.errors import StoreError, UnreachableError

NETWORK_ERRORS: Final = (requests.exceptions.RequestException, urllib3.exceptions.HTTPError, OSError)
"""What a request or reading its body raises; `network_error` puts them into words."""

_MAX_CAUSES: Final = 20


class _Kind(NamedTuple):
    """What exceptions mean; `{}` is the registry."""

    exceptions: tuple[type[BaseException], ...]
    message: str
    hint: str | None = None
    may_help: bool = False


_KINDS: Final = (
    _Kind(
        (requests.exceptions.ProxyError,),
        "the proxy for the registry {} does not let us through",
        "HTTPS_PROXY and NO_PROXY say which proxy is used",
    ),
    _Kind(
        (requests.exceptions.SSLError,),
        "the registry {} has no certificate that is trusted, or does not speak TLS",
        "SSL_CERT_FILE or certs.d/HOST/ca.crt names a private authority, "
        "VERIFY_BUILD_HTTP_REGISTRIES registries without TLS",
    ),
    _Kind((ConnectionRefusedError,), "the registry {} refuses the connection"),
    _Kind((socket.gaierror,), "the registry {} is not known by that name"),
    _Kind((requests.exceptions.ConnectTimeout,), "the registry {} cannot be connected to in time"),
    _Kind((requests.exceptions.InvalidSchema,), "the proxy for the registry {} is of a kind that cannot be used"),
    _Kind((requests.exceptions.Timeout, TimeoutError), "the registry {} does not answer in time", may_help=True),
)
_OTHER: Final = _Kind((), "the registry {} broke off the connection", may_help=True)


def network_error(error: Exception, registry: str) -> tuple[StoreError, bool]:
    """Put what went wrong into words, and say whether trying again may help."""
    causes = _causes(error)
    kind = next((kind for kind in _KINDS if any(isinstance(cause, kind.exceptions) for cause in causes)), _OTHER)
    return UnreachableError(kind.message.format(registry), kind.hint), kind.may_help


def _causes(error: BaseException) -> list[BaseException]:
    """List an exception and all that are behind it, in `__cause__`, `args` and urllib3's `reason`.

    Not in `__context__`: that may be another failure, which is being dealt with at this moment.
    """
    found: list[BaseException] = []
    waiting: list[object] = [error]
    while waiting and len(found) < _MAX_CAUSES:
        item = waiting.pop(0)
        if isinstance(item, BaseException) and item not in found:
            found.append(item)
            waiting += [item.__cause__, getattr(item, "reason", None), *item.args]
    return found
