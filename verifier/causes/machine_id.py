"""A machine's identity is made while the image is built.

What varies: `/etc/machine-id` and `/var/lib/dbus/machine-id`, 32 random hexadecimal digits.

Why it matters: beyond the digest, every container that is started from the image believes to be the same machine.

How it is recognised: by path and grammar. The value is random: hence this is never called proven.

Remedy: in the same RUN, `: > /etc/machine-id` and `rm -f /var/lib/dbus/machine-id`; it is made anew at the first
start.

Source: machine-id(5); dbus-uuidgen(1).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from verifier.causes.cause import Cause, Claim, Place, SideContext
from verifier.causes.rules.leftovers import machine_id_risks
from verifier.formats.field import Field

__all__ = ["cause"]

_PATHS: Final = (b"/etc/machine-id", b"/var/lib/dbus/machine-id")
_IDENTITY: Final = re.compile(rb"([0-9a-f]{32})\n?")


def _normalise(field: Field, place: Place, side: SideContext) -> Iterator[Claim]:  # noqa: ARG001
    if place.path in _PATHS and place.field == "content":
        found = _IDENTITY.fullmatch(field.value)
        if found is not None:
            yield Claim(0, 32, "machine id")


cause = Cause(
    slug="machine-id",
    page=__doc__ or "",
    remedy="in the same RUN: : > /etc/machine-id && rm -f /var/lib/dbus/machine-id",
    severity="error",
    opaque=True,
    normalise=_normalise,
    risk=machine_id_risks,
)
