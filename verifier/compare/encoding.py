"""How an entry's header blocks are written, apart from what they say: the same entry can be written in many ways.

Only ways that archivers are known to use count as writing (POSIX.1-2008, "ustar Interchange Format", "pax Interchange
Format"; GNU tar manual, "Basic Tar Format"). A byte that follows none of them is not writing: it is kept, and whoever
explains the writing has it left over. So nothing can hide between the parsed fields.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

from verifier.model.difference import NamedValue
from verifier.oci.tar_entry import DIRECTORY, FILE, HARDLINK, SYMLINK, TarEntry
from verifier.oci.tar_header import (
    GNU_LONG_LINK,
    GNU_LONG_NAME,
    PAX_HEADER,
    parse_header,
    parse_number,
    parse_pax_records,
    split_headers,
)

_MAGICS: Final = {b"ustar\x0000": "ustar", b"ustar  \0": "GNU", bytes(8): "v7"}
_NUMBERS: Final = ((100, 108), (108, 116), (116, 124), (124, 136), (136, 148))
_ENDED: Final = {8: re.compile(rb"[0-7]{7}\0"), 12: re.compile(rb"[0-7]{11}\0")}
_SPACED: Final = {8: re.compile(rb"[0-7]{6} \0"), 12: re.compile(rb"[0-7]{11} ")}
_CHECKSUM: Final = re.compile(rb"[0-7]{6}\0 ")
_OCTAL: Final = re.compile(rb"(?:[0-7]{7}\0){3}(?:[0-7]{11}\0){2}[0-7]{6}\0 ")
_NAMES: Final = ((0, 100), (157, 257))
_OWNERS: Final = ((265, 297), (297, 329))
_NO_DEVICE: Final = {bytes(16): "", b"0000000\0" * 2: ", devices 0", b"000000 \0" * 2: ", devices 0"}
_DECIMAL: Final = re.compile(rb"-?\d{1,20}(?:\.\d{1,9})?")
_PARSED_RECORDS: Final = frozenset({b"path", b"linkpath", b"uid", b"gid", b"uname", b"gname", b"size", b"mtime"})
_TIME_RECORDS: Final = frozenset({b"atime", b"ctime", b"LIBARCHIVE.creationtime"})
_PAX_NAME: Final = re.compile(rb"(?P<folder>.*/)?PaxHeaders?(?:\.\d{1,10})?/(?P<base>.*)", re.DOTALL)
_OVERRIDDEN_NUMBERS: Final = {b"uid": (108, 116), b"gid": (116, 124), b"size": (124, 136), b"mtime": (136, 148)}
_OVERRIDDEN_TEXTS: Final = {b"linkpath": (157, 257), b"uname": (265, 297), b"gname": (297, 329)}
_FLAGS: Final = b"0123456"
_V7_FLAGS: Final = b"\x0012"
_TYPE_BITS: Final = {FILE: 0o10, HARDLINK: 0o10, SYMLINK: 0o12, DIRECTORY: 0o4}
"""What stat(2) has above the permissions of each type; Buildah repeats it in the mode."""

_MAX_SHOWN: Final = 200


def header_parts(raw: bytes) -> tuple[NamedValue, ...]:
    """Split header blocks into how they are written and what is left over; what they say is left out.

    `tar-encoding` tells the way of writing, and ends with the blocks' digest: two headers that differ differ there.
    `tar-rest` is the digest of what follows no known way, empty where there is nothing.
    """
    reading = _Reading(parse_header(raw))
    for flag, block, payload, padding in split_headers(raw):
        form = _form_of(block)
        if form is None or padding.strip(b"\0"):
            reading.rest.append(block + payload + padding)
        elif flag == PAX_HEADER:
            reading.take_records(block, parse_pax_records(payload))
        elif flag in (GNU_LONG_NAME, GNU_LONG_LINK):
            reading.take_long_value(flag, block, payload)
        else:
            reading.take_own(block, payload, form)
    text = ", ".join(form for form in reading.forms if form)[:_MAX_SHOWN]
    written = f"{text}, sha256:{hashlib.sha256(raw).hexdigest()}".encode()
    rest = b"".join(b"%d:" % len(part) + part for part in reading.rest)
    left = hashlib.sha256(rest).digest() if rest else b""
    return NamedValue("tar-encoding", written), NamedValue("tar-rest", left)


@dataclass(slots=True)
class _Reading:
    """One entry's blocks, read from the first to the last: the ways of writing, and what follows none."""

    entry: TarEntry
    forms: list[str] = field(default_factory=list)
    rest: list[bytes] = field(default_factory=list)
    records: dict[bytes, bytes] = field(default_factory=dict)
    long: set[int] = field(default_factory=set)

    def take_records(self, block: bytes, records: list[tuple[bytes, bytes]]) -> None:
        """Name the pax records, with the values of those that no field has; keep those that are not known."""
        shown = []
        for key, value in records:
            is_known = key in _PARSED_RECORDS or key.startswith(b"SCHILY.xattr.")
            is_time = key in _TIME_RECORDS and _DECIMAL.fullmatch(value) is not None
            if key in self.records or not (is_known or is_time):
                self.rest.append(key + b"=" + value)
            self.records[key] = value
            name = key.decode("utf-8", "backslashreplace")
            shown.append(f"{name} {value.decode('ascii')}" if is_time else name)
        self.forms.append(f"pax ({', '.join(shown)})")
        if not (_says_nothing(block, self.entry) and _names_pax(_full_name(block), self.entry)):
            self.rest.append(block)

    def take_long_value(self, flag: int, block: bytes, payload: bytes) -> None:
        """Note that GNU's extension holds the name or the link's target."""
        self.long.add(flag)
        self.forms.append("long name" if flag == GNU_LONG_NAME else "long link")
        value = payload.removesuffix(b"\0")
        is_own = value == self.entry.linkname if flag == GNU_LONG_LINK else _spelling(value, self.entry) is not None
        if not (is_own and _says_nothing(block, self.entry) and _full_name(block) == b"././@LongLink"):
            self.rest.append(block + payload)

    def take_own(self, block: bytes, payload: bytes, form: str) -> None:
        """Name how the entry's own block is written; keep a sparse file's map as it is."""
        self.forms += [form, self._spelled(block)]
        if payload or (block[156] not in (_V7_FLAGS if block[257:265] == bytes(8) else _FLAGS)):
            self.rest.append(block + payload)
        type_bits = parse_number(block[100:108]) >> 12
        if type_bits not in (0, _TYPE_BITS.get(self.entry.type)):
            self.rest.append(block[100:108])
        self.forms.append("type in the mode" if type_bits else "")
        self._keep_overridden(block)

    def _spelled(self, block: bytes) -> str:
        """Tell how the name is spelled (`./`, a slash at the end); what is overridden must be the name's start."""
        name = _full_name(block)
        full = self.records.get(b"path")
        if full is None and GNU_LONG_NAME not in self.long:
            spelling = _spelling(name, self.entry)
        else:
            spelling = "" if full is None else _spelling(full, self.entry)
            path = self.entry.path
            starts = (path[1:], path, b"." + path) if full is None else (full, _ascii(full))
            spelling = spelling if any(text.startswith(name) for text in starts) else None
        if spelling is None:
            self.rest.append(name)
        return spelling or ""

    def _keep_overridden(self, block: bytes) -> None:
        """Keep what stands in fields that records override, unless it is 0, nothing, or the record's own start."""
        for key, (start, end) in _OVERRIDDEN_NUMBERS.items():
            value = self.records.get(key)
            usual = {0} if value is None else {0, int(value.partition(b".")[0] or b"0")}
            if value is not None and parse_number(block[start:end]) not in usual:
                self.rest.append(block[start:end])
        for key, (start, end) in _OVERRIDDEN_TEXTS.items():
            is_long = key == b"linkpath" and GNU_LONG_LINK in self.long
            value = self.entry.linkname if is_long else self.records.get(key)
            own = block[start:end].partition(b"\0")[0]
            if value is not None and not (value.startswith(own) or _ascii(value).startswith(own)):
                self.rest.append(own)


def _form_of(block: bytes) -> str | None:
    """Name the way in which one block is written; None where it is none that is known."""
    numbers = "octal" if _OCTAL.fullmatch(block, 100, 156) else _numbers_form(block)
    if numbers is None or any(block[start:end].partition(b"\0")[2].strip(b"\0") for start, end in _NAMES):
        return None
    rest = _rest_form(block[257:], is_device=block[156] in b"34")
    return None if rest is None else f"{rest[0]}, {numbers}{rest[1]}"


def _numbers_form(block: bytes) -> str | None:
    """Tell how all numbers of a block are written: an archiver writes them in one way."""
    if not _CHECKSUM.fullmatch(block, 148, 156):
        return None
    fields = [block[start:end] for start, end in _NUMBERS]
    octal = [field for field in fields if field[0] not in (0x80, 0xFF)]
    binary = ", base-256" if len(octal) < len(fields) else ""
    for form, patterns in (("octal", _ENDED), ("octal and a space", _SPACED)):
        if all(patterns[len(field)].fullmatch(field) for field in octal):
            return form + binary
    return None


@lru_cache(maxsize=1024)
def _rest_form(rest: bytes, *, is_device: bool) -> tuple[str, str] | None:
    """Name format and further ways of what follows the link's target; an archive has few of these, over and over."""
    magic = _MAGICS.get(rest[:8])
    if magic is None:
        return None
    if magic == "v7":
        return None if rest.strip(b"\0") else (magic, "")
    block = bytes(257) + rest
    if any(block[start:end].partition(b"\0")[2].strip(b"\0") for start, end in _OWNERS):
        return None
    device = "" if is_device else _NO_DEVICE.get(block[329:345])
    tail = _tail_form(block, magic)
    return None if device is None or tail is None else (magic, device + tail)


def _tail_form(block: bytes, magic: str) -> str | None:
    if magic == "ustar":
        prefix, _, after = block[345:500].partition(b"\0")
        if after.strip(b"\0") or block[500:].strip(b"\0"):
            return None
        return ", prefix" if prefix else ""
    if not block[345:].strip(b"\0"):
        return ""
    times = (block[345:357], block[357:369])
    if block[369:].strip(b"\0") or not all(_ENDED[12].fullmatch(time) or time == bytes(12) for time in times):
        return None
    return f", atime and ctime {' '.join(time.strip(bytes(1)).decode('ascii') for time in times)}"


def _says_nothing(block: bytes, entry: TarEntry) -> bool:
    """Tell whether an extension's own header says nothing of its own, as archivers write it."""
    mode, uid, gid = (parse_number(block[start:end]) for start, end in _NUMBERS[:3])
    names = {block[265:297].rstrip(b"\0"), block[297:329].rstrip(b"\0")}
    return (
        mode in {0, 0o644, 0o600, 0o666, entry.mode}
        and uid in {0, entry.uid}
        and gid in {0, entry.gid}
        and parse_number(block[136:148]) in {0, int(entry.mtime.partition(".")[0])}
        and names <= {b"", b"root", entry.uname, entry.gname}
        and not block[157:257].strip(b"\0")
    )


def _full_name(block: bytes) -> bytes:
    name = block[:100].partition(b"\0")[0]
    prefix = block[345:500].partition(b"\0")[0] if block[257:265] == b"ustar\x0000" else b""
    return prefix + b"/" + name if prefix else name


def _names_pax(name: bytes, entry: TarEntry) -> bool:
    if name == b"././@PaxHeader":
        return True
    match = _PAX_NAME.fullmatch(name)
    if match is None:
        return False
    own = _ascii(entry.path[1:])
    return own.startswith(((match["folder"] or b"") + match["base"]).removeprefix(b"./"))


def _spelling(name: bytes, entry: TarEntry) -> str | None:
    ends = name.endswith(b"/") and entry.type == DIRECTORY
    plain = name[:-1] if ends else name
    for start in (b"./", b"/", b""):
        if plain == start + entry.path[1:]:
            return (f"begins with {start.decode()}" if start else "") + (" ends with /" if ends else "")
    return "" if entry.path == b"/" and name in (b".", b"./", b"/") else None


def _ascii(value: bytes) -> bytes:
    """Leave out what is not ASCII, as Go's archive/tar does in the field that a record overrides."""
    return bytes(byte for byte in value if byte < 0x80)
