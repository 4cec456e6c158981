"""A program wrote a random value into a file.

What varies: a UUID of version 4, which is 122 random bits by definition.

Why it matters: it is new in every build; often it was meant to be new in every container, and is now in none.

How it is recognised: in text, by the grammar of RFC 9562 with its version and variant digits. Other random-looking
values are not claimed: a digest looks the same, and would hide what it is the digest of. The value is taken as given:
hence this is never called proven.

Remedy: make it when the container starts.

Source: RFC 9562, section 5.4.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from verifier.causes.cause import Cause, Claim, Place, SideContext
from verifier.causes.rules.build_facts import chance_risks
from verifier.formats.field import Field

__all__ = ["cause"]

_LOWER: Final = rb"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
_UPPER: Final = rb"[0-9A-F]{8}-[0-9A-F]{4}-4[0-9A-F]{3}-[89AB][0-9A-F]{3}-[0-9A-F]{12}"
_UUID: Final = re.compile(rb"(?<![0-9A-Za-z-])(?:(" + _LOWER + rb")|" + _UPPER + rb")(?![0-9A-Za-z-])")


def _normalise(field: Field, place: Place, side: SideContext) -> Iterator[Claim]:  # noqa: ARG001
    if place.field == "content" and field.kind == "text":
        for match in _UUID.finditer(field.value):
            yield Claim(match.start(), match.end(), "UUID" if match[1] is not None else "UUID in capitals")


cause = Cause(
    slug="random-value",
    page=__doc__ or "",
    remedy="make the value when the container starts, not when the image is built",
    opaque=True,
    normalise=_normalise,
    risk=chance_risks,
)
