"""A password is hashed with a new salt.

What varies: salt and hash in the second field of `/etc/shadow` (and of its backup `shadow-`), in a password file of a
web server or a broker, in a database or a dump of one.

Why it matters: the same password gives another line each time; and the hash is in the image for all to see.

How it is recognised: by the form that says how it was made: crypt(5)'s `$y$`, `$7$`, `$6$`, `$5$`, `$2b$`, `$1$`,
Apache's `$apr1$`, phpass's `$P$`, Argon2's, PBKDF2's and scrypt's as Django, Werkzeug, passlib and mosquitto write
them, LDAP's `{SSHA}`, PostgreSQL's `SCRAM-SHA-256`, Tor's `16:`; salt and hash must have its
lengths. The salt is random: hence this is never called proven.

Remedy: set no password in an image; if it must be, give it as a hash that was made once (`chpasswd -e`).

Source: shadow(5); crypt(5); htpasswd(1); Django, "Password management"; RFC 9106; RFC 5803; PostgreSQL documentation,
`pg_authid`; Tor, control-spec, section 5.1.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from verifier.causes.cause import Cause, Claim, Place, SideContext
from verifier.causes.rules.secrets import salt_risks
from verifier.formats.field import Field

__all__ = ["cause"]

_CRYPT: Final = rb"[./A-Za-z0-9]"
_BASE64: Final = rb"[A-Za-z0-9+/]"
_HASHES: Final = re.compile(
    # crypt(5), with Apache's and phpass's forms of it
    rb"(?<![\w$])(?:\$(?P<crypt>(?:gy|y)\$" + _CRYPT + rb"{1,20}\$" + _CRYPT + rb"{1,86}\$" + _CRYPT + rb"{43}"
    rb"|7\$" + _CRYPT + rb"{11,97}\$" + _CRYPT + rb"{43}"
    rb"|2[abxy]\$\d\d\$" + _CRYPT + rb"{53}"
    rb"|6\$(?:rounds=\d+\$)?" + _CRYPT + rb"{1,16}\$" + _CRYPT + rb"{86}"
    rb"|5\$(?:rounds=\d+\$)?" + _CRYPT + rb"{1,16}\$" + _CRYPT + rb"{43}"
    rb"|(?:1|apr1)\$" + _CRYPT + rb"{1,8}\$" + _CRYPT + rb"{22}"
    rb"|[PH]\$" + _CRYPT + rb"{31})(?!" + _CRYPT + rb")"
    # mosquitto's, Argon2's and passlib's
    rb"|\$(?P<kept>6\$" + _BASE64 + rb"{16}\$" + _BASE64 + rb"{86}=="
    rb"|7\$\d+\$" + _BASE64 + rb"{16,86}={0,2}\$" + _BASE64 + rb"{86}=="
    rb"|argon2(?:id|i|d)\$v=\d+\$m=\d+,t=\d+,p=\d+\$" + _BASE64 + rb"{11,86}\$" + _BASE64 + rb"{22,86}"
    rb"|pbkdf2(?:-sha(?:256|512))?\$\d+\$[./A-Za-z0-9]{8,86}\$[./A-Za-z0-9]{27,86})(?![A-Za-z0-9+/=])"
    # Django's, Werkzeug's, PostgreSQL's
    rb"|(?P<named>pbkdf2_sha(?:1|256)\$\d+\$[A-Za-z0-9]{12,32}\$" + _BASE64 + rb"{27,43}="
    rb"|(?:pbkdf2:sha(?:1|256|512):\d+|scrypt:\d+:\d+:\d+)\$[A-Za-z0-9]{8,32}\$(?:[0-9a-f]{128}|[0-9a-f]{64}|[0-9a-f]{40})"
    rb"|SCRAM-SHA-256\$\d+:" + _BASE64 + rb"{20,30}={0,2}\$" + _BASE64 + rb"{43}=:" + _BASE64 + rb"{43}="
    rb")(?![A-Za-z0-9+/=]))"
    # Tor's, RFC 2440's salted and iterated S2K; OpenLDAP's
    rb"|(?<![\w:])(?P<tor>16:[0-9A-F]{16}60[0-9A-F]{40})(?!\w)"
    rb"|(?P<ldap>\{(?:SSHA(?:256|384|512)?|SMD5)\}" + _BASE64 + rb"{26,110}={0,2})(?![A-Za-z0-9+/=])"
)
_SCHEME: Final = re.compile(
    rb"argon2\w+\$v=\d+\$m=\d+,t=\d+,p=\d+|pbkdf2[-_\w:]*(?:\$\d+)?|scrypt[\d:]+|SCRAM-SHA-256\$\d+|\{\w+\}"
    rb"|7\$\d{1,9}(?=\$)|[A-Za-z0-9]{1,4}(?:\$rounds=\d+|\$\d\d(?=\$))?"
)


def _normalise(field: Field, place: Place, side: SideContext) -> Iterator[Claim]:  # noqa: ARG001
    if place.field != "content" or field.kind != "text":
        return
    for match in _HASHES.finditer(field.value):
        found = next(name for name, value in match.groupdict().items() if value is not None)
        scheme = _SCHEME.match(match[found])
        if scheme is not None:
            yield Claim(match.start(found) + scheme.end(), match.end(found), f"hash of {scheme[0].decode('ascii')}")


cause = Cause(
    slug="password-salt",
    page=__doc__ or "",
    remedy="set no password in the image, or give it as a hash that was made once (chpasswd -e)",
    severity="error",
    opaque=True,
    normalise=_normalise,
    risk=salt_risks,
)
