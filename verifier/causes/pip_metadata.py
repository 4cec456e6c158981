"""Python installers note where a package came from, and when.

What varies: in `*.dist-info/direct_url.json` a temporary folder that the source was in; in `uv_cache.json` when uv saw
the source change; because of these, and of a METADATA that varies, their lines in the package's `RECORD`; in bytecode
that `pip install --target` compiled the temporary folder that it was compiled in.

Why it matters: a package that is installed from a folder or a wheel of the build itself gets them; nothing reads them
at run time. Packages under `--target` are others each time even where SOURCE_DATE_EPOCH is set.

How it is recognised: by the files' names and their grammar: a made-up name in the path of a URL; seconds within the
build's window with their nanoseconds; in bytecode pip's own name for such a folder. A line of RECORD has the digest of
a file that cannot be seen from there: it is taken as given, and with it this is never called proven. What varies beside
it in the same RECORD has the blame.

Remedy: install from a fixed path, or from an index; `uv pip install --no-cache`, or remove the two files in the same
RUN; `pip install --no-compile --target`.

Source: PyPA specification "Direct URL Data Structure"; uv, `uv_cache_info::CacheInfo`; "Recording installed projects".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from verifier.causes.cause import Cause, Claim, Place, SideContext
from verifier.causes.moments import is_of_build
from verifier.causes.temporary_paths import claim_temporary_names
from verifier.formats.field import Field

__all__ = ["cause"]

_FILE: Final = re.compile(rb".*\.dist-info/(direct_url\.json|uv_cache\.json|RECORD)", re.DOTALL)
_URL: Final = re.compile(rb'"url": ?"(file://[^"]*)"')
_TIMESTAMP: Final = re.compile(rb'"secs_since_epoch": ?(\d{1,12}), ?"nanos_since_epoch": ?(\d{1,9})\b')
_RECORD_LINE: Final = re.compile(
    rb"^[^,\n]*\.dist-info/(?:(?:direct_url|uv_cache)\.json|METADATA),sha256=([\w-]{43}),(\d+)\r?$", re.MULTILINE
)
_TARGET: Final = re.compile(rb"/tmp/pip-target-[a-z0-9_]{8}/")


def _normalise(field: Field, place: Place, side: SideContext) -> Iterator[Claim]:
    if place.field == "content" and field.kind == "marshal" and _TARGET.search(field.value):
        yield from claim_temporary_names(field.value)
    found = _FILE.fullmatch(place.path or b"")
    if found is None or place.field != "content" or field.kind != "text":
        return
    if found[1] == b"direct_url.json":
        for match in _URL.finditer(field.value):
            for claim in claim_temporary_names(match[1]):
                yield claim._replace(start=claim.start + match.start(1), end=claim.end + match.start(1))
    elif found[1] == b"uv_cache.json":
        for match in _TIMESTAMP.finditer(field.value):
            if is_of_build(side, int(match[1])):
                yield Claim(match.start(1), match.end(1), "seconds")
                yield Claim(match.start(2), match.end(2), "nanoseconds")
    else:
        for match in _RECORD_LINE.finditer(field.value):
            yield Claim(match.start(1), match.end(1), "digest of the file", opaque=True, follows=True)
            yield Claim(match.start(2), match.end(2), "size of the file", opaque=True, follows=True)


cause = Cause(
    slug="pip-metadata",
    page=__doc__ or "",
    remedy="install from a fixed path or an index, or remove direct_url.json and uv_cache.json in the same RUN; "
    "give pip install --target also --no-compile",
    timed=True,
    normalise=_normalise,
)
