"""A file was left behind under a random name, or such a name was recorded.

What varies: a part of a path that mktemp or its like made up: `tmp.Ab3dEf9hJk`, `/t.Xy12Zw`, `tmpa8k2_x1q`; as the name
of what is in the image, or in a text that names the folder where something was built.

Why it matters: each build leaves the same file under another name, so that the layer has one entry here and one
there, or another line in a file.

How it is recognised: entries that one side alone has are renamed, the random part replaced, and everything else about
them (type, mode, owner, attributes, content) must be the same as of as many entries of the other side. A random part
has six to ten letters and digits behind a dot, hyphen or underline, or behind `tmp`; on one side at least it mixes
capitals, small letters and digits, and is no word; or it is that of Sprockets' manifest. In text, by the grammars of
mktemp, Python's and Ruby's temporary folders, pip's, go's, gcc's, cargo's and CMake's, in a path. What it should be is
not known: hence this is never called proven.

Remedy: remove temporary files in the RUN that makes them, or give them a name; build in a folder of a fixed name.

Source: mktemp(1); Python's tempfile, `_RandomNameSequence`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from verifier.causes.cause import Cause, Claim, NewName, Place, SideContext
from verifier.causes.plain_words import is_made_up, is_plain_word
from verifier.causes.temporary_paths import claim_temporary_names
from verifier.formats.field import Field

__all__ = ["cause"]

_RANDOM: Final = re.compile(
    rb"(?:(?P<template>(?<=[.\-_])[A-Za-z0-9]{6,10})|(?<=/tmp)(?P<python>[a-z0-9_]{8}))(?=/|$)"
    rb"|(?<=/\.sprockets-manifest-)[0-9a-f]{32}(?=\.json$)"
)


def _rename(place: Place, side: SideContext) -> NewName | None:  # noqa: ARG001
    """Replace what is made up; where nothing clearly is, the first that may be."""
    path = place.path or b""
    found = [match for match in _RANDOM.finditer(path) if not match[0].isdigit()]
    sure = [match for match in found if not _is_doubtful(match)]
    renamed, end = b"", 0
    for match in sure or found[:1]:
        renamed += path[end : match.start()] + b"<%d random>" % len(match[0])
        end = match.end()
    return NewName(renamed + path[end:], doubtful=not sure) if found else None


def _is_doubtful(match: re.Match[bytes]) -> bool:
    """Tell a random name from a word: `config`, `Version2` and `20261118` are none."""
    if match["template"] is not None:
        return not is_made_up(match[0])
    return match["python"] is not None and is_plain_word(match[0])


def _normalise(field: Field, place: Place, side: SideContext) -> Iterator[Claim]:  # noqa: ARG001
    if place.field == "content" and field.kind == "text":
        yield from claim_temporary_names(field.value)


cause = Cause(
    slug="temporary-name",
    page=__doc__ or "",
    remedy="remove temporary files in the RUN that makes them, or give them a fixed name",
    opaque=True,
    normalise=_normalise,
    rename=_rename,
)
