"""Read dpkg's and apk's lists of installed packages: which stretches of a record come with the package.

Source: dpkg, deb-control(5) and lib/dpkg/dump.c; apk-installed(5).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

_STANZA: Final = re.compile(rb"^Package: (\S+)\n(?:[^\n]+\n)+", re.MULTILINE)
_OWN: Final = re.compile(rb"^(?:Package|Status|Architecture):[^\n]*\n", re.MULTILINE)
"""What dpkg says itself, and what tells one package from another."""

_VERSION: Final = re.compile(rb"^Version: ([0-9][A-Za-z0-9.+~:-]*)\n", re.MULTILINE)
_RECORD: Final = re.compile(rb"^C:[^\n]+\nP:([^\n]+)\n(?:[^\n]+\n)+", re.MULTILINE)
_APK_OWN: Final = re.compile(rb"^(?:[PA]:[^\n]*\n|F:)", re.MULTILINE)
_APK_VERSION: Final = re.compile(rb"^V:([^\n]+)\n", re.MULTILINE)
_APK_CHECKSUM: Final = re.compile(rb"^Z:(Q[12][A-Za-z0-9+/]+=*)\n", re.MULTILINE)


class Stretch(NamedTuple):
    """Bytes that came with a package; `is_version` says that they are its version and nothing else."""

    start: int
    end: int
    package: str
    is_version: bool


def dpkg_stretches(text: bytes) -> Iterator[Stretch]:
    """Yield, record by record of dpkg's status file, the version and all that was copied from the package."""
    for stanza in _STANZA.finditer(text):
        name = stanza[1].decode("utf-8", "backslashreplace")
        kept = [match.span() for match in _OWN.finditer(text, stanza.start(), stanza.end())]
        yield from _between(text, stanza.span(), kept, _VERSION, name)


def apk_stretches(text: bytes) -> Iterator[Stretch]:
    """Yield, record by record of apk's database, the version, what came with the package, and its files' checksums."""
    for record in _RECORD.finditer(text):
        name = record[1].decode("utf-8", "backslashreplace")
        kept: list[tuple[int, int]] = []
        end = record.end()
        for match in _APK_OWN.finditer(text, record.start(), record.end()):
            if match[0] == b"F:":
                end = match.start()
                break
            kept.append(match.span())
        yield from _between(text, (record.start(), end), kept, _APK_VERSION, name)
        for match in _APK_CHECKSUM.finditer(text, end, record.end()):
            yield Stretch(match.start(1), match.end(1), name, is_version=False)


def _between(
    text: bytes, span: tuple[int, int], kept: list[tuple[int, int]], version: re.Pattern[bytes], name: str
) -> Iterator[Stretch]:
    """Yield what lies between the lines that are kept, the version by itself."""
    found = version.search(text, *span)
    marks = sorted([*kept, *([found.span(1)] if found else [])])
    position = span[0]
    for start, end in [*marks, (span[1], span[1])]:
        if start > position:
            yield Stretch(position, start, name, is_version=False)
        if found and (start, end) == found.span(1):
            yield Stretch(start, end, name, is_version=True)
        position = end
