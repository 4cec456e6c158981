"""Which of the causes of another order it is: told from what stands in the wrong order, on one side alone."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Final, Literal

from verifier.causes.cause import Claim, Normaliser, Place, SideContext
from verifier.formats.field import Field
from verifier.formats.pickle_stream import set_members
from verifier.formats.unordered import Unordered, find_unordered

Kind = Literal["hash", "readdir", "collation"]

_MIN_COLLATED: Final = 5
"""So many lines are sorted by accident once in a hundred and twenty times."""

_OF_JOBS: Final = re.compile(
    rb".*(?:\.nft\.json|/server/(?:pages|app-paths|middleware|functions-config)-manifest\.json)", re.DOTALL
)
"""What Next.js and its file tracer write as their jobs end. JavaScript's maps and sets keep the order of insertion:
neither a hash's seed nor a folder's order is to blame, and to sort is not in the user's hands."""

_IGNORED: Final = re.compile(rb"[^0-9A-Za-z\x80-\xff]")


def claim_order(kind: Kind) -> Normaliser:
    """Make a normaliser of the stretches whose order is chance for this reason; what they hold is their form."""

    def normalise(field: Field, place: Place, side: SideContext) -> Iterator[Claim]:  # noqa: ARG001
        if _OF_JOBS.fullmatch(place.path or b""):
            return
        if place.field == "content" and field.kind == "pickle-set" and kind == "hash":
            members = hashlib.sha256(repr(sorted(set_members(field.value))).encode()).hexdigest()
            yield Claim(0, len(field.value), f"a set in some order ({members[:32]})")
        if place.field != "content" or field.kind not in ("text", "json"):
            return
        for item in _unordered(field.value):
            if kind_of(item) == kind:
                form = f"the same {len(item.members)} in some order ({item.canonical})"
                # whether an order was meant, only some notations tell, and that it is sorted in two ways
                yield Claim(item.start, item.end, form, guessed=not (item.free or kind == "collation"))

    return normalise


@lru_cache(maxsize=4)
def _unordered(text: bytes) -> tuple[Unordered, ...]:
    """Read a text once for the three causes that ask."""
    return tuple(find_unordered(text))


def kind_of(item: Unordered) -> Kind:
    """Name the reason: sorted by rules that disagree, names of files, or anything else."""
    if _is_collated(item.members):
        return "collation"
    return "readdir" if item.paths else "hash"


def _is_collated(members: tuple[bytes, ...]) -> bool:
    """Tell whether names are sorted, by their bytes or as languages sort, where these two orders are not one."""
    if len(members) < _MIN_COLLATED:
        return False
    by_bytes, by_language = sorted(members), sorted(members, key=_collation_key)
    return by_bytes != by_language and list(members) in (by_bytes, by_language)


def _collation_key(member: bytes) -> tuple[bytes, bytes, bytes]:
    """Approach ISO 14651 as glibc's locales have it: letters and digits first, then their case, then all the rest."""
    letters = _IGNORED.sub(b"", member)
    return letters.lower(), letters.swapcase(), member
