"""GnuPG's home directory records when it was made.

What varies: in `pubring.kbx` when the ring was made, when it was last maintained, and when each key was added; in
`trustdb.gpg` when it was made; the seed of random numbers, and keys that were made along with it.

Why it matters: one `gpg --import` leaves them, often in a home that nobody meant to ship.

How it is recognised: keyring and trust database by their formats, in any path; the times lie within their own
build's window. The seed and the keys (`random_seed`, `private-keys-v1.d/*.key`, `openpgp-revocs.d/*.rev`) by their
names in such a home: they are random, and never called proven. So is the rest of keyring and trust database where the
instruction makes a key (`gpg --quick-gen-key`).

Remedy: `gpg --dearmor` turns a key into a keyring file without a home; else give gpg a home of its own and remove it in
the same RUN: `GNUPGHOME=$(mktemp -d)`, `rm -rf "$GNUPGHOME"`.

Source: GnuPG, kbx/keybox-blob.c and doc/DETAILS; gpg(1), "FILES".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from verifier.causes.cause import Cause, Claim, Place, SideContext
from verifier.causes.moments import is_of_build
from verifier.formats.field import Field

__all__ = ["cause"]

_SECRETS: Final = re.compile(
    rb".*/(?:(?:\.gnupg|gnupg)/random_seed"
    rb"|private-keys-v1\.d/[0-9A-F]{40}\.key|openpgp-revocs\.d/[0-9A-F]{40}\.rev)"
)
_RINGS: Final = re.compile(rb".*/(?:\.gnupg|gnupg)/(?:pubring\.kbx~?|trustdb\.gpg)")
_MAKES_KEY: Final = re.compile(r"\bgpg2?\b[^;&|]{0,400}\s--(?:full-|quick-)?gen(?:erate)?-key\b")


def _normalise(field: Field, place: Place, side: SideContext) -> Iterator[Claim]:  # noqa: ARG001
    if field.kind == "gnupg-time" and is_of_build(side, int.from_bytes(field.value, "big")):
        yield Claim(0, 4, "seconds")


def _given(place: Place, side: SideContext) -> bool:  # noqa: ARG001
    if place.field not in {"content", "size", "entry"}:
        return False
    path = place.path or b""
    # a new key's public half, its fingerprint and its signatures are in both
    is_with_key = _RINGS.fullmatch(path) is not None and _MAKES_KEY.search(place.made_by) is not None
    return is_with_key or _SECRETS.fullmatch(path) is not None


cause = Cause(
    slug="gnupg-home",
    page=__doc__ or "",
    remedy="use gpg --dearmor instead of --import, or remove gpg's home in the same RUN",
    timed=True,
    normalise=_normalise,
    given=_given,
)
