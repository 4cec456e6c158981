"""The members of an archive that holds an image: names and offsets, found by one walk over the tar headers.

Nothing is ever extracted by a member's name: names are keys in a table, contents are windows on the archive's file. So
`../`, absolute paths, devices and links that lead outside cannot do anything: no name of ours matches them.
"""

from __future__ import annotations

import os
import posixpath
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from verifier.errors import MalformedImageError

BLOCK: Final = 512
MAX_MEMBERS: Final = 100_000
"""Members in one archive: images of a thousand layers need a few thousand."""
MAX_NAME_BYTES: Final = 4096
"""Of one member's name or link target; images have names of about a hundred bytes."""
MAX_ALL_NAMES_BYTES: Final = 32 * 1024 * 1024
"""Of all names and link targets together."""
MAX_PAX_BYTES: Final = 1024 * 1024
"""Of one member's pax records."""
MAX_LINKS: Final = 8
"""Links followed from one name to its content; real archives have one."""

MemberKind = Literal["file", "link", "symlink", "other"]

_FILES: Final = b"0\x007"
_KINDS: Final[dict[bytes, MemberKind]] = {b"1": "link", b"2": "symlink", b"3": "other", b"4": "other", b"5": "other"}
_HEADER_ONLY: Final = b"123456"


@dataclass(frozen=True, slots=True)
class Member:
    """One member: the offset and size of its content in bytes, or the target of a link."""

    name: str
    kind: MemberKind
    offset: int
    size: int
    target: str


class Members:
    """The members by name; links are followed inside the archive only."""

    def __init__(self, members: Mapping[str, Member], repeated: frozenset[str]) -> None:
        self._members = members
        self._repeated = repeated

    def find(self, name: str) -> Member | None:
        """Give the regular file that `name` stands for, None when there is no such member.

        Raises MalformedImageError when it is no file, a link that leads nowhere, or in the archive twice: programs
        differ in which of the two they read.
        """
        member = self._members.get(_plain(name))
        for _ in range(MAX_LINKS):
            if member is None:
                return None
            if member.name in self._repeated:
                raise MalformedImageError(f"the archive holds {member.name[:200]!r} more than once")
            if member.kind == "file":
                return member
            if member.kind == "other":
                raise MalformedImageError(f"the archive's {member.name[:200]!r} is no regular file")
            folder = posixpath.dirname(member.name) if member.kind == "symlink" else ""
            found = self._members.get(_plain(posixpath.join(folder, member.target)))
            if found is None:
                raise MalformedImageError(f"the archive's {member.name[:200]!r} is a link to nothing in the archive")
            member = found
        raise MalformedImageError(f"the archive's {name[:200]!r} is a link that goes in circles")

    def __contains__(self, name: str) -> bool:
        return _plain(name) in self._members

    def __len__(self) -> int:
        return len(self._members)


def scan_members(descriptor: int) -> Members:
    """Walk over the headers of a tar archive (ustar, pax, GNU), from an open file.

    Contents are not read. Raises MalformedImageError for a corrupt header, a truncated archive, or one that is over a
    named limit.
    """
    return _Scan(descriptor).run()


class _Scan:
    """One walk; `position` is the offset of the next header."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._size = os.fstat(descriptor).st_size
        self._position = 0
        self._members: dict[str, Member] = {}
        self._repeated: set[str] = set()
        self._extended: dict[str, str] = {}
        self._name_bytes = 0

    def run(self) -> Members:
        headers = 0
        while self._position < self._size:
            header = self._read(self._position, BLOCK, "a header")
            if not header.strip(b"\0"):
                break
            headers += 1
            if headers > MAX_MEMBERS:
                raise MalformedImageError(f"the archive has more than {MAX_MEMBERS} members")
            self._take(header)
        if not headers:
            raise MalformedImageError("the archive is empty")
        return Members(self._members, frozenset(self._repeated))

    def _take(self, header: bytes) -> None:
        _check_sum(header, self._position)
        kind = header[156:157]
        content = self._position + BLOCK
        size = _number(header[124:136], self._position)
        if kind in b"LKxg":
            self._take_extension(kind, content, size)
            self._position = _after(content, size)
            return
        if kind == b"S" or any(key.startswith("GNU.sparse.") for key in self._extended):
            raise MalformedImageError("the archive stores a member as a sparse file")
        if "size" in self._extended:
            size = _decimal(self._extended["size"], self._position)
        if kind in _HEADER_ONLY:
            size = 0
        if content + size > self._size:
            raise MalformedImageError(f"the archive is truncated: {self._size} bytes, {content + size} are needed")
        self._keep(header, kind, content, size)
        self._extended = {}
        self._position = _after(content, size)

    def _keep(self, header: bytes, kind: bytes, content: int, size: int) -> None:
        name = self._extended.get("path") or _ustar_name(header)
        if len(name) > MAX_NAME_BYTES:
            raise MalformedImageError(f"a member's name in the archive is longer than {MAX_NAME_BYTES} bytes")
        key = _plain(name)
        self._name_bytes += len(key)
        sort = "file" if kind in _FILES else _KINDS.get(kind, "other")
        if sort == "file" and name.endswith("/"):
            sort = "other"
        if key in self._members and sort != "other":
            self._repeated.add(key)
        target = (self._extended.get("linkpath") or _text(header[157:257])) if sort in ("link", "symlink") else ""
        self._name_bytes += len(target)
        if len(target) > MAX_NAME_BYTES or self._name_bytes > MAX_ALL_NAMES_BYTES:
            raise MalformedImageError("the archive's names and link targets are over the limits")
        self._members[key] = Member(name=key, kind=sort, offset=content, size=size, target=target)

    def _take_extension(self, kind: bytes, content: int, size: int) -> None:
        limit = MAX_PAX_BYTES if kind in b"xg" else MAX_NAME_BYTES + 1
        if size > limit:
            raise MalformedImageError(f"the archive has an extended header of {size} bytes, over the limit of {limit}")
        data = self._read(content, size, "an extended header")
        if kind == b"L":
            self._extended["path"] = _text(data)
        elif kind == b"K":
            self._extended["linkpath"] = _text(data)
        elif kind == b"x":
            self._extended.update(_pax_records(data, content))
        # A global header (`g`) holds comments in practice; a name or a size for all members would make no sense.

    def _read(self, offset: int, size: int, what: str) -> bytes:
        data = os.pread(self._descriptor, size, offset)
        if len(data) < size:
            raise MalformedImageError(f"the archive is truncated: it ends inside {what} at offset {offset}")
        return data


def _check_sum(header: bytes, offset: int) -> None:
    stored = _number(header[148:156], offset)
    rest = header[:148] + b" " * 8 + header[156:]
    if stored == sum(rest):
        return
    if stored != sum(rest) - 256 * sum(byte > 127 for byte in rest):  # old tars summed signed bytes
        raise _corrupt(offset)


def _corrupt(offset: int) -> MalformedImageError:
    if offset == 0:
        return MalformedImageError("it is no tar archive, or its first header is corrupt")
    return MalformedImageError(f"the archive has a corrupt tar header at offset {offset}")


def _number(field: bytes, offset: int) -> int:
    """Read a number field: octal, or base-256 for what does not fit (GNU)."""
    if field[0] & 0x80:
        value = int.from_bytes(bytes([field[0] & 0x7F]) + field[1:], "big")
        if field[0] & 0x40 or value >= 1 << 63:
            raise MalformedImageError(f"the archive has a negative or huge number in the tar header at offset {offset}")
        return value
    digits = field.split(b"\0", 1)[0].strip(b" ") or b"0"
    if digits.strip(b"01234567"):
        raise _corrupt(offset)
    return int(digits, 8)


def _decimal(text: str, offset: int) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 20):
        raise MalformedImageError(f"the archive has a corrupt pax header before offset {offset}")
    return int(text)


def _pax_records(data: bytes, offset: int) -> dict[str, str]:
    """Parse pax records, `length key=value newline` (POSIX.1-2001)."""
    records: dict[str, str] = {}
    position = 0
    while position < len(data) and data[position]:
        space = data.find(b" ", position, position + 20)
        digits = data[position:space]
        end = position + int(digits) if space > 0 and digits.isdigit() else 0
        record = data[space + 1 : end]
        if not record.endswith(b"\n") or end > len(data) or b"=" not in record:
            raise MalformedImageError(f"the archive has a corrupt pax header at offset {offset}")
        key, _, value = record[:-1].partition(b"=")
        records[_text(key)] = value.decode("utf-8", "surrogateescape")
        position = end
    return records


def _ustar_name(header: bytes) -> str:
    name = _text(header[:100])
    # POSIX has a prefix there; GNU's own format (magic with two blanks) has times.
    prefix = _text(header[345:500]) if header[257:263] == b"ustar\0" else ""
    return f"{prefix}/{name}" if prefix else name


def _text(field: bytes) -> str:
    return field.split(b"\0", 1)[0].decode("utf-8", "surrogateescape")


def _plain(name: str) -> str:
    """Bring a name to one form: `./blobs//x` and `blobs/x` are the same member, `../x` stays what it is."""
    return posixpath.normpath(name) if name else "."


def _after(content: int, size: int) -> int:
    return content + (size + BLOCK - 1) // BLOCK * BLOCK
