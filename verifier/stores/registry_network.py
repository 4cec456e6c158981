"""How a registry is reached: its address, TLS or not, which proxy, which certificate authorities."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from verifier.errors import UnreachableError

HTTP_REGISTRIES: Final = "VERIFY_BUILD_HTTP_REGISTRIES"
"""Names, in the environment and by commas, the hosts (`host[:port]`) that are spoken to without TLS."""

_ADDRESSES: Final = {"docker.io": "registry-1.docker.io"}
_CA_VARIABLES: Final = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR")
_SYSTEM_BUNDLES: Final = (
    "/etc/ssl/certs/ca-certificates.crt",  # Debian, Alpine, Arch
    "/etc/pki/tls/certs/ca-bundle.crt",  # Fedora
    "/etc/ssl/ca-bundle.pem",  # openSUSE
)
_PORTS: Final = {"http": 80, "https": 443}


def address_of(registry: str) -> str:
    """Give the `host[:port]` that a registry answers at, which for Docker Hub is not its name."""
    return _ADDRESSES.get(registry, registry)


def is_loopback(host: str) -> bool:
    """Tell whether a host, with or without a port, is this machine by its name alone."""
    name = urlsplit(f"//{host}").hostname or ""
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def may_be_plain(host: str, environment: Mapping[str, str]) -> bool:
    """Tell whether a host may be spoken to without TLS: loopback, and what the user has named."""
    named = {item.strip() for item in environment.get(HTTP_REGISTRIES, "").split(",")}
    return is_loopback(host) or host in named


def origin_of(url: str) -> tuple[str, str, int]:
    """Give scheme, host and port of an address: what credentials are for (RFC 6454). Raises ValueError."""
    parts = urlsplit(url)
    return parts.scheme, (parts.hostname or "").lower(), parts.port or _PORTS.get(parts.scheme, 0)


def proxy_for(url: str, environment: Mapping[str, str]) -> str | None:
    """Give the proxy for an address: HTTPS_PROXY or HTTP_PROXY, else ALL_PROXY, unless NO_PROXY names the host.

    Lower-case variables go first; loopback is never asked for through a proxy.
    """
    scheme, host, port = origin_of(url)
    if is_loopback(f"[{host}]" if ":" in host else host):
        return None
    if _is_excepted(host, port, _variable("no_proxy", environment)):
        return None
    proxy = _variable(f"{scheme}_proxy", environment) or _variable("all_proxy", environment)
    if not proxy:
        return None
    return proxy if "://" in proxy else f"http://{proxy}"


def authorities(environment: Mapping[str, str]) -> str | bool:
    """Give the file or folder of the certificate authorities to trust, True for those that come with Python's packages.

    REQUESTS_CA_BUNDLE, CURL_CA_BUNDLE, SSL_CERT_FILE and SSL_CERT_DIR in this order, else the system's own. Raises
    UnreachableError when a variable names what is not there.
    """
    import ssl  # noqa: PLC0415 - 20 ms that only a registry needs

    for variable in _CA_VARIABLES:
        named = environment.get(variable)
        if named:
            if not Path(named).exists():
                raise UnreachableError(f"{variable} names {named}, which is not there")
            return named
    default = ssl.get_default_verify_paths().cafile
    return next((path for path in (default, *_SYSTEM_BUNDLES) if path and Path(path).is_file()), True)


def _variable(name: str, environment: Mapping[str, str]) -> str:
    return environment.get(name) or environment.get(name.upper()) or ""


def _is_excepted(host: str, port: int, exceptions: str) -> bool:
    return any(_matches(item.strip().lower(), host, port) for item in exceptions.split(",") if item.strip())


def _matches(item: str, host: str, port: int) -> bool:
    """Match one item of NO_PROXY: `*`, a network, an address, or a domain and all below it, with or without a port."""
    if item == "*":
        return True
    try:
        network = ipaddress.ip_network(item.strip("[]"), strict=False)
    except ValueError:
        pass
    else:
        try:
            return ipaddress.ip_address(host) in network
        except ValueError:
            return False
    name, colon, digits = item.rpartition(":")
    if colon and digits.isdecimal():
        if int(digits) != port:
            return False
        item = name.strip("[]")
    domain = item.removeprefix("*").removeprefix(".")
    return bool(domain) and (host.endswith(f".{domain}") or (host == domain and not item.startswith((".", "*"))))
