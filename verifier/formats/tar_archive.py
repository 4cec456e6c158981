"""Unfold a tar archive inside a content (POSIX.1-2008, "ustar Interchange Format"): header fields, data, padding.

Members stand in the archive's order, or, unfolded further, sorted by name with that order beside them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from verifier.formats.field import Field, Node
from verifier.formats.limits import MAX_MEMBERS
from verifier.formats.member_order import Member, tell_by_name
from verifier.formats.spans import Cutter

_BLOCK: Final = 512
_HEADER: Final = (
    ("name", "bytes", 100),
    ("mode", "bytes", 8),
    ("uid", "bytes", 8),
    ("gid", "bytes", 8),
    ("size", "bytes", 12),
    ("mtime", "tar-mtime", 12),
    ("checksum", "bytes", 8),
    ("rest of the header", "bytes", 356),
)
_PAX_FLAGS: Final = (0x78, 0x67)
_PAX_OF_ALL: Final = 0x67
_OF_THE_NEXT: Final = frozenset(b"xXLK")
"""Type flags of headers that say more of the member behind them: POSIX's, Solaris's, GNU's long names and links."""

_LONG_NAME: Final = 0x4C
_HARD_LINK: Final = 0x31
_WITHOUT_DATA: Final = frozenset(b"123456")

Unfolder = Callable[[bytes, str, int], Node]
"""Unfolds a member: its bytes, its name, its offset in the container."""


def is_tar(data: bytes) -> bool:
    """Tell by the first header: the magic, and a checksum that is right.

    In version 7's form, which Automake's `make dist` asks for, nothing stands in place of the magic and the names of
    owner and group behind it.
    """
    if len(data) < _BLOCK or not _has_checksum(data[:_BLOCK]):
        return False
    is_seventh = data[:1] != b"\0" and not (data[257:329] + data[345:_BLOCK]).strip(b"\0")
    return data[257:262] == b"ustar" or is_seventh


def unfold_tar(data: bytes, name: str, offset: int, unfold: Unfolder) -> Node:
    """Unfold an archive. Raises ValueError where it is none."""
    cutter = Cutter(data)
    members = 0
    while cutter.left >= _BLOCK and cutter.peek(_BLOCK).strip(b"\0"):
        members += 1
        if members > MAX_MEMBERS:
            raise ValueError("too many members")
        _take_member(cutter, unfold)
    return cutter.finish(name, "tar", offset)


def _take_member(cutter: Cutter, unfold: Unfolder) -> None:
    block = cutter.peek(_BLOCK)
    if not _has_checksum(block):
        raise ValueError("a header's checksum is wrong")
    label = block[:100].rstrip(b"\0").decode("utf-8", "backslashreplace")
    checksum = b"%06o\0 " % _checksum(block)
    flag = block[156]
    content_size = 0 if flag in _WITHOUT_DATA else _number(block[124:136])
    follows = {"checksum": block[148:156] == checksum}
    if content_size and flag not in _PAX_FLAGS:
        follows["size"] = block[124:136] == b"%011o\0" % content_size
    for part, kind, size in _HEADER:
        if part == "checksum" and not follows["checksum"]:
            _take_unusual_checksum(cutter, label, kind, size, _checksum(block))
        else:
            # only the usual way of writing a size follows from the rest
            cutter.take(f"{label}: {part}", kind, size, derived=follows.get(part, False))
    size = content_size
    if flag in _PAX_FLAGS:
        cutter.take(f"{label}: pax records", "pax-records", size)
    elif size:
        if size > cutter.left:
            raise ValueError("a member is cut off")
        cutter.nest(unfold(cutter.peek(size), label, cutter.position), size)
    padding = min(-size % _BLOCK, cutter.left)
    is_usual = padding == -size % _BLOCK and not cutter.peek(padding).strip(b"\0")
    cutter.take(f"{label}: padding", "bytes", padding, derived=is_usual and follows.get("size", False))


def _take_unusual_checksum(cutter: Cutter, label: str, kind: str, size: int, checksum: int) -> None:
    """Take a checksum as git and Erlang write it: its digits follow, and what ends them tells how many."""
    digits = cutter.peek(size).rstrip(b"\0 ")
    if digits in (b"%06o" % checksum, b"%07o" % checksum):
        cutter.take(f"{label}: digits of the checksum", kind, len(digits), derived=True)
        size -= len(digits)
    cutter.take(f"{label}: checksum", kind, size)


def deepen_tar(node: Node) -> Node:
    """Tell the members by name, and their order beside them; the very node where one says something of all others."""
    starts = [
        number for number, part in enumerate(node.parts) if isinstance(part, Field) and part.name.endswith(": name")
    ]
    last = node.parts[-1] if node.parts else None
    end = len(node.parts) - (isinstance(last, Field) and last.name == "rest")
    try:
        members = list(
            _members([node.parts[start:stop] for start, stop in zip(starts, [*starts[1:], end], strict=True)])
        )
    except ValueError:
        return node
    first = sum(len(member.parts) for member in members)
    return tell_by_name(node, node.parts[: end - first], members, node.parts[end:])


def _members(runs: Sequence[tuple[Field | Node, ...]]) -> Iterator[Member]:
    """Put headers that say more of a member together with it. Raises ValueError where they cannot be told."""
    more: list[tuple[Field | Node, ...]] = []
    names: set[str] = set()
    for run in runs:
        flag = _header(run)[156]
        if flag == _PAX_OF_ALL:
            # in front of all members it says the same of each, wherever they stand
            if more or names:
                raise ValueError("a header in the midst that says something of all members behind it")
            continue
        more.append(run)
        if flag not in _OF_THE_NEXT:
            if flag == _HARD_LINK and _link_target(run) not in names:
                # unpacking needs the file before the link to it
                raise ValueError("a hard link in front of what it names")
            names.add(_name(more))
            yield Member(_name(more), tuple(part for parts in more for part in parts))
            more = []
    if more:
        raise ValueError("a header that says something of no member")


def _header(run: Sequence[Field | Node]) -> bytes:
    block = b"".join(part.value for part in run[: len(_HEADER)] if isinstance(part, Field))
    if len(block) != _BLOCK:
        raise ValueError("no whole header")
    return block


def _link_target(run: Sequence[Field | Node]) -> str:
    return _header(run)[157:257].rstrip(b"\0").decode("utf-8", "backslashreplace")


def _name(runs: Sequence[Sequence[Field | Node]]) -> str:
    """Give a member's name: that of its pax records, or GNU's long one, or that of its header."""
    block = _header(runs[-1])
    name = block[:100].rstrip(b"\0")
    prefix = block[345:500].rstrip(b"\0") if block[257:263] == b"ustar\0" else b""
    if prefix:
        name = prefix + b"/" + name
    for run in runs[:-1]:
        for part in run[len(_HEADER) :]:
            if isinstance(part, Field) and part.kind == "pax-records":
                name = _pax_path(part.value) or name
            elif isinstance(part, Node) and _header(run)[156] == _LONG_NAME:
                name = b"".join(inner.value for inner in part.parts if isinstance(inner, Field)).rstrip(b"\0")
    return name.decode("utf-8", "backslashreplace")


def _pax_path(records: bytes) -> bytes:
    """Give the path in pax records, the last one if there are several; empty where there is none."""
    path = b""
    while records:
        digits, space, _ = records[:20].partition(b" ")
        size = int(digits) if space and digits.isdigit() else 0
        if not len(digits) + 1 < size <= len(records):
            raise ValueError("pax records that cannot be read")
        keyword, _, value = records[len(digits) + 1 : size - 1].partition(b"=")
        if keyword == b"path":
            path = value
        records = records[size:]
    return path


def _number(field: bytes) -> int:
    text = field.strip(b" \0")
    if not text:
        return 0
    if not text.isdigit():
        raise ValueError("a size that is no octal number")
    return int(text, 8)


def _checksum(block: bytes) -> int:
    return sum(block) - sum(block[148:156]) + 8 * 0x20


def _has_checksum(block: bytes) -> bool:
    try:
        return _number(block[148:156]) == _checksum(block)
    except ValueError:
        return False
