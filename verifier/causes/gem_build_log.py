"""RubyGems logs how it compiled an extension, and when.

What varies: in `gem_make.out`, `mkmf.log` and `ext/**/Makefile` of an installed gem the folder's name that RubyGems
makes up (`.gem.`, `siteconf`: date, process and a random number) and times, and so in what `ri` keeps of that Makefile;
in `specifications/*.gemspec` the day that the gem was built, where it was built in the image.

Why it matters: every `gem install` of a native extension leaves these files in its layer; nothing reads them again.

How it is recognised: by the files' names, and by the grammar of such a name; a time or a day lies within its own
build's window. The random part is taken as given: where it varies this is never called proven.

Remedy: remove these files in the RUN that installs the gem: `find "$(gem env gemdir)" -name gem_make.out -delete`, and
so with `-name mkmf.log` and `-path '*/ext/*/Makefile'`; `ARG SOURCE_DATE_EPOCH` for a gem that is built here.

Source: RubyGems, `Gem::Ext::Builder`, `Gem::Ext::ExtConfBuilder`; `Gem::Specification#date`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

from verifier.causes.cause import Cause, Claim, Place, SideContext
from verifier.causes.moments import claim_times, is_of_build
from verifier.formats.field import Field

__all__ = ["cause"]

_DAY: Final = 86400
_LOG: Final = re.compile(rb"/(?:gem_make\.out|mkmf\.log)$|/gems/[^/]+/ext/(?:.+/)?Makefile$")
_RI: Final = re.compile(rb"/doc/[^/]+/ri/(?:.+/)?page-Makefile\.ri$")
_GEMSPEC: Final = re.compile(rb"/specifications/[^/]+\.gemspec$")
_NAME: Final = re.compile(rb"(?:(?<=/\.gem\.)|(?<=/siteconf))\d{8}-\d{1,7}-[0-9a-z]{1,8}(?![0-9a-z])")
_DATE: Final = re.compile(rb'^\s*s\.date = "(\d{4}-\d\d-\d\d)"', re.MULTILINE)


def _normalise(field: Field, place: Place, side: SideContext) -> Iterator[Claim]:
    path = place.path or b""
    if place.field == "content" and field.kind == "bytes" and _RI.search(path):
        yield from _names(field.value)
    if place.field != "content" or field.kind != "text":
        return
    if _LOG.search(path):
        yield from _apart((*_names(field.value), *_times(field, side)))
    elif _GEMSPEC.search(path):
        yield from _dates(field.value, side)


def _names(value: bytes) -> Iterator[Claim]:
    for match in _NAME.finditer(value):
        yield Claim(match.start(), match.end(), "temporary name", opaque=True)


def _times(field: Field, side: SideContext) -> Iterator[Claim]:
    if side.window is not None:
        yield from claim_times(field, side)


def _apart(claims: tuple[Claim, ...]) -> Iterator[Claim]:
    """Give the claims in ascending order; of two that overlap the one that begins first, or is the longer."""
    end = 0
    for claim in sorted(claims, key=lambda item: (item.start, -item.end)):
        if claim.start >= end:
            end = claim.end
            yield claim


def _dates(value: bytes, side: SideContext) -> Iterator[Claim]:
    for match in _DATE.finditer(value):
        try:
            midnight = datetime.strptime(match[1].decode(), "%Y-%m-%d").replace(tzinfo=UTC).timestamp()
        except ValueError:
            continue
        if is_of_build(side, midnight, _DAY):
            yield Claim(match.start(1), match.end(1), "date")


cause = Cause(
    slug="gem-build-log",
    page=__doc__ or "",
    remedy="remove gem_make.out, mkmf.log and ext/*/Makefile in the RUN that installs the gem",
    timed=True,
    normalise=_normalise,
)
