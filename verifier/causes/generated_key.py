"""A private key, or a certificate, is made while the image is built.

What varies: PEM private keys, and the certificates made along with them, such as Debian's `ssl-cert-snakeoil`; the
same in a keystore of Java's or in PKCS #12; also the names of the links in `/etc/ssl/certs` that stand for a
certificate's subject, where the subject is the host's name.

Why it matters: beyond the digest, whoever has the image has the key.

How it is recognised: by the PEM frame and valid base64 in it; a certificate moreover by its own content: it is valid
from a moment within its own build's window. In a Java keystore by the entries that hold keys, and their certificates
likewise; in PKCS #12 by its frame and the object identifier of a sealed key, and then whole. The keys are random: hence
this is never called proven.

Remedy: remove key and certificate in the same RUN and make them when the container starts, or supply them at run
time.

Source: RFC 7468; RFC 5280, section 4.1.2.5; RFC 7292, sections 4 and 4.2.2; keytool(1), `-genkeypair`.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from typing import Final

from verifier.causes.cause import Cause, Claim, Place, SideContext
from verifier.causes.rules.secrets import key_risks
from verifier.formats.certificate import valid_from
from verifier.formats.field import Field
from verifier.formats.java_keystore import CHAIN_KIND, KEY_KIND
from verifier.oci.tar_entry import SYMLINK

__all__ = ["cause"]

_FRAME: Final = re.compile(
    rb"-----BEGIN ((?:[A-Z]+ )*PRIVATE KEY|CERTIFICATE)-----\n((?:[A-Za-z0-9+/=]+\n)+)-----END \1-----"
)
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
    for match in _FRAME.finditer(field.value):
        try:
            body = base64.b64decode(match[2].replace(b"\n", b""), validate=True)
        except binascii.Error:
            continue
        kind = match[1].decode("ascii").lower()
        if kind == "certificate":
            start = valid_from(body)
            if side.window is None or start is None or not side.window.holds(start):
                continue
        yield Claim(match.start(2), match.end(2), kind)


def _claim_stored(field: Field, side: SideContext) -> Iterator[Claim]:
    """Claim what a store holds: a key as it is, a certificate by its date, a whole PKCS #12."""
    if field.kind == KEY_KIND:
        yield Claim(0, len(field.value), "private key")
    elif field.kind == CHAIN_KIND:
        start = valid_from(field.value[4:])
        if side.window is not None and start is not None and side.window.holds(start):
            yield Claim(0, len(field.value), "certificate")
    elif field.kind == "bytes" and not field.name and _SEALED_KEY in field.value:
        frame = _PKCS12.match(field.value)
        if frame is not None and int.from_bytes(frame[1], "big") + 4 == len(field.value):
            yield Claim(0, len(field.value), "PKCS #12 with a private key")


_SUBJECT_LINK: Final = re.compile(rb"(/etc/ssl/certs/)[0-9a-f]{8}(\.\d+)")


def _rename(place: Place, side: SideContext) -> bytes | None:  # noqa: ARG001
    """Name a link by what it is, the certificate's subject, which holds the host's name."""
    found = _SUBJECT_LINK.fullmatch(place.path or b"") if place.type == SYMLINK else None
    return None if found is None else found[1] + b"<subject>" + found[2]


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
