"""A hard link points to another name of the same file.

What varies: of a file with several names, which name has the content in the archive, and which name the others point
to: entry type, link target, size and content of these entries.

Why it matters: what is unpacked is the same, and yet the `diff_id` differs.

How it is recognised: both sides' layers were searched for hard links: the file has the same names and the same content.
Mode, owner and time of each name are compared by themselves.

Remedy: one builder with one snapshotter on both sides; BuildKit takes the name that comes first in the alphabet.

Source: POSIX.1-2008, "ustar Interchange Format", `typeflag`; BuildKit's pull request 3456.
"""

from __future__ import annotations

from collections.abc import Iterator

from verifier.causes.cause import CONTENTS, HEADERS, Cause, Claim, Place, SideContext
from verifier.formats.field import Field

__all__ = ["cause"]


def _normalise(field: Field, place: Place, side: SideContext) -> Iterator[Claim]:  # noqa: ARG001
    if place.part == "layer" and field.kind == "link":
        yield Claim(0, len(field.value), "name among the file's")


cause = Cause(
    slug="hardlink-target",
    page=__doc__ or "",
    remedy="build with one builder and one snapshotter on both sides",
    severity="note",
    reach=CONTENTS | HEADERS,
    normalise=_normalise,
)
