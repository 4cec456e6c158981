"""Unfold a Java keystore of type JKS (`sun.security.provider.JavaKeyStore`): entries with dates, and the digest."""

from __future__ import annotations

import hashlib
from typing import Final

from verifier.formats.field import Node
from verifier.formats.limits import MAX_MEMBERS
from verifier.formats.spans import Cutter

MAGIC: Final = b"\xfe\xed\xfe\xed"
_DIGEST_BYTES: Final = 20
_KEY, _CERTIFICATE = 1, 2

KEY_KIND: Final = "keystore-key"
"""The kind of field that holds a sealed private key, behind four bytes of length …"""

CHAIN_KIND: Final = "keystore-chain"
"""… and of those that hold a certificate made for it."""

_WHITENER: Final = b"Mighty Aphrodite"
_PASSWORDS: Final = ("changeit", "changeme")
"""What the keystores that come with a Java runtime are sealed with; others cannot be checked."""


def is_keystore(data: bytes) -> bool:
    """Tell by the magic and the versions that there are."""
    return data.startswith(MAGIC) and data[4:8] in (b"\0\0\0\1", b"\0\0\0\2") and len(data) >= 12 + _DIGEST_BYTES


def unfold_keystore(data: bytes, name: str, offset: int) -> Node:
    """Unfold a keystore. Raises ValueError where it is damaged."""
    cutter = Cutter(data)
    cutter.take("magic", "bytes", 4)
    version = int.from_bytes(cutter.take("version", "bytes", 4), "big")
    count = int.from_bytes(cutter.take("number of entries", "bytes", 4), "big")
    if count > MAX_MEMBERS:
        raise ValueError("too many entries")
    for _ in range(count):
        _take_entry(cutter, version)
    if cutter.left != _DIGEST_BYTES:
        raise ValueError("no digest at the end")
    sealed = any(cutter.peek(_DIGEST_BYTES) == _seal(data[:-_DIGEST_BYTES], password) for password in _PASSWORDS)
    cutter.take("digest", "bytes", _DIGEST_BYTES, derived=sealed)
    return cutter.finish(name, "java keystore", offset)


def _take_entry(cutter: Cutter, version: int) -> None:
    tag = int.from_bytes(cutter.take("tag", "bytes", 4), "big")
    alias = _take_sized(cutter, "alias", 2)[2:].decode("utf-8", "backslashreplace")
    cutter.take(f"{alias}: date", "milliseconds", 8)
    if tag == _KEY:
        _take_sized(cutter, f"{alias}: key", 4, KEY_KIND)
        for _ in range(int.from_bytes(cutter.take(f"{alias}: length of the chain", "bytes", 4), "big")):
            _take_certificate(cutter, alias, version, CHAIN_KIND)
    elif tag == _CERTIFICATE:
        _take_certificate(cutter, alias, version)
    else:
        raise ValueError(f"an entry of kind {tag}")


def _take_certificate(cutter: Cutter, alias: str, version: int, kind: str = "bytes") -> None:
    if version == 2:
        _take_sized(cutter, f"{alias}: type", 2)
    _take_sized(cutter, f"{alias}: certificate", 4, kind)


def _take_sized(cutter: Cutter, name: str, width: int, kind: str = "bytes") -> bytes:
    return cutter.take(name, kind, width + int.from_bytes(cutter.peek(width), "big"))


def _seal(data: bytes, password: str) -> bytes:
    # the format's own checksum, no choice of ours
    return hashlib.sha1(password.encode("utf-16-be") + _WHITENER + data, usedforsecurity=False).digest()
