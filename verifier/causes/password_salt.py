"""A password is hashed with a new salt.

What varies: salt and hash in the second field of `/etc/shadow` (and of its backup `shadow-`).

Why it matters: the same password gives another line each time; and the hash is in the image for all to see.

How it is recognised: by path and by the form of crypt(5): `$y$`, `$6$`, `$5$`, `$2b$`, `$1$`. The salt is random:
hence this is never called proven.

Remedy: set no password in an image; if it must be, `chpasswd -e` with a hash that was made once.

Source: shadow(5); crypt(5).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from verifier.causes.cause import Cause, Claim, Place, SideContext
from verifier.causes.rules.secrets import salt_risks
from verifier.formats.field import Field

__all__ = ["cause"]

_PATHS: Final = (b"/etc/shadow", b"/etc/shadow-")
_LINE: Final = re.compile(rb"^[^:\n]+:!?\$(y|gy|7|2[aby]|6|5|1)\$([./A-Za-z0-9$=]{20,})(?=:)", re.MULTILINE)


def _normalise(field: Field, place: Place, side: SideContext) -> Iterator[Claim]:  # noqa: ARG001
    if place.path in _PATHS and place.field == "content" and field.kind == "text":
        for match in _LINE.finditer(field.value):
            yield Claim(match.start(2), match.end(2), f"crypt ${match[1].decode('ascii')}$")


cause = Cause(
    slug="password-salt",
    page=__doc__ or "",
    remedy="set no password in the image, or give chpasswd -e a hash that was made once",
    severity="error",
    opaque=True,
    normalise=_normalise,
    risk=salt_risks,
)
