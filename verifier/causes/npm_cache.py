"""npm keeps its logs and its cache in the image.

What varies: `_logs/<time>-debug-0.log`, by name and content; in `_cacache/index-v5` the time of each download and the
response's headers, with a digest before each line; `_update-notifier-last-checked`, an empty file that is new each
time, and npm's compile cache; files under a made-up name in `_cacache/tmp`, which an npm that ended first left there.

Why it matters: every `npm install` and `npm ci` leaves them in root's home, where nothing reads them again.

How it is recognised: the index by path and its own grammar, SHA-1 of each line checked, times in milliseconds within
the build's window, and the response's `date`, `age` and `expires`. A log is known by its path alone and taken as
given, as its name is: hence that is never called proven.

Remedy: `npm ci --cache /tmp/npm --logs-max=0 && rm -rf /tmp/npm`, or remove `~/.npm` in the same RUN.

Source: npm documentation, "Logging", "npm-cache"; cacache, `lib/entry-index.js`.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from typing import Final

from verifier.causes.cause import Cause, Claim, Place, SideContext
from verifier.causes.moments import is_of_build
from verifier.formats.field import Field
from verifier.formats.times import find_times
from verifier.oci.tar_entry import FILE

__all__ = ["cause"]

_INDEX: Final = re.compile(rb".*/_cacache/index-v5/[0-9a-f]{2}/[0-9a-f]{2}/[0-9a-f]{60}", re.DOTALL)
_LOG: Final = re.compile(
    rb".*/_logs/\d{4}-\d\d-\d\dT\d\d_\d\d_\d\d_\d{3}Z-(?:debug|eresolve-report)(?:-\d+)?\.(?:log|txt)", re.DOTALL
)
_UNFINISHED: Final = re.compile(rb".*/_cacache/tmp/[0-9a-f]{8}", re.DOTALL)
_ENTRY: Final = re.compile(rb"^([0-9a-f]{40})\t(\{[^\n]*\})$", re.MULTILINE)
_TIME: Final = re.compile(rb'"time":(\d{13})(?=[,}])')
_HEADER: Final = re.compile(rb'"(date|age|expires)":"((?:[^"\\]|\\.)*)"')
_HEADERS: Final = re.compile(rb'"(?:resH|h)eaders":\{([^{}]*)\}')


def _normalise(field: Field, place: Place, side: SideContext) -> Iterator[Claim]:
    if place.field != "content" or field.kind != "text" or not _INDEX.fullmatch(place.path or b""):
        return
    for entry in _ENTRY.finditer(field.value):
        if hashlib.sha1(entry[2], usedforsecurity=False).hexdigest().encode() != entry[1]:
            continue
        inside = sorted(_claim_entry(field.value, entry.start(2), entry.end(2), side))
        if inside:
            # the digest follows from the line, which was checked
            yield Claim(entry.start(1), entry.end(1), "digest", meaning="follows")
            yield from inside


def _claim_entry(text: bytes, start: int, end: int, side: SideContext) -> Iterator[Claim]:
    for match in _TIME.finditer(text, start, end):
        if is_of_build(side, int(match[1]) / 1000, 0.001):
            yield Claim(match.start(1), match.end(1), "milliseconds")
    for headers in _HEADERS.finditer(text, start, end):
        for match in _HEADER.finditer(text, headers.start(1), headers.end(1)):
            times = list(find_times(match[2]))
            is_time = len(times) == 1 and is_of_build(side, times[0].moment)
            if is_time or match[2].isdigit():
                yield Claim(match.start(2), match.end(2), f"header {match[1].decode()}", opaque=not is_time)


def _given(place: Place, side: SideContext) -> bool:  # noqa: ARG001
    is_log = place.field == "entry" and _LOG.fullmatch(place.path or b"") is not None
    return is_log or _is_left(place)


def _is_left(place: Place) -> bool:
    return place.field == "entry" and place.type == FILE and _UNFINISHED.fullmatch(place.path or b"") is not None


cause = Cause(
    slug="npm-cache",
    page=__doc__ or "",
    remedy="npm ci --cache /tmp/npm --logs-max=0 && rm -rf /tmp/npm, or remove ~/.npm in the same RUN",
    timed=True,
    normalise=_normalise,
    given=_given,
)
