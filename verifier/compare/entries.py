"""Compare two tar entries of one path: every field that differs, and whatever hides between the parsed fields."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from verifier.model.difference import AloneEntry, FieldValue
from verifier.oci.digest import Digest, digest_bytes
from verifier.oci.tar_entry import BLOCK, OPAQUE_WHITEOUT, TarEntry
from verifier.oci.tar_header import (
    GNU_LONG_LINK,
    GNU_LONG_NAME,
    PAX_HEADER,
    PAX_HEADER_SOLARIS,
    parse_pax_records,
    split_headers,
)

MAX_HEADER_STRETCHES: Final = 8
"""Differing stretches of two headers that are reported …"""

MAX_HEADER_BYTES: Final = 32
"""… and how many bytes of each."""


class FieldDifference(NamedTuple):
    """One differing field and both values, as they stand in the report."""

    field: str
    first: FieldValue
    second: FieldValue


# where each field stands in a header block, and which pax record overrides it
_PLACES: Final[dict[str, tuple[int, int]]] = {
    "type": (156, 157),
    "mode": (100, 108),
    "uid": (108, 116),
    "gid": (116, 124),
    "size": (124, 136),
    "mtime": (136, 148),
    "linkname": (157, 257),
    "uname": (265, 297),
    "gname": (297, 329),
    "device": (329, 345),
}
_CHECKSUM: Final = (148, 156)
_NUMBERS: Final = frozenset({"mode", "uid", "gid", "size", "mtime"})
_DIGIT: Final = re.compile(rb"[0-7]")


def differing_fields(first: TarEntry, second: TarEntry) -> list[FieldDifference]:
    """List the parsed fields that differ; content, padding and header are not among them."""
    if first == second:
        return []
    found = [
        FieldDifference(name, _reported(name, value), _reported(name, other))
        for name, value, other in zip(TarEntry._fields, first, second, strict=True)
        if value != other and name in _PLACES
    ]
    if first.xattrs != second.xattrs:
        found += _differing_xattrs(dict(first.xattrs), dict(second.xattrs))
    return found


def header_difference(
    first: bytes, second: bytes, explained: list[FieldDifference], *, sizes_differ: bool
) -> FieldDifference | None:
    """Say how two entries' header blocks differ beyond `explained`: the encoding of names, numbers and records.

    `sizes_differ` says that the contents' sizes differ. Values are hexadecimal stretches by their offset.
    """
    if first == second:
        return None
    names = {item.field for item in explained}
    if sizes_differ:
        names.add("size")
    if not names:
        return _stretches(first, second)
    if len(first) == len(second) == BLOCK:
        first, second = _masked(first, names), _masked(second, names)
        return None if first == second else _stretches(first, second)
    residue, blocks = _residue(first, names)
    other_residue, other_blocks = _residue(second, names)
    # where one side alone needs an extension header, the explained fields are the reason
    if residue == other_residue and (blocks == other_blocks or not (blocks and other_blocks)):
        return None
    return _stretches(first, second)


def padding_difference(first: bytes, second: bytes) -> FieldDifference | None:
    """Compare what fills the last block of two contents; zeros are equal in any number."""
    if first == second or not (first.strip(b"\0") or second.strip(b"\0")):
        return None
    return FieldDifference("padding", first[:MAX_HEADER_BYTES].hex(), second[:MAX_HEADER_BYTES].hex())


def entry_value(entry: TarEntry) -> tuple[str, str]:
    """Give field and value of an entry that one side alone has: its type, or what kind of whiteout it is."""
    if entry.is_whiteout:
        return "whiteout", "opaque" if entry.path.endswith(b"/" + OPAQUE_WHITEOUT) else "whiteout"
    return "entry", entry.type


def alone_entry(entry: TarEntry, raw: bytes, content: str, padding: bytes) -> AloneEntry:
    """Sum up an entry that one side alone has: all but its name and its time; `content` is a digest."""
    parsed = entry._replace(path=b"", mtime="")
    without_size = parsed._replace(size=0, stored=0)
    behind = padding.rstrip(b"\0")
    return AloneEntry(
        mtime=entry.mtime,
        facts=_digest_parts(repr(parsed).encode(), _unnamed(raw, {"mtime"}), content.encode(), behind),
        frame=_digest_parts(repr(without_size).encode(), _unnamed(raw, {"mtime", "size"}), behind),
        content=content,
        plain=not (entry.mode & 0o7000 or entry.xattrs or entry.device is not None),
    )


def _unnamed(raw: bytes, names: set[str]) -> bytes:
    """Leave the name out of an entry's header blocks, and the values of the fields in `names`."""
    if len(raw) != BLOCK:
        return repr(list(_extended_unnamed(raw, names))).encode()
    block = bytearray(_masked(raw, names))
    # what stands behind the name's end counts
    block[:100] = raw[:100].partition(b"\0")[2].lstrip(b"\0").rjust(100, b"\0")
    return bytes(block)


def _extended_unnamed(raw: bytes, names: set[str]) -> Iterator[object]:
    """Leave the name out where extensions hold it: in them, and in what their writers make of it for old readers."""
    blocks = list(split_headers(raw))
    name = next((found for flag, _, payload, _ in blocks if (found := _long_name(flag, payload)) is not None), None)
    for flag, block, payload, padding in blocks:
        yield padding.rstrip(b"\0")
        if flag in (PAX_HEADER, PAX_HEADER_SOLARIS):
            records = parse_pax_records(payload)
            yield _short_unnamed(_masked(block, {"size"}), name)
            yield [
                (key, b"" if (key, value) == (b"path", name) or text_of(key) in names else value)
                for key, value in records
            ]
        elif flag == GNU_LONG_NAME and name is not None:
            yield _masked(block, {"size"})
            yield payload.removeprefix(name)
        elif flag in (GNU_LONG_LINK, GNU_LONG_NAME):
            yield block, payload
        else:
            yield _short_unnamed(_masked(block, names), name)
            yield b"" if "size" in names else payload


def _long_name(flag: int, payload: bytes) -> bytes | None:
    if flag == GNU_LONG_NAME:
        return payload.partition(b"\0")[0]
    if flag in (PAX_HEADER, PAX_HEADER_SOLARIS):
        return dict(parse_pax_records(payload)).get(b"path")
    return None


def _short_unnamed(block: bytes, name: bytes | None) -> bytes:
    """Leave out a block's own name where it follows from the long one, as Go, Python and GNU tar write it."""
    if name is None:
        return block
    folder, _, last = name.rpartition(b"/")
    plain = (name, folder + b"/PaxHeaders.0/" + last, b"PaxHeaders.0/" + last)
    short = block[:100].rstrip(b"\0/")
    return bytes(100) + block[100:] if short in {one[:100].rstrip(b"/") for one in plain} else block


def _digest_parts(*parts: bytes) -> Digest:
    return digest_bytes(b"".join(len(part).to_bytes(8, "big") + part for part in parts))


def text_of(data: bytes) -> str:
    """Give bytes as text for a report; what is not UTF-8 is escaped."""
    return data.decode("utf-8", "backslashreplace")


def _reported(name: str, value: object) -> FieldValue:
    if name == "mode":
        return f"{value:04o}"
    if isinstance(value, bytes):
        return text_of(value)
    if isinstance(value, tuple):
        return ":".join(map(str, value))
    return value if isinstance(value, str | int) else None


def _differing_xattrs(first: dict[bytes, bytes], second: dict[bytes, bytes]) -> list[FieldDifference]:
    return [
        FieldDifference("xattr:" + text_of(name), _base64(first.get(name)), _base64(second.get(name)))
        for name in sorted(first.keys() | second.keys())
        if first.get(name) != second.get(name)
    ]


def _base64(value: bytes | None) -> str | None:
    return None if value is None else base64.b64encode(value).decode()


def _masked(block: bytes, names: set[str]) -> bytes:
    kept = bytearray(block)
    for name in names & _PLACES.keys():
        start, end = _PLACES[name]
        kept[start:end] = _written(block[start:end]) if name in _NUMBERS else bytes(end - start)
    kept[_CHECKSUM[0] : _CHECKSUM[1]] = _written(block[_CHECKSUM[0] : _CHECKSUM[1]])
    if "size" in names and block[156] == 0x53:
        kept[386:495] = bytes(495 - 386)  # the sparse map and the real size
    return bytes(kept)


def _written(field: bytes) -> bytes:
    """Give how a number is written, without its value: something may hide behind its digits."""
    if field[0] & 0x80:
        return b"\x80".ljust(len(field), b"\0")
    return _DIGIT.sub(b"0", field)


def _residue(raw: bytes, names: set[str]) -> tuple[list[object], list[bytes]]:
    """Reduce header blocks to what `names` do not explain, and to the blocks whose records they explain wholly.

    Two residues are compared and nothing else.
    """
    kept: list[object] = []
    explained: list[bytes] = []
    for flag, block, payload, padding in split_headers(raw):
        if padding.strip(b"\0"):
            kept.append(padding)
        if flag in (PAX_HEADER, PAX_HEADER_SOLARIS):
            records = parse_pax_records(payload)
            unexplained = [(key, value) for key, value in records if not _is_explained(key, names)]
            if len(unexplained) == len(records):
                kept += (block, records)
            elif unexplained:
                # its own size and checksum follow from the records
                kept += (_masked(block, {"size"}), unexplained)
            else:
                explained.append(_masked(block, {"size"}))
        elif flag == GNU_LONG_LINK and "linkname" in names:
            explained.append(_masked(block, {"size"}))
        elif flag in (GNU_LONG_LINK, GNU_LONG_NAME):
            kept += (block, payload)
        else:
            kept += (_masked(block, names), b"" if "size" in names else payload)
    return kept, explained


def _is_explained(key: bytes, names: set[str]) -> bool:
    if key.startswith(b"SCHILY.xattr."):
        return "xattr:" + text_of(key.removeprefix(b"SCHILY.xattr.")) in names
    if key.startswith(b"GNU.sparse."):
        return "size" in names
    name = "linkname" if key == b"linkpath" else text_of(key)
    return name in names


def _stretches(first: bytes, second: bytes) -> FieldDifference:
    """Describe where header blocks differ, `offset:hexadecimal` of each side, bounded."""
    common = min(len(first), len(second))
    spans: list[tuple[int, int]] = []
    for offset in range(common):
        if first[offset] == second[offset]:
            continue
        if spans and offset - spans[-1][1] < 4:
            spans[-1] = (spans[-1][0], offset + 1)
        elif len(spans) < MAX_HEADER_STRETCHES:
            spans.append((offset, offset + 1))
        else:
            break
    if len(first) != len(second) and len(spans) < MAX_HEADER_STRETCHES:
        spans.append((common, max(len(first), len(second))))
    return FieldDifference("header", _described(first, spans), _described(second, spans))


def _described(raw: bytes, spans: list[tuple[int, int]]) -> str:
    return " ".join(f"{start}:{raw[start : min(end, start + MAX_HEADER_BYTES)].hex()}" for start, end in spans)
