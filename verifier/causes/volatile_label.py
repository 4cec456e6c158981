"""A label or a variable says when, or from which commit, the image was built.

What varies: a value in the config's labels or environment, and in the history entry that set it: a time, a commit id, a
UUID, the number of a build.

Why it matters: it is meant to vary, and makes the config's digest another one each time.

How it is recognised: the whole value reads as a time or a UUID; as 40 hexadecimal digits under a key that speaks of a
commit; or as a number under a key that speaks of a build. What it should be is not known: hence this is never called
proven.

Remedy: take times from SOURCE_DATE_EPOCH and leave out what is not the commit's own, or put them into an annotation
outside of the image.

Source: OCI image specification, "Pre-Defined Annotation Keys" (created, revision, version).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from verifier.causes.cause import DOCUMENTS, Cause, Claim, Place, SideContext
from verifier.formats.field import Field
from verifier.formats.times import find_times

__all__ = ["cause"]

_LABEL: Final = re.compile(r"/(?:container_)?config/Labels/(.+)", re.DOTALL)
_ENV: Final = re.compile(r"/(?:container_)?config/Env/\d+")
_VARIABLE: Final = re.compile(rb'"([A-Za-z_]\w*)=([^"\\]*)"')
_CREATED_BY: Final = re.compile(r"/history/\d+/created_by")
_SETS: Final = re.compile(rb'"(?:/bin/sh -c #\(nop\) +)?(?:LABEL|ENV) ')
_PAIR: Final = re.compile(rb"([A-Za-z_][\w./-]*)=([^\s\"\\]+)")
_UUID: Final = re.compile(rb"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_COMMIT: Final = re.compile(rb"[0-9a-f]{40}")
_COMMIT_KEY: Final = re.compile(rb"revision|commit|vcs|git|(?<![a-z])(?:rev|ref|sha)(?![a-z0-9])", re.IGNORECASE)
_NUMBER: Final = re.compile(rb"\d{1,10}")
_NUMBER_KEY: Final = re.compile(rb"(?:build|run|job|pipeline|ci)[_.-]?(?:number|num|no|id)\b", re.IGNORECASE)


def _normalise(field: Field, place: Place, side: SideContext) -> Iterator[Claim]:  # noqa: ARG001
    if place.part != "config" or field.kind != "json" or not field.value.startswith(b'"'):
        return
    label = _LABEL.fullmatch(field.name)
    if label is not None:
        yield from _claim(label[1].encode(), field.value, 1, len(field.value) - 1)
    elif _ENV.fullmatch(field.name):
        pair = _VARIABLE.fullmatch(field.value)
        if pair is not None:
            yield from _claim(pair[1], field.value, pair.start(2), pair.end(2))
    elif _CREATED_BY.fullmatch(field.name) and _SETS.match(field.value):
        for pair in _PAIR.finditer(field.value):
            yield from _claim(pair[1], field.value, pair.start(2), pair.end(2))


def _claim(key: bytes, text: bytes, start: int, end: int) -> Iterator[Claim]:
    form = _form(key, text[start:end])
    if form:
        yield Claim(start, end, form)


def _form(key: bytes, value: bytes) -> str:
    if _UUID.fullmatch(value):
        return "UUID"
    if _COMMIT.fullmatch(value):
        return "commit" if _COMMIT_KEY.search(key) else ""
    times = list(find_times(value))
    if len(times) == 1 and (times[0].start, times[0].end) == (0, len(value)):
        return times[0].form
    return "number" if _NUMBER.fullmatch(value) and _NUMBER_KEY.search(key) else ""


cause = Cause(
    slug="volatile-label",
    page=__doc__ or "",
    remedy="take times from SOURCE_DATE_EPOCH, and leave what names the one build out of the image",
    opaque=True,
    reach=DOCUMENTS,
    normalise=_normalise,
)
