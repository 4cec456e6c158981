"""A service gets an identity of its own while the image is built.

What varies: random values in `/etc/bind/rndc.key`, `/etc/iscsi/initiatorname.iscsi`, `/etc/nvme/hostid` and `hostnqn`,
`/etc/popularity-contest.conf` and the minute and hour in its cron table, `/etc/munge/munge.key`, systemd's
`random-seed`, and the UUID of each printer in CUPS' `printers.conf` and `classes.conf`.

Why it matters: beyond the digest, every container that is started from the image has the same identity, and whoever
has the image has the key.

How it is recognised: by path and by each file's own grammar. The values are random: hence this is never called proven.

Remedy: remove the file in the same RUN, and make it when the container starts (`rndc-confgen -a`, `iscsi-iname`, `nvme
gen-hostnqn`).

Source: rndc-confgen(8); iscsi-iname(8); nvme-gen-hostnqn(1); popularity-contest, debian/postinst; munged(8);
systemd-random-seed.service(8); CUPS, httpAssembleUUID.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from verifier.causes.cause import Cause, Claim, Place, SideContext
from verifier.formats.field import Field

__all__ = ["cause"]

_HEX: Final = rb"[0-9a-f]"
_UUID: Final = _HEX + rb"{8}(?:-" + _HEX + rb"{4}){3}-" + _HEX + rb"{12}"
_GRAMMARS: Final = {
    b"/etc/bind/rndc.key": (re.compile(rb'^\s*secret "([A-Za-z0-9+/]{8,}={0,2})";$', re.MULTILINE), "secret"),
    b"/etc/iscsi/initiatorname.iscsi": (
        re.compile(
            rb"^InitiatorName=iqn\.[0-9]{4}-[0-9]{2}\.[a-z0-9.-]+:(?:[0-9a-z]+:)?(" + _HEX + rb"{6,12})$", re.MULTILINE
        ),
        "identifier",
    ),
    **dict.fromkeys(
        (b"/etc/cups/printers.conf", b"/etc/cups/classes.conf"),
        (re.compile(rb"^UUID urn:uuid:(" + _UUID + rb")$", re.MULTILINE), "UUID"),
    ),
    b"/etc/nvme/hostid": (re.compile(rb"\A(" + _UUID + rb")\n?\Z"), "UUID"),
    b"/etc/nvme/hostnqn": (re.compile(rb"\Anqn\.2014-08\.org\.nvmexpress:uuid:(" + _UUID + rb")\n?\Z"), "UUID"),
    b"/etc/popularity-contest.conf": (
        re.compile(rb'^(?:MY_HOSTID="(?=' + _HEX + rb'{32}"$)|DAY="(?=[0-6]"$))([0-9a-f]+)"$', re.MULTILINE),
        "identifier or day",
    ),
    b"/etc/cron.d/popularity-contest": (
        re.compile(rb"^(\d{1,2} \d{1,2}) \* \* \* +root +test -x /etc/cron\.daily/popularity-contest ", re.MULTILINE),
        "minute and hour",
    ),
}
_RANDOM: Final = {
    b"/var/lib/systemd/random-seed": range(32, 4097),
    b"/var/lib/urandom/random-seed": range(32, 4097),
    b"/etc/munge/munge.key": range(32, 1025),
}
"""Files that are random from end to end, with the sizes that they may have."""


def _normalise(field: Field, place: Place, side: SideContext) -> Iterator[Claim]:  # noqa: ARG001
    path = place.path or b""
    if place.field != "content":
        return
    if path in _RANDOM and field.kind == "bytes" and len(field.value) in _RANDOM[path]:
        yield Claim(0, len(field.value), f"random, {len(field.value)} bytes")
    elif path in _GRAMMARS and field.kind == "text":
        grammar, form = _GRAMMARS[path]
        for match in grammar.finditer(field.value):
            yield Claim(match.start(1), match.end(1), form)


cause = Cause(
    slug="service-unique-id",
    page=__doc__ or "",
    remedy="remove the file in the same RUN, and make it when the container starts",
    severity="error",
    opaque=True,
    normalise=_normalise,
)
