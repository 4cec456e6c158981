"""A private key, or a certificate, is made while the image is built.

What varies: PEM private keys, and the certificates made along with them, such as Debian's `ssl-cert-snakeoil`; also
the names of the links in `/etc/ssl/certs` that stand for a certificate's subject, where the subject is the host's
name.

Why it matters: beyond the digest, whoever has the image has the key.

How it is recognised: by the PEM frame and valid base64 in it; a certificate moreover by its own content: it is valid
from a moment within its own build's window. The keys are random: hence this is never called proven.

Remedy: remove key and certificate in the same RUN and make them when the container starts, or supply them at run
time.

Source: RFC 7468; RFC 5280, section 4.1.2.5.
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
from verifier.oci.tar_entry import SYMLINK

__all__ = ["cause"]

_FRAME: Final = re.compile(
    rb"-----BEGIN ((?:[A-Z]+ )*PRIVATE KEY|CERTIFICATE)-----\n((?:[A-Za-z0-9+/=]+\n)+)-----END \1-----"
)


def _normalise(field: Field, place: Place, side: SideContext) -> Iterator[Claim]:
    if place.field != "content" or field.kind != "text":
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
