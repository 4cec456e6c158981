"""apt and dpkg log what they did, and when.

What varies: the times in `/var/log/dpkg.log`, `/var/log/alternatives.log`, `/var/log/apt/history.log` and
`/var/log/apt/term.log`, and in what logrotate puts aside of them (`dpkg.log.1`, `history.log.1.gz`).

Why it matters: every `apt-get install` leaves them in its layer. SOURCE_DATE_EPOCH does not help: they take the wall
clock.

How it is recognised: by path, and by each log's own grammar: the time stands at the start of a line of dpkg.log,
behind `update-alternatives`, `Start-Date:`, `End-Date:`, `Log started:`, `Log ended:`, and lies within its own
build's window, in UTC or, where the image has been given another zone, a whole number of half hours away from it.

Remedy: remove them in the RUN that installs: `rm -f /var/log/dpkg.log /var/log/alternatives.log /var/log/apt/*.log`.
In a later RUN it is too late.

Source: dpkg(1), `--log`; apt.conf(5), `Dir::Log`; logrotate(8).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from verifier.causes.cause import Cause, Claim, Place, SideContext
from verifier.causes.moments import claim_times
from verifier.causes.rules.leftovers import apt_log_risks
from verifier.formats.field import Field

__all__ = ["cause"]

_TIME: Final = rb"(\d{4}-\d\d-\d\d {1,2}\d\d:\d\d:\d\d)"
_ROTATED: Final = re.compile(rb"(?P<log>/var/log/.+?\.log)(?:\.\d{1,3}|-\d{8})(?:\.gz|\.xz|\.zst)?", re.DOTALL)
"""As logrotate names what it puts aside, by number or by day."""

_GRAMMARS: Final = {
    b"/var/log/dpkg.log": re.compile(rb"^" + _TIME + rb" ", re.MULTILINE),
    b"/var/log/alternatives.log": re.compile(rb"^update-alternatives " + _TIME + rb": ", re.MULTILINE),
    b"/var/log/apt/history.log": re.compile(rb"^(?:Start|End)-Date: " + _TIME + rb"$", re.MULTILINE),
    b"/var/log/apt/term.log": re.compile(rb"^Log (?:started|ended): " + _TIME + rb"$", re.MULTILINE),
}


def _normalise(field: Field, place: Place, side: SideContext) -> Iterator[Claim]:
    path = place.path or b""
    rotated = _ROTATED.fullmatch(path)
    grammar = _GRAMMARS.get(path if rotated is None else rotated["log"])
    if grammar is None or place.field != "content" or field.kind != "text":
        return
    for match in grammar.finditer(field.value):
        # logged in the zone that the packages have set up by then
        for claim in claim_times(replace(field, value=match[1]), side):
            yield Claim(match.start(1), match.end(1), claim.form)


cause = Cause(
    slug="apt-log",
    page=__doc__ or "",
    remedy="remove the logs in the same RUN: rm -f /var/log/dpkg.log /var/log/alternatives.log /var/log/apt/*.log",
    timed=True,
    normalise=_normalise,
    risk=apt_log_risks,
)
