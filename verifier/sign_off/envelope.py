"""DSSE envelopes (secure-systems-lab/dsse, v1.0.2) and sigstore bundles (v0.3) around them, signed with a key."""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass
from typing import Any, Final

from verifier.errors import MalformedImageError, UsageError
from verifier.oci.strict_json import parse_object
from verifier.sign_off.keys import PrivateKey, PublicKey

PAYLOAD_TYPE: Final = "application/vnd.in-toto+json"
BUNDLE_TYPE: Final = "application/vnd.dev.sigstore.bundle.v0.3+json"
MAX_ENVELOPE_BYTES: Final = 64 * 1024 * 1024
MAX_SIGNATURES: Final = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """A payload, its type, and signatures that are not verified yet."""

    payload: bytes
    payload_type: str
    signatures: tuple[bytes, ...]

    def is_signed_by(self, key: PublicKey) -> bool:
        """Tell whether one of the signatures is this key's. Key ids are hints that nobody signs: none is looked at."""
        message = authenticated(self.payload_type, self.payload)
        return any(key.verifies(signature, message) for signature in self.signatures)


def authenticated(payload_type: str, payload: bytes) -> bytes:
    """Encode what is signed (the specification's "PAE"): type and payload with their lengths in bytes."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def sign_payload(payload: bytes, key: PrivateKey) -> bytes:
    """Sign an in-toto statement and give the envelope's bytes."""
    value = _envelope(payload, key.sign(authenticated(PAYLOAD_TYPE, payload)))
    return json.dumps(value, separators=(",", ":")).encode("ascii")


def bundle_of(envelope: bytes, key: PublicKey) -> bytes:
    """Wrap an envelope into a sigstore bundle without a transparency log's entry."""
    value = {
        "mediaType": BUNDLE_TYPE,
        "verificationMaterial": {"publicKey": {"hint": key.hint}, "tlogEntries": []},
        "dsseEnvelope": json.loads(envelope),
    }
    return json.dumps(value, separators=(",", ":")).encode("ascii")


def parse_envelope(raw: bytes, where: str) -> Envelope:
    """Read an envelope, or the one in a sigstore bundle. Raises UsageError for what is neither."""
    try:
        value = parse_object(raw, where, max_bytes=MAX_ENVELOPE_BYTES)
    except MalformedImageError as error:
        raise UsageError(error.message) from None
    inner = value.get("dsseEnvelope", value)
    try:
        payload_type = inner["payloadType"]
        signatures = tuple(_decode(item["sig"]) for item in inner["signatures"])
        payload = _decode(inner["payload"])
    except (KeyError, TypeError, ValueError, binascii.Error):
        raise UsageError(f"{where} is no DSSE envelope", "sign-off writes it: *.dsse.json") from None
    if not isinstance(payload_type, str) or not 1 <= len(signatures) <= MAX_SIGNATURES:
        raise UsageError(f"{where} is no DSSE envelope with 1 to {MAX_SIGNATURES} signatures")
    return Envelope(payload=payload, payload_type=payload_type, signatures=signatures)


def _envelope(payload: bytes, signature: bytes) -> dict[str, Any]:
    return {
        "payload": base64.b64encode(payload).decode("ascii"),
        "payloadType": PAYLOAD_TYPE,
        "signatures": [{"sig": base64.b64encode(signature).decode("ascii")}],
    }


def _decode(text: object) -> bytes:
    """Decode base64, canonical: two texts of one value would let an envelope change unseen."""
    if not isinstance(text, str):
        raise TypeError
    data = base64.b64decode(text, validate=True)
    if base64.b64encode(data).decode("ascii") != text:
        raise ValueError
    return data
