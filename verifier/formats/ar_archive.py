"""Unfold an ar archive (ar(5)): static libraries and Debian packages, thin archives too.

GNU's long names (`/123`, into the member `//`) and BSD's (`#1/20`, before the data) are known. A size, a padding byte
and the offsets in GNU's table of symbols follow from the members, and do not count where they are as they must be.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from verifier.formats.field import Node
from verifier.formats.limits import MAX_MEMBERS
from verifier.formats.spans import Cutter
from verifier.formats.tar_archive import Unfolder

MAGIC: Final = b"!<arch>\n"
_THIN_MAGIC: Final = b"!<thin>\n"
_HEADER_BYTES: Final = 60
_HEADER: Final = (("time", "ar-time", 12), ("uid", "ar", 6), ("gid", "ar", 6), ("mode", "ar", 8))
_SYMBOLS: Final = {b"/": 4, b"/SYM64/": 8}
"""GNU's tables of symbols, and how many bytes their numbers have."""

_NAMES: Final = b"//"
_BSD_NAME: Final = re.compile(rb"#1/(\d{1,5})")
_GNU_NAME: Final = re.compile(rb"/(\d{1,9})")

LONG_NAMES: Final = "ar-names"
"""Kind of a table of long names that holds such as rustc makes up …"""

INCREMENTAL: Final = re.compile(rb"(?<=\.[0-9a-z]{25}\.)([01][0-9a-z]{6})(?=\.rcgu\.o(?:/?\n|$))")
"""… a unit's digest and a number of 32 bits, in base 36 both, where it compiles incrementally."""


class _Member(NamedTuple):
    """One member: where its header stands, its name as written there, the size of its data in this file."""

    start: int
    name: bytes
    said: bytes
    size: int


def is_ar(data: bytes) -> bool:
    """Tell by the magic."""
    return data.startswith((MAGIC, _THIN_MAGIC))


def unfold_ar(data: bytes, name: str, offset: int, unfold: Unfolder) -> Node:
    """Unfold an archive. Raises ValueError where it is none."""
    members = _read_members(data)
    ordinals = {member.start: number for number, member in enumerate(members)}
    names = next((_content(data, member) for member in members if member.name == _NAMES), b"")
    cutter = Cutter(data)
    cutter.take("magic", "ar", len(MAGIC))
    for member in members:
        _take_member(cutter, member, names, ordinals, unfold)
    return cutter.finish(name, "ar", offset)


def _read_members(data: bytes) -> Sequence[_Member]:
    members: list[_Member] = []
    position, is_thin = len(MAGIC), data.startswith(_THIN_MAGIC)
    while len(data) - position >= _HEADER_BYTES:
        header = data[position : position + _HEADER_BYTES]
        said = header[48:58]
        if header[58:] != b"`\n" or not said.strip(b" ").isdigit() or len(members) >= MAX_MEMBERS:
            raise ValueError("a member's header is damaged, or there are too many")
        name = header[:16].rstrip(b" ")
        is_elsewhere = is_thin and name != _NAMES and name not in _SYMBOLS
        size = 0 if is_elsewhere else int(said.strip(b" "))
        if size > len(data) - position - _HEADER_BYTES:
            raise ValueError("a member is cut off")
        members.append(_Member(position, name, said, size))
        position += _HEADER_BYTES + size + size % 2
    return members


def _content(data: bytes, member: _Member) -> bytes:
    start = member.start + _HEADER_BYTES
    return data[start : start + member.size]


def _take_member(cutter: Cutter, member: _Member, names: bytes, ordinals: Mapping[int, int], unfold: Unfolder) -> None:
    label = _label(cutter.data, member, names)
    cutter.take(f"{label}: name", "ar", 16)
    for part, kind, size in _HEADER:
        cutter.take(f"{label}: {part}", kind, size)
    cutter.take(f"{label}: size", "ar", 10, derived=member.said == b"%-10d" % member.size)
    cutter.take(f"{label}: end of the header", "ar", 2)
    end = cutter.position + member.size
    long_name = _BSD_NAME.fullmatch(member.name)
    if long_name:
        cutter.take(f"{label}: long name", "ar", min(int(long_name[1]), member.size))
    width = _SYMBOLS.get(member.name)
    told = None if width is None else _told_symbols(_content(cutter.data, member), width, ordinals)
    if told is not None:
        cutter.tell(label, "ar", told, member.size)
    elif member.name == _NAMES and INCREMENTAL.search(_content(cutter.data, member)):
        cutter.take(label, LONG_NAMES, member.size)
    elif end > cutter.position:
        cutter.nest(unfold(cutter.peek(end - cutter.position), label, cutter.position), end - cutter.position)
    if member.size % 2 and cutter.peek(1) not in (b"", b"\n"):
        cutter.take(f"{label}: padding", "ar", 1)
    elif cutter.left or not member.size % 2:
        cutter.tell(f"{label}: padding", "ar", b"\n", member.size % 2, derived=True)


def _label(data: bytes, member: _Member, names: bytes) -> str:
    bsd, gnu = _BSD_NAME.fullmatch(member.name), _GNU_NAME.fullmatch(member.name)
    name = member.name.rstrip(b"/")
    if bsd:
        name = _content(data, member)[: int(bsd[1])].rstrip(b"\0")
    elif gnu and int(gnu[1]) < len(names):
        # the table has the whole name: here it only tells members apart
        name = INCREMENTAL.sub(b"*", names[int(gnu[1]) :].partition(b"\n")[0].rstrip(b"/"))
    elif member.name in _SYMBOLS:
        name = b"symbols"
    elif member.name == _NAMES:
        name = b"names"
    return name.decode("utf-8", "backslashreplace")


def _told_symbols(content: bytes, width: int, ordinals: Mapping[int, int]) -> bytes | None:
    """Tell a table of symbols with members' numbers in place of their offsets; None where it holds anything else."""
    count = int.from_bytes(content[:width], "big")
    end = width * (1 + count)
    if end > len(content):
        return None
    numbers = [ordinals.get(int.from_bytes(content[at : at + width], "big")) for at in range(width, end, width)]
    if None in numbers:
        return None
    return b" ".join(b"%d" % number for number in numbers if number is not None) + b"\n" + content[end:]
