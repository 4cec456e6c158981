"""The same file belongs to another user or group.

What varies: `uid`, `gid`, `uname` or `gname` in the tar header.

Why it matters: users and groups that packages or `useradd` add get the next free number, and that depends on what was
added before; whoever gets the number of another owns its files.

How it is recognised: the field is an owner, each for itself and nothing along with it. What it should be is not known:
hence this is never called proven.

Remedy: give numbers: `groupadd -g`, `useradd -u`, `COPY --chown=0:0`; and no `chown` to what varies.

Source: useradd(8), `--uid`; Dockerfile reference, "COPY --chown --chmod".
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from verifier.causes.cause import HEADERS, Cause, Claim, Place, SideContext
from verifier.formats.field import Field

__all__ = ["cause"]

_NUMBERS: Final = frozenset({"uid", "gid"})
_NAMES: Final = frozenset({"uname", "gname"})


def _normalise(field: Field, place: Place, side: SideContext) -> Iterator[Claim]:  # noqa: ARG001
    if place.part != "layer" or place.is_base or place.field != field.kind:
        return
    if (field.kind in _NUMBERS and field.value.isdigit()) or field.kind in _NAMES:
        yield Claim(0, len(field.value), field.kind)


cause = Cause(
    slug="owner-drift",
    page=__doc__ or "",
    remedy="give users and groups fixed numbers (useradd -u, groupadd -g, COPY --chown=0:0)",
    opaque=True,
    reach=HEADERS,
    normalise=_normalise,
)
