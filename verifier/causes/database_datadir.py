"""A database is initialised while the image is built.

What varies: under MySQL's and MariaDB's `/var/lib/mysql` and PostgreSQL's `/var/lib/postgresql`: the times in the
definitions of views, identifiers, log sequence numbers, checksums, random keys, most of the files.

Why it matters: installing the server's package is enough; the files are large, and every container starts with the same
database, its identifier and its keys.

How it is recognised: in MariaDB's definitions of views, `timestamp=` with microseconds within its own build's window.
Everything else by path, a data directory's, and by the names that the servers give their files: what is in them is not
looked into, and never called proven.

Remedy: remove the data directory in the same RUN and initialise it when the container starts (`mariadb-install-db`,
`initdb`), as the official images do; on Debian, `create_main_cluster = false` in
`/etc/postgresql-common/createcluster.conf` before the server is installed.

Source: MariaDB, "Data Directory", sql/parse_file.cc; PostgreSQL documentation, "Database File Layout".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from verifier.causes.cause import Cause, Claim, Place, SideContext
from verifier.causes.moments import is_of_build
from verifier.formats.field import Field

__all__ = ["cause"]

_MYSQL: Final = (
    rb"/var/lib/(?:mysql|mariadb)/(?:[^/]+/)?(?:[^/]+\.(?:frm|ibd|ibu|isl|MA[DI]|MY[DI]|CS[MV]|ARM|ARZ|sdi|TRG|TRN|par|opt)"
    rb"|ibdata\d+|ib_logfile\d+|ibtmp\d+|ib_buffer_pool|ib_\d+_\d+\.dblwr|ib_redo\d+(?:_tmp)?|undo_?\d+|mysql\.ibd"
    rb"|aria_log\.\d+|aria_log_control|auto\.cnf|tc\.log|ddl_recovery\.log|(?:binlog|mysql-bin|mysqld-bin)\.(?:\d+|index)"
    rb"|(?:ca|server|client|private|public)(?:-cert|-key|_key)?\.pem)"
)
_POSTGRES: Final = (
    rb"/var/lib/(?:postgresql|pgsql)/(?:[^/]+/)*(?:global/(?:\d+(?:_[a-z]+)?(?:\.\d+)?|pg_control|pg_filenode\.map|pg_internal\.init)"
    rb"|base/\d+/(?:\d+(?:_[a-z]+)?(?:\.\d+)?|pg_filenode\.map|pg_internal\.init)|pg_wal/[0-9A-F]{24}"
    rb"|pg_(?:xact|multixact/offsets|multixact/members|subtrans|commit_ts)/[0-9A-F]{4}|pg_stat/[a-z0-9_]+\.stat"
    rb"|pg_logical/replorigin_checkpoint|postmaster\.opts)"
)
_PATH: Final = re.compile(_MYSQL + rb"|" + _POSTGRES)
_VIEW: Final = re.compile(rb"TYPE=VIEW\n(?:[^\n]*\n)*?timestamp=(\d{19})\n")


def _normalise(field: Field, place: Place, side: SideContext) -> Iterator[Claim]:
    if place.field == "content" and field.kind == "text" and (place.path or b"").endswith(b".frm"):
        found = _VIEW.match(field.value)
        # MariaDB counts microseconds since 1970
        if found is not None and is_of_build(side, int(found[1]) / 1_000_000, 0.000001):
            yield Claim(found.start(1), found.end(1), "microseconds")


def _given(place: Place, side: SideContext) -> bool:  # noqa: ARG001
    return place.field in {"content", "size", "entry"} and _PATH.fullmatch(place.path or b"") is not None


cause = Cause(
    slug="database-datadir",
    page=__doc__ or "",
    remedy="remove the data directory in the same RUN, and initialise it when the container starts",
    timed=True,
    normalise=_normalise,
    given=_given,
)
