"""A database is initialised while the image is built.

What varies: under MySQL's and MariaDB's `/var/lib/mysql` and PostgreSQL's `/var/lib/postgresql`: the times in the
definitions of views, identifiers, log sequence numbers, checksums, random keys, most of the files. OpenLDAP's slapd
gives each entry of its `/var/lib/ldap`, and of its configuration in LDIF, a UUID and times, and salts the password.

Why it matters: installing the server's package is enough; the files are large, and every container starts with the same
database, its identifier and its keys.

How it is recognised: in MariaDB's definitions of views, `timestamp=` with microseconds within its own build's window.
In slapd's LDIF, by its head with the checksum of what follows, which must be right; there `entryUUID`, the salted
`olcRootPW`, and `entryCSN`, `createTimestamp` and `modifyTimestamp` within the window. Everything else by path, a data
directory's, and by the names that the servers give their files: what is in them is not looked into, and never called
proven.

Remedy: remove the data directory in the same RUN and initialise it when the container starts (`mariadb-install-db`,
`initdb`), as the official images do; on Debian, `create_main_cluster = false` in
`/etc/postgresql-common/createcluster.conf` before the server is installed.

Source: MariaDB, "Data Directory", sql/parse_file.cc; PostgreSQL documentation, "Database File Layout"; OpenLDAP,
servers/slapd/back-ldif; RFC 4530.
"""

from __future__ import annotations

import base64
import binascii
import re
import zlib
from collections.abc import Iterator
from typing import Final

from verifier.causes.cause import Cause, Claim, Place, SideContext
from verifier.causes.moments import is_of_build
from verifier.formats.field import Field
from verifier.formats.times import find_times

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
_LDAP: Final = rb"/var/lib/(?:ldap|openldap/openldap-data)/(?:data|lock)\.mdb"
_PATH: Final = re.compile(_MYSQL + rb"|" + _POSTGRES + rb"|" + _LDAP)
_VIEW: Final = re.compile(rb"TYPE=VIEW\n(?:[^\n]*\n)*?timestamp=(\d{19})\n")

_LDIF: Final = re.compile(
    rb"\A# AUTO-GENERATED FILE - DO NOT EDIT!! Use ldapmodify\.\n"
    rb"# CRC32 (?P<checksum>[0-9a-f]{8})\n(?P<entry>dn: .*)\Z",
    re.DOTALL,
)
_ATTRIBUTE: Final = re.compile(
    rb"^(?:entryUUID: (?P<identity>[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})"
    rb"|(?:createTimestamp|modifyTimestamp): (?P<time>\d{14}Z)|entryCSN: (?P<sequence>\d{14}\.\d{6}Z)#[0-9a-f#]+"
    rb"|olcRootPW:: (?P<password>[A-Za-z0-9+/]+={0,2}))$",
    re.MULTILINE,
)
_SALTED: Final = re.compile(rb"\{(?:SSHA\d*|SMD5|CRYPT|ARGON2|PBKDF2[\w-]*)\}", re.IGNORECASE)


def _normalise(field: Field, place: Place, side: SideContext) -> Iterator[Claim]:
    if place.field != "content" or field.kind != "text":
        return
    if (place.path or b"").endswith(b".frm"):
        found = _VIEW.match(field.value)
        # MariaDB counts microseconds since 1970
        if found is not None and is_of_build(side, int(found[1]) / 1_000_000, 0.000001):
            yield Claim(found.start(1), found.end(1), "microseconds")
        return
    ldif = _LDIF.match(field.value)
    if ldif is not None and zlib.crc32(ldif["entry"]) == int(ldif["checksum"], 16):
        inside = list(_claim_attributes(field.value, ldif.start("entry"), side))
        if inside:
            # the checksum follows from the entry, which was checked
            yield Claim(ldif.start("checksum"), ldif.end("checksum"), "checksum", meaning="follows")
            yield from inside


def _claim_attributes(text: bytes, start: int, side: SideContext) -> Iterator[Claim]:
    for match in _ATTRIBUTE.finditer(text, start):
        name = match.lastgroup or ""
        value = match[name]
        if name in {"time", "sequence"}:
            times = list(find_times(value))
            if len(times) == 1 and is_of_build(side, times[0].moment, times[0].precision):
                yield Claim(match.start(name), match.end(name), name)
        elif name == "identity" or _is_salted(value):
            yield Claim(match.start(name), match.end(name), f"{name}, {len(value)} characters", opaque=True)


def _is_salted(value: bytes) -> bool:
    try:
        return _SALTED.match(base64.b64decode(value, validate=True)) is not None
    except binascii.Error:
        return False


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
