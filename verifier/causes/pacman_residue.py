"""pacman records when a package was installed, and logs it.

What varies: `%INSTALLDATE%` in `/var/lib/pacman/local/*/desc`, and the times in `/var/log/pacman.log`.

Why it matters: every `pacman -S` writes both.

How it is recognised: by path, below any root, and grammar: seconds since 1970 below that word, a time in brackets at
the start of a line, each within its own build's window.

Remedy: remove the log in the same RUN; pacman takes the time of the installation from the clock alone: run it under
faketime, or replace the dates: `sed -i '/%INSTALLDATE%/{n;s/.*/0/}' /var/lib/pacman/local/*/desc`.

Source: libalpm, lib/libalpm/be_local.c, `_alpm_local_db_write`; pacman(8), `--logfile`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from verifier.causes.cause import Cause, Claim, Place, SideContext
from verifier.causes.moments import is_of_build
from verifier.formats.field import Field
from verifier.formats.times import find_times

__all__ = ["cause"]

_RECORD: Final = re.compile(rb"(?:/.*)?/var/lib/pacman/local/[^/]+/desc")
_DATE: Final = re.compile(rb"^%INSTALLDATE%\n(\d{9,11})$", re.MULTILINE)
_LOG: Final = re.compile(rb"(?:/.*)?/var/log/pacman\.log")
_LINE: Final = re.compile(rb"^\[(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:?\d\d)\] ", re.MULTILINE)


def _normalise(field: Field, place: Place, side: SideContext) -> Iterator[Claim]:
    path = place.path or b""
    if place.field != "content" or field.kind != "text":
        return
    if _LOG.fullmatch(path):
        for match in _LINE.finditer(field.value):
            for time in find_times(match[1]):
                if is_of_build(side, time.moment):
                    yield Claim(match.start(1), match.end(1), time.form)
    elif _RECORD.fullmatch(path):
        for match in _DATE.finditer(field.value):
            if is_of_build(side, int(match[1])):
                yield Claim(match.start(1), match.end(1), "seconds")


cause = Cause(
    slug="pacman-residue",
    page=__doc__ or "",
    remedy="remove /var/log/pacman.log in the same RUN, and replace %INSTALLDATE% in /var/lib/pacman/local/*/desc",
    timed=True,
    normalise=_normalise,
)
