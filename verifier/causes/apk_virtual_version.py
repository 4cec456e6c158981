"""apk gives a virtual package the time as its version.

What varies: the version of a package made by `apk add --virtual NAME`, such as `20261118.110640`, in `/etc/apk/world`
and `/lib/apk/db/installed`, and the checksum that apk makes of it; and the times in `/var/log/apk.log`.

Why it matters: a virtual package that is not removed in the same RUN leaves both in the image.

How it is recognised: by path and grammar; version and log lie within their own build's window, the checksum stands in a
virtual package's own record.

Remedy: name the version, `apk add --virtual .build-deps=0`, or `apk del .build-deps` in the same RUN.

Source: apk-add(8), `--virtual`; apk-tools, src/app_add.c, `create_virtual_package`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

from verifier.causes.cause import Cause, Claim, Place, SideContext
from verifier.causes.moments import is_of_build
from verifier.formats.field import Field

__all__ = ["cause"]

_VERSION: Final = rb"(\d{8}\.\d{6})"
_WORLD: Final = re.compile(rb"^[^\s=<>~@]+=" + _VERSION + rb"$", re.MULTILINE)
_RECORD: Final = re.compile(
    rb"^(?:C:(Q1[A-Za-z0-9+/]{27}=)\n)?P:[^\n]+\nV:" + _VERSION + rb"\n(?:[^\n]+\n)*?T:virtual meta package$",
    re.MULTILINE,
)
_LOG: Final = re.compile(rb"^Running `apk [^\n]*` at (\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)$", re.MULTILINE)
_FORMS: Final = {
    b"/etc/apk/world": (_WORLD, "%Y%m%d.%H%M%S"),
    b"/lib/apk/db/installed": (_RECORD, "%Y%m%d.%H%M%S"),
    b"/usr/lib/apk/db/installed": (_RECORD, "%Y%m%d.%H%M%S"),
    b"/var/log/apk.log": (_LOG, "%Y-%m-%d %H:%M:%S"),
}


def _normalise(field: Field, place: Place, side: SideContext) -> Iterator[Claim]:
    known = _FORMS.get(place.path or b"")
    if known is None or place.field != "content" or field.kind != "text":
        return
    grammar, form = known
    for match in grammar.finditer(field.value):
        time = match.lastindex or 1
        try:
            moment = datetime.strptime(match[time].decode("ascii"), form).replace(tzinfo=UTC).timestamp()
        except ValueError:
            continue
        if is_of_build(side, moment):
            if time == 2 and match[1] is not None:
                # made of the time, the process and the name: not to be made again
                yield Claim(match.start(1), match.end(1), "checksum", opaque=True)
            yield Claim(match.start(time), match.end(time), form)


cause = Cause(
    slug="apk-virtual-version",
    page=__doc__ or "",
    remedy="name the version (apk add --virtual .build-deps=0), or apk del the package in the same RUN",
    timed=True,
    normalise=_normalise,
)
