"""COPY keeps the permissions that the umask left to files in the working copy.

What varies: what group and others may do (the last two digits of the mode) with a copied file or folder.

Why it matters: git stores of a mode only whether its owner may execute the file. The rest comes from the umask of who
checked out: 0644 here, 0664 or 0600 there.

How it is recognised: a COPY or ADD made the entry. Only the last two digits are claimed: set-user-ID, set-group-ID and
sticky bit and what the owner may do must agree. What they should be is not known: hence this is never called proven.

Remedy: `COPY --chmod=…` (BuildKit 1.2 of the Dockerfile syntax), or `chmod` in the checkout, before each build.

Source: umask(2); git-config(1), `core.fileMode`; Dockerfile reference, "COPY --chown --chmod".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from verifier.causes.cause import HEADERS, Cause, Claim, Place, SideContext
from verifier.causes.made_by import is_copy
from verifier.formats.field import Field
from verifier.oci.tar_entry import DIRECTORY, FILE

__all__ = ["cause"]

_MODE: Final = re.compile(rb"[0-7]{4}")


def _normalise(field: Field, place: Place, side: SideContext) -> Iterator[Claim]:  # noqa: ARG001
    is_mode = place.field == field.kind == "mode" and place.type in (FILE, DIRECTORY)
    if is_mode and is_copy(place) and _MODE.fullmatch(field.value):
        yield Claim(2, 4, "group and others", _masks(field.value))


def _masks(mode: bytes) -> str:
    """Say what group and others lack, and have more, of what the owner may do: 0644 and 0755 have one umask."""
    _, owner, group, others = (int(digit) for digit in mode.decode("ascii"))
    return " ".join(f"-{owner & ~digits & 7}+{digits & ~owner & 7}" for digits in (group, others))


cause = Cause(
    slug="mode-umask",
    page=__doc__ or "",
    remedy="give the permissions: COPY --chmod=, or chmod before each build",
    opaque=True,
    reach=HEADERS,
    normalise=_normalise,
)
