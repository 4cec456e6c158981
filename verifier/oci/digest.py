"""Digests (OCI image specification, "Digests"): `algorithm:encoded`, computed over exact bytes."""

from __future__ import annotations

import hashlib
import re
from typing import Final, NewType

from verifier.errors import MalformedImageError

Digest = NewType("Digest", str)
"""A checked digest, such as `sha256:` and 64 lower-case hexadecimal digits."""

_ENCODED: Final = {"sha256": re.compile(r"[0-9a-f]{64}"), "sha512": re.compile(r"[0-9a-f]{128}")}


def parse_digest(text: object, where: str = "digest") -> Digest:
    """Check `text` against the registered algorithms.

    `where` is the value's path in its document, for the message. Raises MalformedImageError.
    """
    if isinstance(text, str):
        algorithm, _, encoded = text.partition(":")
        pattern = _ENCODED.get(algorithm)
        if pattern is not None and pattern.fullmatch(encoded):
            return Digest(text)
    raise MalformedImageError(f"{where}: {str(text)[:100]!r} is not a sha256 or sha512 digest")


def digest_bytes(data: bytes | bytearray | memoryview) -> Digest:
    """Compute the sha256 digest of `data`."""
    return Digest("sha256:" + hashlib.sha256(data).hexdigest())


def algorithm_of(digest: Digest) -> str:
    """Name the algorithm as hashlib does."""
    return digest.partition(":")[0]


def encoded_of(digest: Digest) -> str:
    """Give the part after the colon, in hexadecimal."""
    return digest.partition(":")[2]
