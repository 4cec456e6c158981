"""A build argument's value is recorded in the image's history.

What varies: the values that the history repeats for each RUN (`RUN |1 BUILD_DATE=…`) and for the ARG itself.

Why it matters: every RUN after the ARG carries the value, so a date or a build number changes the config at many
places, and whoever has the image can read it.

How it is recognised: the history's list of arguments is parsed as the builders write it, and the values are taken
out. What the values should be is not known: hence this is never called proven.

Remedy: declare the ARG right before its only use or in a stage that is not shipped, derive dates from
SOURCE_DATE_EPOCH, and hand secrets over by `RUN --mount=type=secret`.

Source: Dockerfile reference, "ARG", "Impact on build caching".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from verifier.causes.cause import DOCUMENTS, Cause, Claim, Place, SideContext
from verifier.causes.rules.build_arguments import build_argument_risks
from verifier.formats.field import Field

__all__ = ["cause"]

_CREATED_BY: Final = re.compile(r"/history/\d+/created_by")
_LIST: Final = re.compile(rb'"(?:RUN )?\|(\d{1,3}) ')
_PAIR: Final = re.compile(rb"[A-Za-z_]\w*=([^\s\"\\]+) ")
_DECLARED: Final = re.compile(rb'"(?:/bin/sh -c #\(nop\) +)?ARG [A-Za-z_]\w*=([^\s"\\]+)"')


def _normalise(field: Field, place: Place, side: SideContext) -> Iterator[Claim]:  # noqa: ARG001
    if place.part != "config" or field.kind != "json" or not _CREATED_BY.fullmatch(field.name):
        return
    declared = _DECLARED.fullmatch(field.value)
    if declared is not None:
        yield Claim(declared.start(1), declared.end(1), "value")
        return
    head = _LIST.match(field.value)
    if head is None:
        return
    position = head.end()
    for _ in range(int(head[1])):
        pair = _PAIR.match(field.value, position)
        if pair is None:
            return
        yield Claim(pair.start(1), pair.end(1), "value")
        position = pair.end()


cause = Cause(
    slug="build-arg-leak",
    page=__doc__ or "",
    remedy="declare the ARG late or in a stage that is not shipped, and derive dates from SOURCE_DATE_EPOCH",
    opaque=True,
    reach=DOCUMENTS,
    normalise=_normalise,
    risk=build_argument_risks,
)
