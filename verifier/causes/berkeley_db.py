"""A Berkeley DB file has an identifier of its own.

What varies: bytes 52 to 71 of the file's first page, made of its inode number, its device and a number that starts at
random, and where a page holds a copy of them; and the time that Postfix and makedbm put under the key
`YP_LAST_MODIFIED`.

Why it matters: `/etc/aliases.db` is made when Postfix is installed, and other maps when they are compiled.

How it is recognised: by the format, in any path: the magic of hash, btree or queue, and whole pages. The time lies
within its own build's window.

Remedy: remove it in the same RUN and make it when the container starts (`newaliases`, `postmap`), or use `texthash:`
maps.

Source: Berkeley DB, dbinc/db_page.h, `struct _dbmeta33`, and os/os_fid.c; Postfix, util/dict_db.c, global/mkmap_open.c.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from verifier.causes.cause import Cause, Claim, Place, SideContext
from verifier.causes.moments import is_of_build
from verifier.formats.field import Field

__all__ = ["cause"]

_MODIFIED: Final = "value of YP_LAST_MODIFIED"
_SECONDS: Final = re.compile(rb"[0-9]{10}")


def _normalise(field: Field, place: Place, side: SideContext) -> Iterator[Claim]:  # noqa: ARG001
    if field.kind == "berkeley-identifier":
        yield Claim(0, len(field.value), "identifier")
    elif field.name == _MODIFIED and _SECONDS.fullmatch(field.value) and is_of_build(side, int(field.value)):
        yield Claim(0, 10, "seconds")


cause = Cause(
    slug="berkeley-db",
    page=__doc__ or "",
    remedy="remove the file in the same RUN (rm -f /etc/aliases.db), and make it when the container starts",
    timed=True,
    normalise=_normalise,
)
