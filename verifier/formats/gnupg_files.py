"""Unfold GnuPG's keyring and trust database: the times at which they, and what they hold, were made.

Source: GnuPG, kbx/keybox-blob.c ("The keybox blob format") and doc/DETAILS ("Layout of the TrustDB").
"""

from __future__ import annotations

import hashlib
from typing import Final

from verifier.formats.field import Node
from verifier.formats.limits import MAX_MEMBERS
from verifier.formats.spans import Cutter

_HEADER_BYTES, _BLOB_HEADER_BYTES, _DIGEST_BYTES = 32, 5, 20
_HEADER_BLOB, _KEY_BLOB, _CERTIFICATE_BLOB = 1, 2, 3
_TRUST_RECORD_BYTES: Final = 40


def is_keybox(data: bytes) -> bool:
    """Tell by the first blob: its size, its type and its magic."""
    return data[:5] == b"\0\0\0\x20\1" and data[8:12] == b"KBXf" and len(data) >= _HEADER_BYTES


def unfold_keybox(data: bytes, name: str, offset: int) -> Node:
    """Unfold a keyring. Raises ValueError where it is damaged."""
    cutter = Cutter(data)
    cutter.take("header", "bytes", 16)
    cutter.take("created", "gnupg-time", 4)
    cutter.take("last maintained", "gnupg-time", 4)
    cutter.take("reserved", "bytes", 8)
    blobs = 0
    while cutter.left >= _BLOB_HEADER_BYTES:
        blobs += 1
        if blobs > MAX_MEMBERS:
            raise ValueError("too many blobs")
        _take_blob(cutter, f"key {blobs}")
    return cutter.finish(name, "gnupg keybox", offset)


def _take_blob(cutter: Cutter, label: str) -> None:
    size = int.from_bytes(cutter.peek(4), "big")
    blob = cutter.peek(size)
    if len(blob) < size or size < _BLOB_HEADER_BYTES:
        raise ValueError("a blob that is cut off")
    at = _created_at(blob) if blob[4] in (_KEY_BLOB, _CERTIFICATE_BLOB) else None
    if at is None:
        cutter.take(label, "bytes", size)
        return
    cutter.take(f"{label}: header", "bytes", at)
    cutter.take(f"{label}: added to the ring", "gnupg-time", 4)
    cutter.take(f"{label}: keys", "bytes", size - at - 4 - _DIGEST_BYTES)
    seal = hashlib.sha1(blob[:-_DIGEST_BYTES], usedforsecurity=False).digest()  # the format's own checksum
    cutter.take(f"{label}: digest", "bytes", _DIGEST_BYTES, derived=blob[-_DIGEST_BYTES:] == seal)


def _created_at(blob: bytes) -> int | None:
    """Find the time behind the tables of keys, user IDs and signatures; None where these leave the blob."""
    position = 16
    position += 4 + _number(blob, position) * _number(blob, position + 2)
    position += 2 + _number(blob, position)
    position += 4 + _number(blob, position) * _number(blob, position + 2)
    position += 4 + _number(blob, position) * _number(blob, position + 2)
    # how much the owner is trusted, when that is checked again, the latest time among the keys
    position += 4 + 4 + 4
    return position if position + 4 + _DIGEST_BYTES <= len(blob) else None


def _number(blob: bytes, position: int) -> int:
    return int.from_bytes(blob[position : position + 2], "big")


def is_trust_database(data: bytes) -> bool:
    """Tell by the first record: its type, its magic, the one version there is, and whole records."""
    return data[:5] == b"\x01gpg\x03" and len(data) % _TRUST_RECORD_BYTES == 0


def unfold_trust_database(data: bytes, name: str, offset: int) -> Node:
    """Unfold the version record; what follows it is one field."""
    cutter = Cutter(data)
    cutter.take("header", "bytes", 12)
    cutter.take("created", "gnupg-time", 4)
    return cutter.finish(name, "gnupg trust database", offset)
