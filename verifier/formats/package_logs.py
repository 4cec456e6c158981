"""Find versions of packages in what dpkg and apt log.

Source: dpkg, `lib/dpkg/log.c`, `src/main/unpack.c`, `src/main/configure.c`; apt, `apt-pkg/deb/dpkgpm.cc`,
`pkgDPkgPM::OpenLog`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from verifier.formats.package_records import Stretch

_NAME: Final = rb"(?<![A-Za-z0-9+.:-])([a-z0-9][a-z0-9+.-]*(?::[a-z0-9-]+)?)"
_VERSION: Final = rb"([0-9][A-Za-z0-9.+~:-]*)"
_FILE_VERSION: Final = rb"([0-9](?:[A-Za-z0-9.+~-]|%3a)*)"
_STATES: Final = (
    rb"(?:not-installed|config-files|half-installed|unpacked|half-configured|triggers-(?:awaited|pending)|installed)"
)
_TERMINAL: Final = rb"^(?:Unpacking|Setting up|Removing|Processing triggers for) "
_ACTIONS: Final = rb"(?:install|upgrade|configure|trigproc|disappear|remove|purge)"

_CERTIFICATES: Final = re.compile(rb"^(\d+) added, (\d+) removed; done\.\r?$", re.MULTILINE)
"""What update-ca-certificates says of the certificates that came with its package."""

_GRAMMARS: Final[dict[bytes, tuple[re.Pattern[bytes], ...]]] = {
    b"/var/log/dpkg.log": (
        re.compile(rb"^\S+ \S+ status " + _STATES + rb" " + _NAME + rb" " + _VERSION + rb"$", re.MULTILINE),
        re.compile(rb"^\S+ \S+ " + _ACTIONS + rb" " + _NAME + rb" " + _VERSION + rb" (?=\S+$)", re.MULTILINE),
        re.compile(rb"^\S+ \S+ " + _ACTIONS + rb" " + _NAME + rb" (?:<none>|\S+) " + _VERSION + rb"$", re.MULTILINE),
    ),
    b"/var/log/apt/history.log": (
        re.compile(_NAME + rb" \(" + _VERSION + rb"(?=(?:, automatic|, [0-9][^(), ]*)*\))"),
        re.compile(_NAME + rb" \([0-9][^(), ]*, " + _VERSION + rb"(?=(?:, automatic)?\))"),
    ),
    b"/var/log/apt/term.log": (
        re.compile(rb"^Preparing to unpack \S*?/(?:[0-9]+-)?" + _NAME + rb"_" + _FILE_VERSION, re.MULTILINE),
        re.compile(_TERMINAL + _NAME + rb" \(" + _VERSION + rb"\)", re.MULTILINE),
        re.compile(rb"^Unpacking " + _NAME + rb" \(\S+\) over \(" + _VERSION + rb"\)", re.MULTILINE),
    ),
}
_ACTED: Final = re.compile(rb"^(?:Install|Upgrade|Downgrade|Reinstall|Remove|Purge|Disappeared): [^\n]*$", re.MULTILINE)


def logged_versions(path: bytes, text: bytes) -> Iterator[Stretch]:
    """Yield each version of a package in a log of dpkg or apt, which its path tells, and what follows from one."""
    found = []
    spans = [match.span() for match in _ACTED.finditer(text)] if path.endswith(b"/history.log") else [(0, len(text))]
    for grammar in _GRAMMARS.get(path, ()):
        for span in spans:
            for match in grammar.finditer(text, *span):
                name = match[1].decode("utf-8", "backslashreplace")
                found.append(Stretch(*match.span(2), name, is_version=True))
    if path.endswith(b"/term.log"):
        for match in _CERTIFICATES.finditer(text):
            found += [Stretch(*match.span(group), "ca-certificates", is_version=False) for group in (1, 2)]
    return iter(sorted(found))
