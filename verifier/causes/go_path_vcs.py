"""A Go program holds where it was built, and from which commit.

What varies: the path of the module's folder in the table of source files and in DWARF; `vcs.revision`, `vcs.time` and
`vcs.modified` in the build information, the main module's version that is made of them, and the commit that
`-ldflags=-X` puts into a variable; and Go's build ID, which is a digest of it all.

Why it matters: `go build` in `mktemp -d`, or in a clone whose commit is made anew, makes another program every time.

How it is recognised: in an ELF file that Go's linker made, in any path: a component of a path of the forms that mktemp
and others make up, the value of a `build vcs.…=` line, that line's revision wherever else its first figures stand,
the main module's pseudo-version, and the build ID along with them. What the value should be is not known: hence this is
never called proven.

Remedy: `go build -trimpath -buildvcs=false`.

Source: go command, "Compile packages and dependencies", -trimpath and -buildvcs; debug/buildinfo.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

from verifier.causes.cause import Cause, Claim, Place, SideContext
from verifier.causes.temporary_paths import claim_temporary_names
from verifier.formats.elf_strings import GO_STRINGS, order_of
from verifier.formats.field import Field

__all__ = ["cause"]

_VERSION_CONTROL: Final = re.compile(
    rb"(?<=build\tvcs\.)(?:revision=([0-9a-f]{40,64})|time=(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ)|modified=(true|false))(?=\n)"
)
_PSEUDO_VERSION: Final = re.compile(rb"(?<=\nmod\t)[^\t\n]+\tv[\w.-]*?(\d{14}-[0-9a-f]{12})(?:\+dirty)?(?=\t\n)")
_SHORT_REVISION: Final = 7
"""Figures of a revision that git prints at least, where it is not told otherwise."""

_BUILD_ID: Final = re.compile(rb"[\w-]{20}/(?:[\w-]{20}/[\w-]{20}/)?[\w-]{20}")

_GNU_BYTES: Final = 20
"""What Go's linker makes of its own build ID for tools that know GNU's alone."""


def _normalise(field: Field, place: Place, side: SideContext) -> Iterator[Claim]:  # noqa: ARG001
    if place.field != "content":
        return
    if field.kind == GO_STRINGS:
        yield from _apart((*claim_temporary_names(field.value), *_version_control(field.value)))
    elif field.kind == order_of(GO_STRINGS):
        yield Claim(0, len(field.value), "order of strings", follows=True)
    elif field.kind == "go-build-id" and (_BUILD_ID.fullmatch(field.value) or len(field.value) == _GNU_BYTES):
        yield Claim(0, len(field.value), "Go build ID", opaque=True, follows=True)


def _version_control(value: bytes) -> Iterator[Claim]:
    for match in _PSEUDO_VERSION.finditer(value):
        yield Claim(match.start(1), match.end(1), "pseudo-version", opaque=True)
    for match in _VERSION_CONTROL.finditer(value):
        group = match.lastindex or 0
        yield Claim(match.start(group), match.end(group), ("", "revision", "time", "modified")[group], opaque=True)
        if group == 1:
            yield from _abbreviated(value, match)


def _abbreviated(value: bytes, revision: re.Match[bytes]) -> Iterator[Claim]:
    """Claim a revision where it stands again, whole or as short as git prints it: linker's flags, variables."""
    whole = revision[1]
    for match in re.finditer(re.escape(whole[:_SHORT_REVISION]) + rb"[0-9a-f]{0,57}", value):
        # literals follow one another without a gap
        size = next(size for size in range(len(match[0]), 0, -1) if whole.startswith(match[0][:size]))
        yield Claim(match.start(), match.start() + size, f"revision, {size} figures", opaque=True)


def _apart(claims: Iterable[Claim]) -> Iterator[Claim]:
    """Give claims in ascending order; of two that overlap the one that begins first, or is the longer."""
    end = 0
    for claim in sorted(claims, key=lambda item: (item.start, -item.end)):
        if claim.start >= end:
            end = claim.end
            yield claim


cause = Cause(
    slug="go-path-vcs",
    page=__doc__ or "",
    remedy="go build -trimpath -buildvcs=false",
    normalise=_normalise,
)
