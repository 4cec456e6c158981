"""A private key, or a certificate, is made while the image is built.

What varies: PEM private keys, and the certificates made along with them, such as Debian's `ssl-cert-snakeoil`; the same
in a keystore of Java's or in PKCS #12; OpenPGP's secret keys in armor, OpenVPN's static keys; public halves, requests,
serial numbers and fingerprints, lists of what was issued or revoked; secrets for BIND, keys for WireGuard and DKIM;
also the names of the links in `/etc/ssl/certs` that stand for a certificate's subject, where the subject is the host's
name, and those of files that are called by a serial number.

Why it matters: beyond the digest, whoever has the image has the key.

How it is recognised: by the PEM frame and valid base64 in it, by OpenPGP's and OpenVPN's frames; a certificate and a
list of revoked ones moreover by its own content: it is valid from a moment within its own build's window, in PEM or in
DER. What may as well be somebody else's (a public key, a request, a signature, a fingerprint, a serial number, a
certificate that is dated back by up to an hour, as cfssl's are) only where the instruction runs what makes keys of that
kind: `openssl req`, `ssh-keygen`, `gpg --quick-gen-key`, `wg genkey`, `tsig-keygen` and their like. In a Java keystore
by the entries that hold keys, and their certificates likewise; in PKCS #12 by its frame and the object identifier of a
sealed key, and then whole. The keys are random: hence this is never called proven.

Remedy: remove key and certificate in the same RUN and make them when the container starts, or supply them at run
time.

Source: RFC 7468; RFC 4253, section 6.6; RFC 5280, sections 4.1.2.5 and 5.1.2.4; RFC 7292, sections 4 and 4.2.2;
keytool(1); openssl-ca(1), "FILES"; RFC 9580, section 6.2; RFC 6376, section 3.6.1; tsig-keygen(8); wg(8),
"CONFIGURATION FILE FORMAT"; openvpn(8), `--genkey`; GnuPG, doc/DETAILS, "Format of the --list-keys output".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from verifier.causes.cause import Cause, Claim, NewName, Place, SideContext
from verifier.causes.key_texts import claim_companions, claim_frames, is_new
from verifier.causes.rules.secrets import key_risks
from verifier.formats.certificate import issued_at, valid_from
from verifier.formats.field import Field
from verifier.formats.java_keystore import CHAIN_KIND, KEY_KIND
from verifier.oci.tar_entry import FILE, SYMLINK

__all__ = ["cause"]

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
    claims = [*claim_frames(field.value, place, side), *claim_companions(field.value, place)]
    end = 0
    for claim in sorted(claims):
        if claim.start >= end:
            end = claim.end
            yield claim


def _claim_stored(field: Field, side: SideContext) -> Iterator[Claim]:
    """Claim what a store holds: a key as it is, a certificate by its date, a whole PKCS #12."""
    if field.kind == KEY_KIND:
        yield Claim(0, len(field.value), "private key")
    elif field.kind == CHAIN_KIND:
        if is_new(valid_from(field.value[4:]), side):
            yield Claim(0, len(field.value), "certificate")
    elif field.kind == "bytes" and not field.name and _is_one_sequence(field.value):
        for form, moment in (("certificate", valid_from(field.value)), ("x509 crl", issued_at(field.value))):
            if is_new(moment, side):
                yield Claim(0, len(field.value), form)
                return
        yield from _claim_sealed(field.value)


def _claim_sealed(value: bytes) -> Iterator[Claim]:
    frame = _PKCS12.match(value) if _SEALED_KEY in value else None
    if frame is not None and int.from_bytes(frame[1], "big") + 4 == len(value):
        yield Claim(0, len(value), "PKCS #12 with a private key")


def _is_one_sequence(value: bytes) -> bool:
    """Tell whether one DER sequence of more than 127 bytes is all there is."""
    size = value[1:2]
    if value[:1] != b"\x30" or size not in (b"\x81", b"\x82"):
        return False
    start = 2 + size[0] - 0x80
    return int.from_bytes(value[2:start], "big") + start == len(value)


_SUBJECT_LINK: Final = re.compile(rb"(/etc/ssl/certs/)[0-9a-f]{8}(\.\d+)")
_SERIAL_NAME: Final = re.compile(rb"(.*/)[0-9A-F]{16,40}(\.(?:pem|crt|key|req))", re.DOTALL)
"""As `openssl ca` names a certificate, and easy-rsa what belongs to one that was revoked."""


def _rename(place: Place, side: SideContext) -> NewName | None:  # noqa: ARG001
    """Name a link by what it stands for, a certificate's subject, which holds the host's name; a file by its serial."""
    path = place.path or b""
    found = _SUBJECT_LINK.fullmatch(path) if place.type == SYMLINK else None
    if found is not None:
        return NewName(found[1] + b"<subject>" + found[2])
    found = _SERIAL_NAME.fullmatch(path) if place.type == FILE else None
    return None if found is None else NewName(found[1] + b"<serial number>" + found[2])


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
