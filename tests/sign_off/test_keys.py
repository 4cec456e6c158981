"""Keys in every form that is taken, passphrases from everywhere, and what is refused."""

from __future__ import annotations

import base64
import hashlib
import json
import subprocess
from pathlib import Path
from typing import Any

import nacl.secret
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.cli.tool import error_lines, verify_build
from tests.sign_off.made import make_keys, write_report
from verifier.cli.passphrase import passphrase_from
from verifier.errors import UsageError
from verifier.model.report import Report
from verifier.sign_off.keys import load_private_key, load_public_key


def refuse() -> bytes:
    raise AssertionError("no passphrase is needed")


def cosign_form(der: bytes, passphrase: bytes, **changes: Any) -> bytes:
    """Write a key as cosign does."""
    salt, nonce = b"s" * 32, b"n" * 24
    params = {"N": 2**14, "r": 8, "p": 1} | changes
    key = hashlib.scrypt(passphrase, salt=salt, n=2**14, r=8, p=1, dklen=32)
    value = {
        "kdf": {"name": "scrypt", "params": params, "salt": base64.b64encode(salt).decode()},
        "cipher": {"name": "nacl/secretbox", "nonce": base64.b64encode(nonce).decode()},
        "ciphertext": base64.b64encode(nacl.secret.SecretBox(key).encrypt(der, nonce).ciphertext).decode(),
    }
    body = base64.encodebytes(json.dumps(value).encode())
    return (
        b"-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----\n" + body + b"-----END ENCRYPTED SIGSTORE PRIVATE KEY-----\n"
    )


@pytest.mark.parametrize("kind", ["ed25519", "ecdsa"])
@pytest.mark.parametrize("passphrase", [None, b"open sesame", "öffne".encode()])
def test_pem(kind: str, passphrase: bytes | None, tmp_path: Path) -> None:
    keys = make_keys(tmp_path, kind, passphrase)
    key = load_private_key(keys.private, refuse if passphrase is None else lambda: passphrase)
    public = load_public_key(keys.public)
    assert key.public.pem == keys.public.read_bytes() == public.pem
    assert public.verifies(key.sign(b"it"), b"it")
    assert not public.verifies(key.sign(b"it"), b"another")
    if passphrase is not None:
        with pytest.raises(UsageError, match="passphrase"):
            load_private_key(keys.private, lambda: b"another")


@pytest.mark.parametrize("kind", ["ed25519", "ecdsa"])
def test_openssls_keys(kind: str, tmp_path: Path) -> None:
    """As release managers make them."""
    wanted = ["ed25519"] if kind == "ed25519" else ["EC", "-pkeyopt", "ec_paramgen_curve:P-256"]
    private, public = tmp_path / "key", tmp_path / "pub"
    subprocess.run(["openssl", "genpkey", "-algorithm", *wanted, "-aes256", "-pass", "pass:x", "-out", private],
                   check=True, capture_output=True)  # fmt: skip
    subprocess.run(["openssl", "pkey", "-in", private, "-passin", "pass:x", "-pubout", "-out", public],
                   check=True, capture_output=True)  # fmt: skip
    signature = load_private_key(private, lambda: b"x").sign(b"it")
    assert load_public_key(public).verifies(signature, b"it")


def test_cosigns_form(tmp_path: Path) -> None:
    keys = make_keys(tmp_path, "ecdsa")
    loaded = serialization.load_pem_private_key(keys.private.read_bytes(), None)
    der = loaded.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path = tmp_path / "cosign.key"
    path.write_bytes(cosign_form(der, b"x"))
    assert load_private_key(path, lambda: b"x").public.pem == keys.public.read_bytes()
    with pytest.raises(UsageError, match="its passphrase is another"):
        load_private_key(path, lambda: b"y")
    for raw in (
        cosign_form(der, b"x", N=2**30),
        cosign_form(der, b"x", N=3),
        cosign_form(der, b"x", p="1"),
        cosign_form(b"no key", b"x"),
        path.read_bytes().replace(b"\n", b"\n!", 2),
        path.read_bytes()[:200],
    ):
        path.write_bytes(raw)
        with pytest.raises(UsageError):
            load_private_key(path, lambda: b"x")


def test_other_kinds_are_refused(tmp_path: Path) -> None:
    keys = make_keys(tmp_path, "p384")
    with pytest.raises(UsageError, match="another kind"):
        load_private_key(keys.private, refuse)
    with pytest.raises(UsageError, match="another kind"):
        load_public_key(keys.public)
    with pytest.raises(UsageError, match="is a private key"):
        load_public_key(keys.private)
    made = rsa.generate_private_key(65537, 2048).public_key()
    keys.public.write_bytes(
        made.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    with pytest.raises(UsageError, match="another kind"):
        load_public_key(keys.public)
    for raw in (b"", b"-----BEGIN PUBLIC KEY-----\n", b"\xff" * 70_000):
        keys.public.write_bytes(raw)
        with pytest.raises(UsageError):
            load_public_key(keys.public)
        with pytest.raises(UsageError):
            load_private_key(keys.public, refuse)
    with pytest.raises(UsageError, match="cannot be read"):
        load_public_key(tmp_path / "nothing")


def test_passphrases(tmp_path: Path) -> None:
    file = tmp_path / "passphrase"
    file.write_bytes(b" of a file \r\nand more")
    both = {"VERIFY_BUILD_PASSPHRASE": "own", "COSIGN_PASSWORD": "cosign's"}
    assert passphrase_from(str(file), both)() == b" of a file "
    assert passphrase_from(None, both)() == b"own"
    assert passphrase_from(None, {"COSIGN_PASSWORD": ""})() == b""


def test_without_the_library(report: Report, tmp_path: Path) -> None:
    """A clear error, and how to get it; without a key nothing needs it."""
    keys = make_keys(tmp_path, "ed25519")
    path = write_report(report, tmp_path / "report.json")
    blocked = tmp_path / "blocked" / "cryptography"
    blocked.mkdir(parents=True)
    (blocked / "__init__.py").write_text("raise ImportError\n", encoding="utf-8")
    environment = {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(blocked.parent)}
    options = ["--out", tmp_path / "out", "--signer", "x"]
    done = verify_build("sign-off", path, *options, "--key", keys.private, environment=environment)
    assert done.returncode == 2
    assert error_lines(done)[1] == "hint: pip install 'verify-build[sign-off]'"
    assert verify_build("sign-off", path, *options, environment=environment).returncode == 0
