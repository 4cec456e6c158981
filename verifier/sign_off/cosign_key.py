"""Cosign's own form of a private key: PEM around JSON, the key derived by scrypt, the content in a NaCl secretbox.

The form is that of go-securesystemslib's package `encrypted`; inside is a PKCS #8 key in DER.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
from typing import Any, Final

from verifier.errors import UnsupportedError, UsageError

_PEM: Final = re.compile(
    rb"-----BEGIN ENCRYPTED (SIGSTORE|COSIGN) PRIVATE KEY-----\s(.*?)-----END ENCRYPTED \1 PRIVATE KEY-----", re.DOTALL
)
_MAX_MEMORY: Final = 512 * 1024 * 1024
"""Bytes that the derivation of a key may take; cosign's own parameters take 64 MiB."""

_MAX_WORK: Final = 2**24
"""N * r * p of scrypt; cosign's own are 2**19."""


def is_cosign_key(raw: bytes) -> bool:
    """Tell whether this is a private key in cosign's form."""
    return b"-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----" in raw or b"BEGIN ENCRYPTED COSIGN PRIVATE KEY" in raw


def decrypt_cosign_key(raw: bytes, passphrase: bytes, where: str) -> bytes:
    """Give the PKCS #8 key in DER. Raises UsageError for a wrong passphrase and for what is not of this form."""
    try:
        import nacl.exceptions  # noqa: PLC0415  # an extra
        import nacl.secret  # noqa: PLC0415
    except ImportError:
        raise UnsupportedError(
            "a key in cosign's form needs the library PyNaCl, which is not installed",
            "pip install 'verify-build[sign-off]'",
        ) from None
    try:
        salt, (n, r, p), nonce, ciphertext = _parse(raw)
    except (ValueError, KeyError, TypeError, RecursionError, binascii.Error):
        raise UsageError(f"{where}: is not a private key in cosign's form") from None
    if n < 2 or r < 1 or p < 1 or n * r * p > _MAX_WORK:
        raise UsageError(f"{where}: its scrypt parameters are beyond what is derived here")
    try:
        key = hashlib.scrypt(passphrase, salt=salt, n=n, r=r, p=p, maxmem=_MAX_MEMORY, dklen=32)
        return bytes(nacl.secret.SecretBox(key).decrypt(ciphertext, nonce))
    except (ValueError, nacl.exceptions.CryptoError):
        raise UsageError(f"{where} cannot be read: its passphrase is another, or it is damaged") from None


def _parse(raw: bytes) -> tuple[bytes, tuple[int, int, int], bytes, bytes]:
    found = _PEM.search(raw)
    if found is None:
        raise ValueError
    value: Any = json.loads(base64.b64decode(b"".join(found[2].split()), validate=True))
    derivation, cipher = value["kdf"], value["cipher"]
    if derivation["name"] != "scrypt" or cipher["name"] != "nacl/secretbox":
        raise ValueError
    numbers = tuple(derivation["params"][name] for name in ("N", "r", "p"))
    if not all(type(number) is int for number in numbers):
        raise ValueError
    salt, nonce, ciphertext = (
        base64.b64decode(text, validate=True) for text in (derivation["salt"], cipher["nonce"], value["ciphertext"])
    )
    return salt, (numbers[0], numbers[1], numbers[2]), nonce, ciphertext
