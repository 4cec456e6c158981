"""A private key, or a certificate, is made while the image is built.

What varies: PEM private keys, and the certificates made along with them, such as Debian's `ssl-cert-snakeoil`; the same
in a keystore of Java's or in PKCS #12; public halves, requests, serial numbers and fingerprints; also the names of the
links in `/etc/ssl/certs` that stand for a certificate's subject, where the subject is the host's name.

Why it matters: beyond the digest, whoever has the image has the key.

How it is recognised: by the PEM frame and valid base64 in it; a certificate moreover by its own content: it is valid
from a moment within its own build's window, in PEM or in DER. What may as well be somebody else's (a public key, a
request, parameters, a fingerprint, a serial number) only where the instruction runs what makes keys: `openssl req`,
`ssh-keygen` and their like. In a Java keystore by the entries that hold keys, and their certificates likewise; in
PKCS #12 by its frame and the object identifier of a sealed key, and then whole. The keys are random: hence this is
never called proven.

Remedy: remove key and certificate in the same RUN and make them when the container starts, or supply them at run
time.

Source: RFC 7468; RFC 4253, section 6.6; RFC 5280, section 4.1.2.5; RFC 7292, sections 4 and 4.2.2; keytool(1).
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from typing import Final

from verifier.causes.cause import Cause, Claim, NewName, Place, SideContext
from verifier.causes.rules.secrets import key_risks
from verifier.formats.certificate import valid_from
from verifier.formats.field import Field
from verifier.formats.java_keystore import CHAIN_KIND, KEY_KIND
from verifier.oci.tar_entry import SYMLINK

__all__ = ["cause"]

_FRAME: Final = re.compile(
    rb"-----BEGIN ((?:[A-Z]+ )*PRIVATE KEY|CERTIFICATE)-----\n((?:[A-Za-z0-9+/=]+\n)+)-----END \1-----"
)
_PUBLIC_FRAME: Final = re.compile(
    rb"-----BEGIN ((?:RSA )?PUBLIC KEY|(?:NEW )?CERTIFICATE REQUEST|(?:X9\.42 )?DH PARAMETERS|DSA PARAMETERS)-----\n"
    rb"((?:[A-Za-z0-9+/=]+\n)+)-----END \1-----"
)
_MAKER: Final = re.compile(
    r"\bopenssl\s+(?:req|genrsa|genpkey|gendsa|ecparam|dsaparam|dhparam|ca)\b|\bssh-keygen\b|\bdropbearkey\b|\bkeytool\b"
    r"|\bcerttool\b|\bmkcert\b|\beasyrsa\b|\bmake-ssl-cert\b|\bstep\s+(?:ca|certificate)\b|\bcfssl\b|\bwg\s+genkey\b"
)
_SSH_KEY: Final = re.compile(
    rb"(?<![\w-])((?:sk-)?(?:ssh-(?:rsa|dss|ed25519)|ecdsa-sha2-nistp\d{3})(?:@openssh\.com)?) "
    rb"(AAAA[A-Za-z0-9+/]{60,1400}={0,2})(?![A-Za-z0-9+/=])"
)
_SSH_ELSEWHERE: Final = "ssh-keyscan"
_OCTETS: Final = re.compile(rb"(?<![\w:])(?:[0-9a-f]{2}|[0-9A-F]{2})(?::\s*(?:[0-9a-f]{2}|[0-9A-F]{2})){15,}(?![\w:])")
_NOT_AFTER: Final = re.compile(
    rb"^ *(?:Not After ?: |notAfter=)([A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \d{4} GMT)$", re.MULTILINE
)
_SERIAL: Final = re.compile(rb"\A([0-9A-F]{16,40})\n\Z")
_SERIAL_FILE: Final = b".srl"
_PKCS12: Final = re.compile(
    rb"\x30\x82(..)\x02\x01\x03\x30\x82..\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01", re.DOTALL
)
_SEALED_KEY: Final = bytes.fromhex("2a864886f70d010c0a0102")
"""pkcs8ShroudedKeyBag: without one it is a store of other people's certificates."""


def _normalise(field: Field, place: Place, side: SideContext) -> Iterator[Claim]:
    if place.field != "content":
        return
    if field.kind != "text":
        yield from _claim_stored(field, side)
        return
    claims = list(_claim_frames(field.value, side))
    if _MAKER.search(place.made_by):
        claims += _claim_public(field.value, place)
    end = 0
    for claim in sorted(claims):
        if claim.start >= end:
            end = claim.end
            yield claim


def _claim_frames(text: bytes, side: SideContext) -> Iterator[Claim]:
    for match in _FRAME.finditer(text):
        try:
            body = base64.b64decode(match[2].replace(b"\n", b""), validate=True)
        except binascii.Error:
            continue
        kind = match[1].decode("ascii").lower()
        if kind != "certificate" or _is_new(body, side):
            yield Claim(match.start(2), match.end(2), kind)


def _claim_public(text: bytes, place: Place) -> Iterator[Claim]:
    """Claim what goes with a key, in a text whose instruction makes one."""
    for match in _PUBLIC_FRAME.finditer(text):
        yield Claim(match.start(2), match.end(2), match[1].decode("ascii").lower())
    if _SSH_ELSEWHERE not in place.made_by:
        for match in _SSH_KEY.finditer(text):
            yield Claim(match.start(2), match.end(2), f"public key, {match[1].decode('ascii')}")
    for match in _OCTETS.finditer(text):
        yield Claim(match.start(), match.end(), "key, serial number or fingerprint in octets")
    for match in _NOT_AFTER.finditer(text):
        yield Claim(match.start(1), match.end(1), "end of validity")
    serial = _SERIAL.match(text) if (place.path or b"").endswith(_SERIAL_FILE) else None
    if serial is not None:
        yield Claim(serial.start(1), serial.end(1), "serial number")


def _is_new(certificate: bytes, side: SideContext) -> bool:
    """Tell whether a certificate is valid from a moment of this build."""
    start = valid_from(certificate)
    return side.window is not None and start is not None and side.window.holds(start)


def _claim_stored(field: Field, side: SideContext) -> Iterator[Claim]:
    """Claim what a store holds: a key as it is, a certificate by its date, a whole PKCS #12."""
    if field.kind == KEY_KIND:
        yield Claim(0, len(field.value), "private key")
    elif field.kind == CHAIN_KIND:
        if _is_new(field.value[4:], side):
            yield Claim(0, len(field.value), "certificate")
    elif field.kind == "bytes" and not field.name and _is_one_certificate(field.value) and _is_new(field.value, side):
        yield Claim(0, len(field.value), "certificate")
    elif field.kind == "bytes" and not field.name and _SEALED_KEY in field.value:
        frame = _PKCS12.match(field.value)
        if frame is not None and int.from_bytes(frame[1], "big") + 4 == len(field.value):
            yield Claim(0, len(field.value), "PKCS #12 with a private key")


def _is_one_certificate(value: bytes) -> bool:
    """Tell whether one DER sequence of more than 127 bytes is all there is."""
    size = value[1:2]
    if value[:1] != b"\x30" or size not in (b"\x81", b"\x82"):
        return False
    start = 2 + size[0] - 0x80
    return int.from_bytes(value[2:start], "big") + start == len(value)


_SUBJECT_LINK: Final = re.compile(rb"(/etc/ssl/certs/)[0-9a-f]{8}(\.\d+)")


def _rename(place: Place, side: SideContext) -> NewName | None:  # noqa: ARG001
    """Name a link by what it is, the certificate's subject, which holds the host's name."""
    found = _SUBJECT_LINK.fullmatch(place.path or b"") if place.type == SYMLINK else None
    return None if found is None else NewName(found[1] + b"<subject>" + found[2])


cause = Cause(
    slug="generated-key",
    page=__doc__ or "",
    remedy="remove key and certificate in the same RUN, and make or mount them when the container starts",
    severity="error",
    opaque=True,
    normalise=_normalise,
    rename=_rename,
    risk=key_risks,
)
