"""A time before SOURCE_DATE_EPOCH is left as it is.

What varies: mtimes in a layer that lie before the epoch: of files that a RUN gave another time with `touch -d`, `cp -p`
or by unpacking, computed from the day of the build.

Why it matters: BuildKit's rewriting only brings times down to the epoch. What is earlier stays as it was.

How it is recognised: the build was run with an epoch and with its rewriting of times, the entry's time lies before the
epoch and outside of the build's window, and it is no copy of the context's. What the time should be is not known: hence
this is never called proven.

Remedy: give the file a time that does not depend on the day, `touch -d @$SOURCE_DATE_EPOCH`; `--timestamp` of Buildah
and Podman sets all times.

Source: BuildKit, docs/build-repro.md ("timestamps newer than SOURCE_DATE_EPOCH"); buildah-build(1), `--timestamp`.
"""

from __future__ import annotations

from verifier.causes.cause import HEADERS, Cause, Place, SideContext
from verifier.causes.entry_times import claim_time_if
from verifier.causes.made_by import is_from_context
from verifier.causes.moments import is_of_build

__all__ = ["cause"]


def _is_left(moment: float, place: Place, side: SideContext) -> bool:
    if not side.rewritten or side.epoch is None or place.is_base or is_from_context(place):
        return False
    return moment < side.epoch and not is_of_build(side, moment)


cause = Cause(
    slug="mtime-before-epoch",
    page=__doc__ or "",
    remedy="set the file's time in the same RUN: touch -d @$SOURCE_DATE_EPOCH, declared as ARG",
    opaque=True,
    reach=HEADERS,
    normalise=claim_time_if(_is_left),
)
