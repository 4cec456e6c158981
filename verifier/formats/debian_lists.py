"""Leave some packages, and what was made of their files, out of what Debian's tools write from many packages.

Source: dpkg, `lib/dpkg/dump.c`; apt, `apt-pkg/depcache.cc`; debconf, Debconf/Format/822.pm; update-ca-certificates(8).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from typing import Final

from verifier.formats.installed_packages import Away, each_stanza, without_stanzas

_CERTIFICATES: Final = b"/usr/share/ca-certificates/"
_ANSWER: Final = re.compile(rb"^(Value:| (?:enable_crts|new_crts) =) ([^\n]*\.crt)$", re.MULTILINE)
_PEM: Final = re.compile(rb"-----BEGIN CERTIFICATE-----\n[A-Za-z0-9+/=\n]+-----END CERTIFICATE-----\n")
_OWNERS: Final = re.compile(rb"^Owners: ([^\n]+)$", re.MULTILINE)


def _without_packages(text: bytes, away: Away) -> bytes:
    return without_stanzas(text, away.alone)


def _without_templates(text: bytes, away: Away) -> bytes:
    """Leave out the questions that belong to such packages alone; an owner is named `PACKAGE/QUESTION`."""
    names = {key.rpartition(":")[0].encode() for key in away.alone | away.changed}

    def shown(stanza: bytes) -> bytes | None:
        owners = _OWNERS.search(stanza)
        packages = set() if owners is None else {owner.strip().partition(b"/")[0] for owner in owners[1].split(b",")}
        return None if packages and packages <= names else stanza

    return each_stanza(text, shown)


def _without_lines(text: bytes, away: Away) -> bytes:
    """Leave certificates out of a list with one a line, `!` before those that are not to be trusted."""
    lines = text.splitlines(keepends=True)
    return b"".join(line for line in lines if _CERTIFICATES + line.rstrip(b"\n").removeprefix(b"!") not in away.files)


def _without_answers(text: bytes, away: Away) -> bytes:
    """Leave certificates out of the answers that are lists of them."""

    def shown(match: re.Match[bytes]) -> bytes:
        names = [name for name in match[2].split(b", ") if _CERTIFICATES + name not in away.files]
        return match[1] + b" " + b", ".join(names)

    return _ANSWER.sub(shown, text)


def _without_certificates(text: bytes, away: Away) -> bytes:
    """Leave the certificates out of a bundle that are the content of such packages' files."""
    known = {digest for path, digests in away.files.items() if path.startswith(_CERTIFICATES) for digest in digests}

    def shown(match: re.Match[bytes]) -> bytes:
        return b"" if f"md5:{hashlib.md5(match[0], usedforsecurity=False).hexdigest()}" in known else match[0]

    return _PEM.sub(shown, text)


DEBIAN_LISTS: Final[Mapping[bytes, Callable[[bytes, Away], bytes]]] = {
    b"/var/lib/dpkg/status": _without_packages,
    b"/var/lib/dpkg/status-old": _without_packages,
    b"/var/lib/apt/extended_states": _without_packages,
    b"/var/cache/debconf/templates.dat": _without_templates,
    b"/var/cache/debconf/templates.dat-old": _without_templates,
    b"/var/cache/debconf/config.dat": _without_answers,
    b"/var/cache/debconf/config.dat-old": _without_answers,
    b"/etc/ca-certificates.conf": _without_lines,
    b"/etc/ssl/certs/ca-certificates.crt": _without_certificates,
}
"""By path, what leaves packages out."""
