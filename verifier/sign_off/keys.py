"""Keys that sign and verify: Ed25519, and ECDSA on P-256 with SHA-256.

Private keys are PEM: PKCS #8, encrypted or not, and cosign's own form (`cosign.key`). Public keys are PEM, PKIX.
The library (`cryptography`) is an extra: without it the user is told how to get it.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

from verifier.errors import UnsupportedError, UsageError
from verifier.oci.digest import Digest, digest_bytes, encoded_of

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey, EllipticCurvePublicKey
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

MAX_KEY_BYTES: Final = 64 * 1024
"""Of a key's file."""

EXTRA_HINT: Final = "pip install 'verify-build[sign-off]'"
_SUPPORTED: Final = "keys are Ed25519, or ECDSA on P-256"
_MAKE_PUBLIC: Final = "openssl pkey -in KEY -pubout, or cosign's .pub file, gives the public key"

Passphrase = Callable[[], bytes]
"""Asks for a passphrase when a key needs one. Raises UsageError where there is none."""


class PublicKey:
    """A key that verifies."""

    def __init__(self, key: Ed25519PublicKey | EllipticCurvePublicKey) -> None:
        """Take a key of the library; `load_public_key` makes one from a file."""
        self._key = key

    @property
    def pem(self) -> bytes:
        """The key as PEM (PKIX)."""
        from cryptography.hazmat.primitives import serialization  # noqa: PLC0415 - an extra

        return self._key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)

    @property
    def digest(self) -> Digest:
        """Name the key by the digest of its PKIX form in DER.

        It is what `openssl pkey -pubin -in FILE -outform der | sha256sum` gives.
        """
        from cryptography.hazmat.primitives import serialization  # noqa: PLC0415

        return digest_bytes(
            self._key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
        )

    @property
    def hint(self) -> str:
        """Name the key as cosign's bundles do: the same digest, base64."""
        return base64.b64encode(bytes.fromhex(encoded_of(self.digest))).decode("ascii")

    def verifies(self, signature: bytes, message: bytes) -> bool:
        """Tell whether `signature` is this key's over `message`."""
        from cryptography.exceptions import InvalidSignature  # noqa: PLC0415
        from cryptography.hazmat.primitives import hashes  # noqa: PLC0415
        from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415

        try:
            if isinstance(self._key, ec.EllipticCurvePublicKey):
                self._key.verify(signature, message, ec.ECDSA(hashes.SHA256()))
            else:
                self._key.verify(signature, message)
        except InvalidSignature:
            return False
        return True


class PrivateKey:
    """A key that signs."""

    def __init__(self, key: Ed25519PrivateKey | EllipticCurvePrivateKey) -> None:
        """Take a key of the library; `load_private_key` makes one from a file."""
        self._key = key

    @property
    def public(self) -> PublicKey:
        """The key that verifies what this one signs."""
        return PublicKey(self._key.public_key())

    def sign(self, message: bytes) -> bytes:
        """Sign `message`; of ECDSA it is the DER form, and another one each time."""
        from cryptography.hazmat.primitives import hashes  # noqa: PLC0415
        from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415

        if isinstance(self._key, ec.EllipticCurvePrivateKey):
            return self._key.sign(message, ec.ECDSA(hashes.SHA256()))
        return self._key.sign(message)


def load_private_key(path: Path, passphrase: Passphrase) -> PrivateKey:
    """Read a private key; `passphrase` is asked only where the key is encrypted.

    Raises UsageError for what is no such key, for a wrong passphrase, and UnsupportedError without the library.
    """
    _need_library()
    from cryptography.hazmat.primitives.serialization import load_der_private_key  # noqa: PLC0415

    from verifier.sign_off.cosign_key import decrypt_cosign_key, is_cosign_key  # noqa: PLC0415

    raw = _read(path)
    if is_cosign_key(raw):
        try:
            key: object = load_der_private_key(decrypt_cosign_key(raw, passphrase(), str(path)), None)
        except ValueError:
            raise UsageError(f"{path}: what cosign's form holds is no private key") from None
    else:
        key = _load_pem(raw, path, passphrase)
    return PrivateKey(_supported_private(key, path))


def load_public_key(path: Path) -> PublicKey:
    """Read a public key. Raises UsageError for what is none, UnsupportedError without the library."""
    _need_library()
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519  # noqa: PLC0415
    from cryptography.hazmat.primitives.serialization import load_pem_public_key  # noqa: PLC0415

    raw = _read(path)
    if b"PRIVATE KEY-----" in raw:
        raise UsageError(f"{path} is a private key, and a signature is verified by the public one", _MAKE_PUBLIC)
    try:
        key = load_pem_public_key(raw)
    except (ValueError, TypeError, _unsupported()):
        raise UsageError(f"{path} is no public key in PEM", _MAKE_PUBLIC) from None
    if isinstance(key, ed25519.Ed25519PublicKey):
        return PublicKey(key)
    if isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP256R1):
        return PublicKey(key)
    raise UsageError(f"{path} is another kind of key", _SUPPORTED)


def _load_pem(raw: bytes, path: Path, passphrase: Passphrase) -> object:
    from cryptography.hazmat.primitives.serialization import load_pem_private_key  # noqa: PLC0415

    encrypted = b"ENCRYPTED" in raw
    try:
        return load_pem_private_key(raw, passphrase() if encrypted else None)
    except (ValueError, TypeError, _unsupported()):
        why = "cannot be read: its passphrase is another, or it is damaged" if encrypted else "is no private key in PEM"
        raise UsageError(f"{path} {why}", None if encrypted else _SUPPORTED) from None


def _supported_private(key: object, path: Path) -> Ed25519PrivateKey | EllipticCurvePrivateKey:
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519  # noqa: PLC0415

    if isinstance(key, ed25519.Ed25519PrivateKey):
        return key
    if isinstance(key, ec.EllipticCurvePrivateKey) and isinstance(key.curve, ec.SECP256R1):
        return key
    raise UsageError(f"{path} is another kind of key", _SUPPORTED)


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_KEY_BYTES + 1)
    except OSError as error:
        raise UsageError(f"{path}: the key cannot be read: {error.strerror}") from None
    if len(raw) > MAX_KEY_BYTES:
        raise UsageError(f"{path}: a key of more than {MAX_KEY_BYTES} bytes is none")
    return raw


def _need_library() -> None:
    try:
        import cryptography  # noqa: F401, PLC0415  # an extra
    except ImportError:
        raise UnsupportedError("signing needs the library cryptography, which is not installed", EXTRA_HINT) from None


def _unsupported() -> type[Exception]:
    from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415

    return UnsupportedAlgorithm
