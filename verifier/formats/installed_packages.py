"""Read what package managers record of the packages that are installed: version, files, and the digest of each.

Source: dpkg(1), deb-control(5), `lib/dpkg/dump.c`, `lib/dpkg/infodb-format.c`; apk-installed(5); Python packaging
specifications, "Recording installed projects" and "Core metadata".
"""

from __future__ import annotations

import base64
import binascii
import csv
import posixpath
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Final, NamedTuple

from verifier.formats.limits import MAX_CELLS, MAX_MEMBERS

Digests = Mapping[bytes, str | None]
"""Absolute paths with the digest of the content, `ALGORITHM:HEX`; None where a path is listed without one."""

MAX_PATH_BYTES: Final = 4096
"""Of one path that is put together; Linux takes no longer ones."""

_FIELD: Final = re.compile(rb"^([A-Za-z0-9-]+):[ \t]*([^\n]*(?:\n[ \t][^\n]*)*)", re.MULTILINE)
_NAME: Final = re.compile(rb"[A-Za-z0-9][A-Za-z0-9+._-]*")
_PATH: Final = re.compile(rb"^/[^\n]*", re.MULTILINE)
_MD5SUM: Final = re.compile(rb"^([0-9a-f]{32}) [ *]([^\n]+)$", re.MULTILINE)
_CONFFILE: Final = re.compile(rb"^ (/[^\n]+?) ([0-9a-f]{32})(?: obsolete| remove-on-upgrade)*$", re.MULTILINE)
_MERGED: Final = re.compile(rb"/(?:bin|sbin|lib|lib32|lib64|libo32|libx32)(?:/|$)")
"""What lies below /usr since Debian merged them; packages may list either name."""

_APK_NAME: Final = re.compile(rb"^P:([^\n]+)$", re.MULTILINE)
_APK_SPECIAL: Final = re.compile(rb"^[aM]:\d+:\d+:0?[1-7]\d{3}\b.*$", re.MULTILINE)
_APK_DIGESTS: Final = {b"Q1": "sha1", b"Q2": "sha256"}

_WHEEL: Final = re.compile(rb"(.*)/[^/]+\.dist-info/METADATA", re.DOTALL)
_REQUIREMENT: Final = re.compile(rb"[A-Za-z0-9][A-Za-z0-9._-]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """One installed package: `key` names it (and its architecture), `records` are files that tell more of it.

    `needs` are the names that it depends on, `provides` those by which it can be meant. `files` is what the database
    itself says of its files.
    """

    key: str
    version: str
    needs: frozenset[bytes]
    provides: frozenset[bytes]
    records: tuple[bytes, ...] = ()
    files: Digests = field(default_factory=dict)


class Away(NamedTuple):
    """Packages to leave out on one side: by key those that the other side does not have, and those in another version.

    `files` are the paths that both kinds' records list, with the digests that these have.
    """

    alone: frozenset[str]
    changed: frozenset[str]
    files: Mapping[bytes, Collection[str]]


_DIRECT: Final = ".dist-info/direct_url.json"


def dpkg_packages(status: bytes) -> Iterator[Package]:
    """Read dpkg's status file; its records are the lists in /var/lib/dpkg/info."""
    for stanza in _stanzas(status):
        fields = {match[1].lower(): match[2] for match in _FIELD.finditer(stanza)}
        name, version = fields.get(b"package", b""), fields.get(b"version", b"")
        architecture = fields.get(b"architecture", b"")
        if not _NAME.fullmatch(name) or not version or not _NAME.fullmatch(architecture):
            continue
        stems = (b"/var/lib/dpkg/info/" + name, b"/var/lib/dpkg/info/" + name + b":" + architecture)
        needs = b",".join(fields.get(key, b"") for key in (b"depends", b"pre-depends", b"recommends"))
        conffiles = islice(_CONFFILE.finditer(fields.get(b"conffiles", b"")), MAX_MEMBERS)
        yield Package(
            key=b":".join((name, architecture)).decode(),
            version=version.decode("ascii", "backslashreplace"),
            needs=frozenset(_relations(needs)),
            provides=frozenset((name, *_relations(fields.get(b"provides", b"")))),
            records=tuple(stem + kind for stem in stems for kind in (b".list", b".md5sums")),
            files={match[1]: "md5:" + match[2].decode() for match in conffiles},
        )


def dpkg_files(package: Package, records: Mapping[bytes, bytes]) -> Digests:
    """Join a package's lists, by their paths, with the digests of its configuration files."""
    found: dict[bytes, str | None] = {}
    sums: dict[bytes, str] = {}
    for path, content in records.items():
        if path.endswith(b".list"):
            lines = islice(_PATH.finditer(content), MAX_MEMBERS)
            found |= dict.fromkeys(match[0] for match in lines if match[0] != b"/.")
        else:
            digests = islice(_MD5SUM.finditer(content), MAX_MEMBERS)
            sums |= {b"/" + match[2]: "md5:" + match[1].decode() for match in digests}
    listed = {path: package.files.get(path) or sums.get(path) for path in found}
    return listed | {b"/usr" + path: digest for path, digest in listed.items() if _MERGED.match(path)}


def without_stanzas(text: bytes, keys: Iterable[str]) -> bytes:
    """Leave out of a list of stanzas (dpkg's status, apt's extended states) those of some packages."""
    left_out = {key.encode() for key in keys}

    def shown(stanza: bytes) -> bytes | None:
        fields = {match[1].lower(): match[2] for match in _FIELD.finditer(stanza)}
        return None if fields.get(b"package", b"") + b":" + fields.get(b"architecture", b"") in left_out else stanza

    return each_stanza(text, shown)


def each_stanza(text: bytes, shown: Callable[[bytes], bytes | None]) -> bytes:
    """Write a list of stanzas again with what `shown` makes of each, None for nothing; of too many, all as they are."""
    stanzas = text.split(b"\n\n", MAX_MEMBERS)
    if len(stanzas) > MAX_MEMBERS:
        return text
    return b"\n\n".join(kept for stanza in stanzas if (kept := shown(stanza)) is not None)


def apk_packages(installed: bytes) -> Iterator[Package]:
    """Read apk's database, which holds the digest of each file; that of a link is its target's."""
    for stanza in _stanzas(installed):
        lines = [(line[:1], line[2:]) for line in stanza.split(b"\n", MAX_CELLS) if line[1:2] == b":"]
        fields = dict(reversed(lines))
        name, version = fields.get(b"P", b""), fields.get(b"V", b"")
        if name and version:
            yield Package(
                key=name.decode("utf-8", "backslashreplace"),
                version=version.decode("utf-8", "backslashreplace"),
                needs=frozenset(_apk_names(fields.get(b"D", b""))),
                provides=frozenset((name, *_apk_names(fields.get(b"p", b"")))),
                files=_apk_files(lines),
            )


def without_apk_records(installed: bytes, away: Away) -> bytes:
    """Leave packages that one side alone has out of apk's database, and the files of changed ones."""
    left_out, cut = ({key.encode() for key in names} for names in (away.alone, away.changed))

    def shown(stanza: bytes) -> bytes | None:
        match = _APK_NAME.search(stanza)
        name = b"" if match is None else match[1]
        if name in left_out:
            return None
        return _without_files(stanza) if name in cut else stanza

    return each_stanza(installed, shown)


def wheel_packages(path: bytes, metadata: bytes) -> Iterator[Package]:
    """Read the METADATA of a Python package; its record is the RECORD beside it."""
    place = _WHEEL.fullmatch(path)
    fields: dict[bytes, list[bytes]] = {}
    for match in _FIELD.finditer(metadata.partition(b"\n\n")[0].replace(b"\r\n", b"\n")):
        fields.setdefault(match[1].lower(), []).append(match[2])
    name, version = fields.get(b"name", [b""])[0], fields.get(b"version", [b""])[0]
    if place is None or not _NAME.fullmatch(name) or not version:
        return
    required = (_REQUIREMENT.match(item) for item in fields.get(b"requires-dist", [])[:MAX_MEMBERS])
    yield Package(
        key=place[1].decode("utf-8", "backslashreplace") + "/" + normalised_name(name).decode(),
        version=version.decode("utf-8", "backslashreplace"),
        needs=frozenset(normalised_name(item[0]) for item in required if item is not None),
        provides=frozenset((normalised_name(name),)),
        records=(path.removesuffix(b"METADATA") + b"RECORD",),
    )


def wheel_files(records: Mapping[bytes, bytes]) -> Digests:
    """Read the RECORD of a Python package: paths are relative to the folder that the package's own lies in.

    A package that no index gave, as `direct_url.json` says (PEP 610), gives no files: its version is the build's own
    doing. Raises ValueError.
    """
    found: dict[bytes, str | None] = {}
    for path, content in records.items():
        base = posixpath.dirname(posixpath.dirname(path))
        lines = content.decode("utf-8", "surrogateescape").replace("\r\n", "\n").split("\n", MAX_MEMBERS)
        try:
            rows = list(csv.reader(lines[:MAX_MEMBERS], strict=True))
        except csv.Error as error:
            raise ValueError(str(error)) from None
        if any(row and row[0].endswith(_DIRECT) for row in rows):
            continue
        for name, digest in (row[:2] for row in rows if len(row) == 3 and row[0]):
            place = posixpath.join(base, name.encode("utf-8", "surrogateescape"))
            if len(place) <= MAX_PATH_BYTES:
                found[posixpath.normpath(place)] = _digest(digest)
    return found


def normalised_name(name: bytes) -> bytes:
    """Write a Python project's name as the specification compares it."""
    return re.sub(rb"[-_.]+", b"-", name).lower()


def _digest(written: str) -> str | None:
    """Read `sha256=BASE64`, URL-safe and without padding."""
    algorithm, _, value = written.partition("=")
    try:
        raw = base64.urlsafe_b64decode(value + "=" * (-len(value) % 4))
    except (binascii.Error, ValueError):
        return None
    return f"{algorithm}:{raw.hex()}" if algorithm in {"sha256", "sha384", "sha512"} and raw else None


def _apk_files(lines: Iterable[tuple[bytes, bytes]]) -> dict[bytes, str | None]:
    found: dict[bytes, str | None] = {}
    folder = path = b""
    for letter, value in lines:
        if letter == b"F":
            folder = path = b"/" + value
            found[folder] = None
        elif letter == b"R":
            path = posixpath.join(folder, value)
            if len(found) >= MAX_MEMBERS or len(path) > MAX_PATH_BYTES:
                break
            found[path] = None
        elif letter == b"Z" and value[:2] in _APK_DIGESTS:
            try:
                raw = base64.b64decode(value[2:], validate=True)
            except binascii.Error:
                continue
            found[path] = f"{_APK_DIGESTS[value[:2]]}:{raw.hex()}"
    found.pop(b"/", None)
    return found


def _without_files(stanza: bytes) -> bytes:
    """Leave the files out of a record, but not that one of them has a set-user-ID, set-group-ID or sticky bit."""
    record, _, files = stanza.partition(b"\nF:")
    return b"\n".join([record, b"F:", *_APK_SPECIAL.findall(files)])


def _apk_names(text: bytes) -> Iterator[bytes]:
    for part in text.split():
        name = re.split(rb"[<>=~]", part, maxsplit=1)[0]
        if name and not name.startswith(b"!"):
            yield name


def _stanzas(text: bytes) -> Iterable[bytes]:
    return re.split(rb"\n(?:[ \t]*\n)+", text, maxsplit=MAX_MEMBERS)[:MAX_MEMBERS]


def _relations(text: bytes) -> Iterator[bytes]:
    """Yield the names in a list of dependencies, without versions and architectures."""
    for part in re.split(rb"[,|]", text):
        match = _NAME.match(part.strip())
        if match is not None:
            yield match[0]
