"""npm keeps its logs and its cache in the image.

What varies: `_logs/<time>-debug-0.log`, by name and content; in `_cacache/index-v5` the time of each download and the
response's headers, with a digest before each line; `_update-notifier-last-checked`, an empty file that is new each
time, and npm's compile cache; files under a made-up name in `_cacache/tmp`, which an npm that ended first left there.
What npm packed of a folder is kept in `_cacache/content-v2` under its digest.

Why it matters: every `npm install` and `npm ci` leaves them in root's home, where nothing reads them again.

How it is recognised: the index by path and its own grammar, SHA-1 of each line checked, times in milliseconds within
the build's window, and the response's `date`, `age` and `expires`; `_lastverified` holds such a time and nothing else.
What was packed of a folder is paired with the other side's, and what differs inside must be explained. A log is known
by its path alone and taken as given, as its name is, and so are the digest and size of what was packed: hence that is
never called proven.

Remedy: `npm ci --cache /tmp/npm --logs-max=0 && rm -rf /tmp/npm`, or remove `~/.npm` in the same RUN.

Source: npm documentation, "Logging", "npm-cache"; cacache, `lib/entry-index.js`.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from typing import Final

from verifier.causes.cause import Cause, Claim, NewName, Place, SideContext
from verifier.causes.moments import is_of_build
from verifier.formats.field import Field
from verifier.formats.times import find_times
from verifier.oci.tar_entry import DIRECTORY, FILE

__all__ = ["cause"]

_INDEX: Final = re.compile(rb".*/_cacache/index-v5/[0-9a-f]{2}/[0-9a-f]{2}/[0-9a-f]{60}", re.DOTALL)
_LOG: Final = re.compile(
    rb".*/_logs/\d{4}-\d\d-\d\dT\d\d_\d\d_\d\d_\d{3}Z-(?:debug|eresolve-report)(?:-\d+)?\.(?:log|txt)", re.DOTALL
)
_UNFINISHED: Final = re.compile(rb".*/_cacache/tmp/[0-9a-f]{8}", re.DOTALL)
_ENTRY: Final = re.compile(rb"^([0-9a-f]{40})\t(\{[^\n]*\})$", re.MULTILINE)
_CONTENT: Final = re.compile(rb"(.*/_cacache/content-v2/sha512)/[0-9a-f]{2}/[0-9a-f]{2}/[0-9a-f]{124}", re.DOTALL)
_CONTENT_FOLDER: Final = re.compile(rb".*/_cacache/content-v2/sha512(?:/[0-9a-f]{2}){1,2}", re.DOTALL)
_PACKED: Final = b'{"key":"pacote:tarball:file:'
_VERIFIED: Final = re.compile(rb".*/_cacache/_lastverified", re.DOTALL)
_MOMENT: Final = re.compile(rb"[1-9]\d{12}")
_STORED: Final = re.compile(rb'"(integrity)":"sha512-([A-Za-z0-9+/]{86}==)"|"(size)":(\d{1,12})(?=[,}])')
_TIME: Final = re.compile(rb'"time":(\d{13})(?=[,}])')
_HEADER: Final = re.compile(rb'"(date|age|expires)":"((?:[^"\\]|\\.)*)"')
_HEADERS: Final = re.compile(rb'"(?:resH|h)eaders":\{([^{}]*)\}')


def _normalise(field: Field, place: Place, side: SideContext) -> Iterator[Claim]:
    if place.field != "content" or field.kind != "text":
        return
    if _VERIFIED.fullmatch(place.path or b""):
        if _MOMENT.fullmatch(field.value) and is_of_build(side, int(field.value) / 1000, 0.001):
            yield Claim(0, len(field.value), "milliseconds")
        return
    if not _INDEX.fullmatch(place.path or b""):
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

    # the digest of what was downloaded is for others to judge
    for match in _STORED.finditer(text, start, end) if text.startswith(_PACKED, start) else ():
        group = 2 if match[1] else 4
        yield Claim(match.start(group), match.end(group), (match[1] or match[3]).decode(), opaque=True)


def _given(place: Place, side: SideContext) -> bool:  # noqa: ARG001
    path = place.path or b""
    if place.field != "entry":
        return False
    if _LOG.fullmatch(path) or (place.type == FILE and _UNFINISHED.fullmatch(path)):
        return True
    return place.type == DIRECTORY and _CONTENT_FOLDER.fullmatch(path) is not None


def _rename(place: Place, side: SideContext) -> NewName | None:  # noqa: ARG001
    match = _CONTENT.fullmatch(place.path or b"") if place.type == FILE else None
    return None if match is None else NewName(match[1] + b"/<digest>")


cause = Cause(
    slug="npm-cache",
    page=__doc__ or "",
    remedy="npm ci --cache /tmp/npm --logs-max=0 && rm -rf /tmp/npm, or remove ~/.npm in the same RUN",
    timed=True,
    normalise=_normalise,
    rename=_rename,
    given=_given,
)
