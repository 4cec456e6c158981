"""A program wrote the time of the build into a file.

What varies: a date, in any of the forms that programs print: ISO 8601, RFC 2822, ctime, date(1), a web server's log,
or seconds, milli-, micro- and nanoseconds since 1970.

Why it matters: one line of output, or one generated header, makes the whole layer another.

How it is recognised: in text, a value of such a form that lies within its own build's window. A date that lies
elsewhere is none of this build's, and without a window there is no telling: then nothing is claimed.

Remedy: do not write it, or take it from SOURCE_DATE_EPOCH: `date -u -d @$SOURCE_DATE_EPOCH`, with `ARG
SOURCE_DATE_EPOCH` in the stage.

Source: https://reproducible-builds.org/docs/source-date-epoch/.
"""

from __future__ import annotations

from collections.abc import Iterator

from verifier.causes.cause import Cause, Claim, Place, SideContext
from verifier.causes.moments import claim_times
from verifier.causes.rules.build_facts import clock_risks
from verifier.formats.field import Field

__all__ = ["cause"]


def _normalise(field: Field, place: Place, side: SideContext) -> Iterator[Claim]:
    if place.field == "content" and field.kind == "text" and side.window is not None:
        yield from claim_times(field, side)


cause = Cause(
    slug="embedded-timestamp",
    page=__doc__ or "",
    remedy="leave the date out, or take it from SOURCE_DATE_EPOCH, declared as ARG: date -u -d @$SOURCE_DATE_EPOCH",
    timed=True,
    normalise=_normalise,
    risk=clock_risks,
)
