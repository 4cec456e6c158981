"""dnf leaves logs and caches.

What varies: the times, and the durations of steps, in `/var/log/dnf*.log`, `/var/log/hawkey.log` and
`/var/log/yum.log`; the week counters `countme`; what dnf keeps of the repositories in `/var/cache/dnf`.

Why it matters: every `dnf install` writes them.

How it is recognised: logs by path, below any root, and grammar: a time at the start of a line within its own build's
window, and a `timer:` in milliseconds that is no longer than the build. Counters and caches by path: they hold what
the repositories gave, and are never called proven.

Remedy: remove them in the same RUN: `dnf clean all && rm -rf /var/log/dnf* /var/log/hawkey.log /var/cache/dnf`, and
`--setopt=*.countme=false`.

Source: dnf.conf(5), `countme`, `logdir`; libdnf, libdnf/log.cpp.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from verifier.causes.cause import Cause, Claim, Place, SideContext
from verifier.causes.moments import is_of_build
from verifier.formats.field import Field
from verifier.formats.times import find_times

__all__ = ["cause"]

_LOG: Final = re.compile(rb"(?:/.*)?/var/log/(?:dnf5?(?:\.rpm|\.librepo)?|hawkey|yum)\.log(?:\.\d+)?")
_LINE: Final = re.compile(
    rb"^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:Z|[+-]\d\d:?\d\d)) (?:\S+ timer: [^\n]*?: (\d+) ms$)?", re.MULTILINE
)
_CACHE: Final = re.compile(rb"(?:/.*)?/var/(?:cache/(?:dnf|yum|libdnf5)/.+|lib/dnf/(?:.*/)?countme)")


def _normalise(field: Field, place: Place, side: SideContext) -> Iterator[Claim]:
    if place.field != "content" or field.kind != "text" or not _LOG.fullmatch(place.path or b""):
        return
    for match in _LINE.finditer(field.value):
        for time in find_times(match[1]):
            if is_of_build(side, time.moment):
                yield Claim(match.start(1), match.end(1), time.form)
        if match[2] is not None and _is_short(side, int(match[2]) / 1000):
            yield Claim(match.start(2), match.end(2), "milliseconds")


def _is_short(side: SideContext, seconds: float) -> bool:
    return side.window is not None and seconds <= side.window.end - side.window.start


def _given(place: Place, side: SideContext) -> bool:  # noqa: ARG001
    return place.field in {"content", "size", "entry"} and _CACHE.fullmatch(place.path or b"") is not None


cause = Cause(
    slug="dnf-residue",
    page=__doc__ or "",
    remedy="in the same RUN: dnf clean all && rm -rf /var/log/dnf* /var/log/hawkey.log /var/cache/dnf",
    timed=True,
    normalise=_normalise,
    given=_given,
)
