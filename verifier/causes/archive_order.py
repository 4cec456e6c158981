"""The members of an archive stand in another order.

What varies: where a member comes in a tar or a zip archive, a jar or a wheel among them, and in a zip's central
directory as well. A file system lists its folders in its own order; a program that collects its members in a set, or
from threads side by side, has another order each time.

Why it matters: the archive is other bytes, though everything in it is the same.

How it is recognised: by the formats, in any path, archives in archives too: members are compared by name, with
everything that the archive says of them, and only their sequence differs. Members of one name must keep theirs, as
the last one counts. A tar whose headers say something of all members behind them is not put in order, nor one with a
hard link in front of the file that it names, which no longer unpacks. Which of the reasons it was cannot be told from
the archive: sorting helps against all of them.

Remedy: `tar --sort=name`; `LC_ALL=C sort` before `zip -@` or `tar -T -`; `sorted(…)` in Python; Maven's
`project.build.outputTimestamp`, with plugins that are new enough to heed it; Gradle's `reproducibleFileOrder = true`.

Source: GNU tar manual, `--sort`; PKWARE, APPNOTE 6.3, section 4.3.6; Maven, "Configuring for Reproducible Builds";
Gradle, "Working With Files", reproducible builds; https://reproducible-builds.org/docs/archives/.
"""

from __future__ import annotations

from collections.abc import Iterator

from verifier.causes.cause import Cause, Claim, Place, SideContext
from verifier.formats.field import Field
from verifier.formats.member_order import MEMBER_ORDER

__all__ = ["cause"]


def _normalise(field: Field, place: Place, side: SideContext) -> Iterator[Claim]:  # noqa: ARG001
    if place.field == "content" and field.kind == MEMBER_ORDER:
        yield Claim(0, len(field.value), "the same members in some order")


cause = Cause(
    slug="archive-order",
    page=__doc__ or "",
    remedy="sort the members: tar --sort=name, LC_ALL=C sort, project.build.outputTimestamp, reproducibleFileOrder",
    normalise=_normalise,
)
