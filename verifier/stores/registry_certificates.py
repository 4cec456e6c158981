"""The certificates of one registry, where Docker and Podman keep them: a folder `certs.d/HOST[:PORT]/`.

Each `*.crt` is an authority that is trusted for this registry beside the usual ones; `NAME.cert` with `NAME.key` is
what we show to a registry that wants to know who asks. Of the folders that may hold them, the first that has one for
the registry counts, as with containers/image.
"""

from __future__ import annotations

import os
import ssl
from collections.abc import Mapping
from pathlib import Path

from verifier.errors import UnreachableError


def client_context(host: str, environment: Mapping[str, str]) -> ssl.SSLContext | None:
    """Make the TLS context for `host[:port]`; None where nobody keeps certificates for it.

    The usual authorities are not in it yet. Raises UnreachableError for a file that is no certificate, cannot be read,
    or has no key beside it.
    """
    folder = next((path for path in _folders(host, environment) if path.is_dir()), None)
    if folder is None:
        return None
    from urllib3.util.ssl_ import create_urllib3_context  # noqa: PLC0415 - only few registries need it

    context = create_urllib3_context()
    path = folder
    try:
        files = [path for path in sorted(folder.iterdir()) if path.suffix in (".crt", ".cert")]
        for path in files:
            if path.suffix == ".crt":
                context.load_verify_locations(cafile=path)
            else:
                context.load_cert_chain(path, path.with_suffix(".key"), password=_no_passphrase)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise UnreachableError(f"the certificates in {folder} cannot be used: {path.name}: {reason}") from None
    return context if files else None


def _folders(host: str, environment: Mapping[str, str]) -> tuple[Path, ...]:
    """Name the folders that may hold a registry's certificates, the user's own first."""
    own = environment.get("XDG_CONFIG_HOME") or os.path.join(environment.get("HOME") or "/", ".config")  # noqa: PTH118
    roots = (Path(own, "containers"), Path(own, "docker"), Path("/etc/containers"), Path("/etc/docker"))
    return tuple(root / "certs.d" / host for root in roots)


def _no_passphrase() -> str:
    """Keep OpenSSL from asking on the terminal: a key with a passphrase is refused."""
    raise ValueError("its key has a passphrase")
