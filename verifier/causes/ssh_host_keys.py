"""An SSH server's host keys are made while the image is built.

What varies: `/etc/ssh/ssh_host_*_key`, their public halves, and their fingerprints in apt's `term.log`.

Why it matters: beyond the digest, whoever has the image has the private keys of every server that runs from it.

How it is recognised: by path, by the PEM frame of a private key or the one line of a public key, and by valid base64
in it. The keys are random: hence this is never called proven.

Remedy: remove them in the same RUN, `rm -f /etc/ssh/ssh_host_*`, and make them when the container starts (`ssh-keygen
-A`).

Source: sshd(8), "FILES"; OpenSSH, PROTOCOL.key.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from verifier.causes.cause import Cause, Claim, Place, SideContext
from verifier.causes.rules.secrets import host_key_risks
from verifier.formats.field import Field

__all__ = ["cause"]

_PATH: Final = re.compile(rb"/etc/ssh/ssh_host_(?:rsa|dsa|ecdsa|ed25519)_key(?:\.pub)?")
_PRIVATE: Final = re.compile(
    rb"-----BEGIN ((?:OPENSSH|RSA|DSA|EC) PRIVATE KEY)-----\n((?:[A-Za-z0-9+/]+={0,2}\n)+)-----END \1-----\n"
)
_PUBLIC: Final = re.compile(rb"(ssh-rsa|ssh-dss|ssh-ed25519|ecdsa-sha2-nistp\d+) ([A-Za-z0-9+/]+={0,2})(?: (\S+))?\n")


_LOG: Final = b"/var/log/apt/term.log"
_FINGERPRINT: Final = re.compile(
    rb"^\d{3,5} SHA256:([A-Za-z0-9+/]{43}) (\S+) \((?:RSA|DSA|ECDSA|ED25519)\)\r?$", re.MULTILINE
)


def _normalise(field: Field, place: Place, side: SideContext) -> Iterator[Claim]:  # noqa: ARG001
    if place.field != "content" or field.kind != "text":
        return
    if place.path == _LOG:
        for match in _FINGERPRINT.finditer(field.value):
            yield Claim(match.start(1), match.end(1), "fingerprint")
            yield Claim(match.start(2), match.end(2), "comment")
    if not _PATH.fullmatch(place.path or b""):
        return
    private = _PRIVATE.fullmatch(field.value)
    if private is not None:
        yield Claim(private.start(2), private.end(2), "private key")
    public = _PUBLIC.fullmatch(field.value)
    if public is not None:
        yield Claim(public.start(2), public.end(2), "public key")
        if public[3] is not None:
            # who made it, and on which host
            yield Claim(public.start(3), public.end(3), "comment")


cause = Cause(
    slug="ssh-host-keys",
    page=__doc__ or "",
    remedy="remove them in the same RUN (rm -f /etc/ssh/ssh_host_*), and run ssh-keygen -A when the container starts",
    severity="error",
    opaque=True,
    normalise=_normalise,
    risk=host_key_risks,
)
