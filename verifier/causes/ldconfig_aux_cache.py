"""ldconfig remembers the inode and the change time of every library.

What varies: in `/var/cache/ldconfig/aux-cache` the inode number, the change time and the device of each library, and
the order of the records, which follows from the inode numbers.

Why it matters: every package with a shared library runs ldconfig. SOURCE_DATE_EPOCH does not help.

How it is recognised: by the format, whatever the path: the records are taken apart and sorted by what else they say.
A change time must not lie behind the end of its own build. A library of another size shows here as well: that is taken
as given, and never called proven.

Remedy: remove it in the same RUN: `rm -f /var/cache/ldconfig/aux-cache`. ldconfig does without it.

Source: glibc, elf/cache.c, `struct aux_cache_file`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from verifier.causes.cause import Cause, Claim, Place, SideContext
from verifier.causes.rules.leftovers import library_cache_risks
from verifier.formats.field import Field

__all__ = ["cause"]

_FORMS: Final = {
    "library-inode": "inode",
    "library-device": "device",
    "library-order": "order",
    "library-padding": "uninitialised",
}


def _normalise(field: Field, place: Place, side: SideContext) -> Iterator[Claim]:  # noqa: ARG001
    form = _FORMS.get(field.kind)
    if field.kind == "library-ctime":
        changed = int.from_bytes(field.value, "little")
        if changed and (side.window is None or changed <= side.window.end):
            form = "change time"
    if form is not None:
        yield Claim(0, len(field.value), form)
    elif field.kind == "library-size":
        # that of a library in the image: where it differs, so does the library
        yield Claim(0, len(field.value), "size", opaque=True)


cause = Cause(
    slug="ldconfig-aux-cache",
    page=__doc__ or "",
    remedy="remove it in the same RUN: rm -f /var/cache/ldconfig/aux-cache",
    timed=True,
    normalise=_normalise,
    risk=library_cache_risks,
)
