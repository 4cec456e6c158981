"""Download what an ADD names, to know its digest; nothing of it is kept."""

from __future__ import annotations

import hashlib
import http.client
import time
from typing import Final

from verifier.errors import UnreachableError
from verifier.oci.digest import Digest

MAX_DOWNLOAD_BYTES: Final = 8 * 1024**3
"""Of one download, in bytes."""

IDLE_SECONDS: Final = 30.0
MAX_SECONDS: Final = 1800.0
_PIECE: Final = 1024 * 1024
_GONE: Final = frozenset({404, 410})


def download_digest(url: str) -> Digest | None:
    """Give the SHA-256 of what `url` serves now, through the usual proxies; None where the server says it is not there.

    Raises UnreachableError for any other answer, silence, and what is larger or takes longer than the limits.
    """
    import urllib.error  # noqa: PLC0415  # takes long to import
    import urllib.request  # noqa: PLC0415

    hasher = hashlib.sha256()
    deadline = time.monotonic() + MAX_SECONDS
    read = 0
    try:
        request = urllib.request.Request(url, headers={"Accept-Encoding": "identity"})  # noqa: S310  # http(s) alone
        with urllib.request.urlopen(request, timeout=IDLE_SECONDS) as answer:  # noqa: S310  # see `pin.uses`
            length = answer.headers.get("Content-Length", "")
            while piece := answer.read(_PIECE):
                read += len(piece)
                if read > MAX_DOWNLOAD_BYTES or time.monotonic() > deadline:
                    raise UnreachableError(f"{url} is larger, or takes longer, than is waited for")
                hasher.update(piece)
    except urllib.error.HTTPError as error:
        if error.code in _GONE:
            return None
        raise UnreachableError(f"{url} answers with {error.code} {error.reason}") from None
    except urllib.error.URLError as error:
        raise UnreachableError(f"{url} cannot be reached: {error.reason}") from None
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise UnreachableError(f"{url} cannot be read: {error}") from None
    if length.isdigit() and int(length) != read:
        raise UnreachableError(f"{url} broke off after {read} of {length} bytes")
    return Digest(f"sha256:{hasher.hexdigest()}")
