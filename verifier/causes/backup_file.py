"""A tool keeps a file's earlier state beside it.

What varies: `/etc/passwd-`, `shadow-`, `group-`, `gshadow-`, `subuid-`, `subgid-`, debconf's `*.dat-old`, dpkg's
`status-old` and its like, and `/var/backups`: what a file said before its last change.

Why it matters: what was tidied in the file itself, a salt, a date, the order of two steps, stays in its copy.

How it is recognised: by path. Which earlier state a copy holds is not looked into: hence this is never called proven.

Remedy: remove the copies in the same RUN: `rm -f /etc/*- /var/cache/debconf/*-old /var/lib/dpkg/*-old`.

Source: passwd(5), "FILES"; debconf, Debconf::DbDriver::File; dpkg, lib/dpkg/atomic-file.c.
"""

from __future__ import annotations

import re
from typing import Final

from verifier.causes.cause import Cause, Place, SideContext

__all__ = ["cause"]

_PATH: Final = re.compile(
    rb"/etc/(?:passwd|shadow|group|gshadow|subuid|subgid)-"
    rb"|/var/cache/debconf/(?:config|templates|passwords)\.dat-old"
    rb"|/var/lib/dpkg/(?:status|available|diversions|statoverride)-old"
    rb"|/var/lib/ucf/(?:registry|hashfile)\.\d|/var/backups/.+"
)


def _given(place: Place, side: SideContext) -> bool:  # noqa: ARG001
    return place.field in {"content", "size", "entry"} and _PATH.fullmatch(place.path or b"") is not None


cause = Cause(
    slug="backup-file",
    page=__doc__ or "",
    remedy="remove the copies in the same RUN: rm -f /etc/*- /var/cache/debconf/*-old /var/lib/dpkg/*-old",
    opaque=True,
    given=_given,
)
