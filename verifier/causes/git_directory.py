"""A git repository's own bookkeeping stays in the image.

What varies: the index (`.git/index`), which notes of each file its times, inode and device; the logs of what moved each
branch, with times and the host's name; FETCH_HEAD's and a commit's times. A commit that is made in the build has its
time in it: so its name is another one each time, and with it the loose objects, branches and ORIG_HEAD.

Why it matters: no program needs any of it at run time, and `.git` is often the largest thing in its layer.

How it is recognised: the index by its signature, every entry's fields by the format's specification, seconds within
the build's window, and the digest at its end, which follows; the logs by path and grammar. Names of commits and loose
objects in `.git` are digests of what cannot be seen from one side: they are taken as given, and never called proven.
Packs, which come from elsewhere, are not: what differs there may be the upstream's.

Remedy: remove `.git` in the RUN that clones, list it in `.dockerignore`, or fetch an archive of one commit.

Source: Git, gitformat-index(5), gitrepository-layout(5).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from verifier.causes.cause import Cause, Claim, Place, SideContext
from verifier.causes.moments import is_of_build
from verifier.formats.field import Field

__all__ = ["cause"]

_OF_FILES: Final = frozenset({"git-index-device", "git-index-inode"})
_REPOSITORY: Final = rb"(?:/.*)?/(?:\.git|[^/]+\.git)(?:/modules/[^/]+)*/"
_LOG_PATH: Final = re.compile(_REPOSITORY + rb"logs/.+", re.DOTALL)
_REFERENCE_PATH: Final = re.compile(
    _REPOSITORY + rb"(?:HEAD|ORIG_HEAD|FETCH_HEAD|MERGE_HEAD|packed-refs|shallow|refs/.+|info/refs)", re.DOTALL
)
_OBJECT_PATH: Final = re.compile(_REPOSITORY + rb"objects/[0-9a-f]{2}(?:/[0-9a-f]{38})?")
_COMMIT: Final = rb"[0-9a-f]{40}"
_LOG_LINE: Final = re.compile(
    rb"^(?P<before>" + _COMMIT + rb") (?P<after>" + _COMMIT + rb") [^\n]{0,300}? <[^>\n]{0,300}> "
    rb"(?P<seconds>\d{9,10}) [+-]\d{4}",
    re.MULTILINE,
)
_REFERENCE: Final = re.compile(rb"^\^?(" + _COMMIT + rb")(?=[ \t\n]|\Z)", re.MULTILINE)


def _normalise(field: Field, place: Place, side: SideContext) -> Iterator[Claim]:
    if place.field != "content":
        return
    path = place.path or b""
    if field.kind == "git-index-seconds" and is_of_build(side, int.from_bytes(field.value, "big")):
        yield Claim(0, 4, "seconds")
    elif field.kind == "git-index-nanoseconds" and int.from_bytes(field.value, "big") < 10**9:
        yield Claim(0, 4, "nanoseconds")
    elif field.kind in _OF_FILES:
        yield Claim(0, 4, field.kind)
    elif field.kind == "text" and _LOG_PATH.fullmatch(path):
        yield from _claim_log(field.value, side)
    elif field.kind == "text" and _REFERENCE_PATH.fullmatch(path):
        for match in _REFERENCE.finditer(field.value):
            yield Claim(match.start(1), match.end(1), "commit", opaque=True)


def _claim_log(text: bytes, side: SideContext) -> Iterator[Claim]:
    for line in _LOG_LINE.finditer(text):
        if not is_of_build(side, int(line["seconds"])):
            continue
        for name in ("before", "after"):
            if line[name].strip(b"0"):
                yield Claim(line.start(name), line.end(name), "commit", opaque=True)
        yield Claim(line.start("seconds"), line.end("seconds"), "seconds")


def _given(place: Place, side: SideContext) -> bool:
    """Take loose objects as given where the build made them: their names follow from a commit's time."""
    is_object = _OBJECT_PATH.fullmatch(place.path or b"") is not None
    return is_object and side.window is not None and place.made_by.upper().startswith("RUN")


cause = Cause(
    slug="git-directory",
    page=__doc__ or "",
    remedy="remove .git in the RUN that clones, list it in .dockerignore, or fetch an archive of one commit",
    timed=True,
    normalise=_normalise,
    given=_given,
)
