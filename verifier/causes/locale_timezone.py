"""The time zone or the language of the build shows in its results.

What varies: the hour and the zone's name in every local time, the names of months, and the order in which `sort`, `ls`
and databases put names: capitals first, or letter by letter without regard to case and punctuation.

Why it matters: two builds on one machine agree; another machine, or a base image with another `LANG` or `TZ`, gives
other files.

How it is recognised: in text, by lines or members that are sorted on both sides, by two rules that disagree; and, where
the two builds were made to differ in time zone or language (`--vary timezone,locale`), by times of the build whatever
zone and language they are written in.

Remedy: `ENV LC_ALL=C.UTF-8 TZ=UTC` before what depends on it, `LC_ALL=C sort`, `date -u`.

Source: setlocale(3), tzset(3); https://reproducible-builds.org/docs/locales/,
https://reproducible-builds.org/docs/timezones/.
"""

from __future__ import annotations

from collections.abc import Iterator

from verifier.causes.cause import Cause, Claim, Place, SideContext
from verifier.causes.moments import claim_times
from verifier.causes.permuted import claim_order
from verifier.formats.field import Field

__all__ = ["cause"]

_claim_collation = claim_order("collation")


def _normalise(field: Field, place: Place, side: SideContext) -> Iterator[Claim]:
    if side.local_times and place.field == "content" and field.kind == "text":
        for claim in claim_times(field, side, any_zone=True):
            yield Claim(claim.start, claim.end, "a time of the build in its zone and language")
        return
    yield from _claim_collation(field, place, side)


cause = Cause(
    slug="locale-timezone",
    page=__doc__ or "",
    remedy="ENV LC_ALL=C.UTF-8 TZ=UTC before what depends on it, LC_ALL=C sort, date -u",
    normalise=_normalise,
)
