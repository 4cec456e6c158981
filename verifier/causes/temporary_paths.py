"""Names that programs make up for their temporary folders and files, where they stand in a path that was recorded."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from verifier.causes.cause import Claim
from verifier.causes.plain_words import is_made_up, is_plain_word

_ALPHANUMERIC: Final = rb"[A-Za-z0-9]"
_PATHS: Final = re.compile(
    # mktemp's default and the tempfile crate's, in any folder
    rb"/tmp\.(?P<mktemp>" + _ALPHANUMERIC + rb"{10})(?!\w)"
    rb"|/\.tmp(?P<crate>" + _ALPHANUMERIC + rb"{6})(?!\w)"
    rb"|/tmp/(?:"
    # Python's tempfile, and pip with the folders that it makes inside; R's session; go's work
    rb"pip-[a-z]+(?:-[a-z]+)*-(?P<pip>[a-z0-9_]{8})(?!\w)(?:/[A-Za-z0-9._-]+_(?P<project>[0-9a-f]{32})(?!\w))?"
    rb"|tmp(?P<python>[a-z0-9_]{8})(?!\w)"
    # unique-string's, as tempy and Workbox have them
    rb"|(?P<unique>(?=[a-f]*[0-9])(?=[0-9]*[a-f])[0-9a-f]{32})(?!\w)"
    rb"|Rtmp(?P<session>" + _ALPHANUMERIC + rb"{6})(?!\w)"
    rb"|go-build(?P<go>\d{3,20})(?!\w)"
    # gcc's objects and assembler files, rustc's and cargo's folders
    rb"|cc(?P<gcc>" + _ALPHANUMERIC + rb"{6})(?=\.)"
    rb"|(?:rustc|cargo-install)(?P<cargo>" + _ALPHANUMERIC + rb"{6})(?!\w)"
    # Ruby's tmpdir: date, process, and a number in base 36
    rb"|[\w.-]*?(?P<ruby>\d{8}-\d{1,7}-[0-9a-z]{5,7})(?!\w)"
    # a template given to mktemp
    rb"|[\w+@-]+(?:\.[\w+@-]+)*?[.\-_](?P<template>" + _ALPHANUMERIC + rb"{6,12})(?=[/.]|[^\w@+-]|\Z)"
    rb")"
    # a template outside of /tmp
    rb"|/[\w+@-]+\.(?P<elsewhere>" + _ALPHANUMERIC + rb"{6,12})(?=[/\s]|\Z)"
    # the folders and targets of CMake's trials, as its logs tell
    rb"|/CMakeScratch/TryCompile-(?P<scratch>" + _ALPHANUMERIC + rb"{6})(?!\w)"
    rb"|(?<!\w)cmTC_(?P<trial>[0-9a-f]{5})(?!\w)"
)
_OF_LETTERS: Final = frozenset({"mktemp", "crate", "gcc", "cargo", "template", "elsewhere", "scratch"})
"""Drawn from capitals, small letters and digits: a word among them may be somebody's own name."""

_OF_ANY_LENGTH: Final = frozenset({"template", "elsewhere"})
"""In no folder of a program's own, and may be a version or a suffix as well: such a name must mix."""


def claim_temporary_names(value: bytes) -> Iterator[Claim]:
    """Claim the made-up part of every such path; what it should be is not known, so each claim is opaque."""
    for match in _PATHS.finditer(value):
        for name, found in match.groupdict().items():
            if found is not None and not (name in _OF_ANY_LENGTH and found[:6].isdigit()):
                form = f"temporary name ({name} of {len(found)})" if name in _OF_LETTERS else f"temporary name ({name})"
                yield Claim(match.start(name), match.end(name), form, opaque=True, doubtful=_is_doubtful(name, found))


def _is_doubtful(name: str, found: bytes) -> bool:
    if name in _OF_ANY_LENGTH:
        return not is_made_up(found, mixed_case=name == "elsewhere")
    return name in _OF_LETTERS and is_plain_word(found)
