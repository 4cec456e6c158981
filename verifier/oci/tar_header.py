"""Parse the header blocks of one tar entry: v7, ustar, GNU and pax (POSIX.1-2008, "pax Interchange Format").

Where implementations differ, this follows the container runtimes (Go's archive/tar): GNU headers have no prefix field,
global pax records are not applied to what follows, links and folders have no data whatever their size says.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from functools import lru_cache
from typing import Final

from verifier.errors import MalformedImageError
from verifier.oci.limits import MAX_ENTRY_NAME_BYTES
from verifier.oci.tar_entry import BLOCK, BLOCK_DEVICE, CHARACTER_DEVICE, TarEntry, has_data, normalise_path, type_of
from verifier.oci.tar_sparse import gnu_sparse_map, pax_sparse_map

MAX_NUMBER: Final = 2**63 - 1

GNU_LONG_NAME: Final = 0x4C
GNU_LONG_LINK: Final = 0x4B
GNU_SPARSE: Final = 0x53
PAX_HEADER: Final = 0x78
PAX_HEADER_SOLARIS: Final = 0x58
PAX_GLOBAL: Final = 0x67
EXTENSIONS: Final = frozenset({GNU_LONG_NAME, GNU_LONG_LINK, PAX_HEADER, PAX_HEADER_SOLARIS, PAX_GLOBAL})
"""Type flags of headers that only add to the entry after them."""

_DECIMAL_TIME: Final = re.compile(rb"(-?)([0-9]{1,20})(?:\.([0-9]{0,100}))?")
_XATTR_PREFIX: Final = b"SCHILY.xattr."
_SPARSE_PREFIX: Final = b"GNU.sparse."


def parse_number(field: bytes) -> int:
    """Parse a numeric field: octal digits, or base-256 when its first bit is set. Raises MalformedImageError."""
    if field[0] & 0x80:
        value = int.from_bytes(field, "big")
        bits = 8 * len(field)
        value = value - (1 << bits) if field[0] & 0x40 else value - (1 << (bits - 1))
        if not -MAX_NUMBER <= value <= MAX_NUMBER:
            raise MalformedImageError(f"the tar number {field.hex()} does not fit 64 bits")
        return value
    digits = field.strip(b" \0").partition(b"\0")[0]
    if not digits:
        return 0
    try:
        if digits.isdigit():
            return int(digits, 8)
    except ValueError:
        pass
    raise MalformedImageError(f"the tar number {digits!r} is not octal")


def check_block(block: bytes) -> None:
    """Check a header block's own checksum, unsigned or (as old programs did) signed. Raises MalformedImageError."""
    try:
        claimed = parse_number(block[148:156])
    except MalformedImageError:
        claimed = -1
    # Adler-32's low half is 1 + the sum of the bytes, modulo 65,521: exact for 256 bytes, and far faster than sum()
    total = (zlib.adler32(block[:256]) & 0xFFFF) + (zlib.adler32(block[256:]) & 0xFFFF) - 2
    field = block[148:156]
    if total - sum(field) + 8 * 0x20 == claimed:
        return
    rest = block[:148] + block[156:]
    if total - sum(field) + 8 * 0x20 - 256 * sum(byte > 0x7F for byte in rest) != claimed:
        raise MalformedImageError("a tar header has a wrong checksum")


def split_headers(raw: bytes) -> Iterator[tuple[int, bytes, bytes, bytes]]:
    """Yield type flag, header block, payload and padding of each header block in an entry's `raw` headers.

    The entry's own block comes last; its payload is whatever follows it (extended sparse headers, a sparse map).
    """
    position = 0
    while True:
        block = raw[position : position + BLOCK]
        position += BLOCK
        if block[156] not in EXTENSIONS:
            yield block[156], block, raw[position:], b""
            return
        size = parse_number(block[124:136])
        end = position + size + -size % BLOCK
        yield block[156], block, raw[position : position + size], raw[position + size : end]
        position = end


def parse_header(raw: bytes) -> TarEntry:
    """Parse one entry out of its header blocks, as `TarReader.next_header` gives them.

    Raises MalformedImageError, without the entry's place: the reader adds it.
    """
    if len(raw) == BLOCK and raw[156] != GNU_SPARSE:
        check_block(raw)
        return _entry_from(raw, raw[156], {}, None, None)
    records: dict[bytes, bytes] = {}
    offsets: list[tuple[bytes, bytes]] = []
    long_name: bytes | None = None
    long_link: bytes | None = None
    for flag, block, payload, _ in split_headers(raw):
        check_block(block)
        if flag == GNU_LONG_NAME:
            long_name = payload.partition(b"\0")[0]
        elif flag == GNU_LONG_LINK:
            long_link = payload.partition(b"\0")[0]
        elif flag in (PAX_HEADER, PAX_HEADER_SOLARIS):
            records, offsets = _pax_header(payload)
        elif flag != PAX_GLOBAL:
            entry = _entry_from(block, flag, records, long_name, long_link)
            return _with_sparse_map(entry, flag, block, records, offsets, payload)
    raise AssertionError("split_headers ends with the entry's own block")


def parse_pax_records(payload: bytes) -> list[tuple[bytes, bytes]]:
    """Parse pax records, `length key=value newline`, in their order. Raises MalformedImageError."""
    records: list[tuple[bytes, bytes]] = []
    position = 0
    while position < len(payload):
        space = payload.find(b" ", position, position + 20)
        digits = payload[position:space] if space > 0 else b""
        if not digits.isdigit():
            raise MalformedImageError("a pax record has no length")
        end = position + int(digits)
        key, equals, value = payload[space + 1 : end - 1].partition(b"=")
        if end > len(payload) or end <= space + 1 or payload[end - 1 : end] != b"\n" or not equals or not key:
            raise MalformedImageError("a pax record does not end where its length says, or has no key")
        if b"\0" in key or (key in (b"path", b"linkpath", b"uname", b"gname") and b"\0" in value):
            raise MalformedImageError(f"the pax record {key[:40]!r} holds a NUL")
        records.append((key, value))
        position = end
    return records


def _pax_header(payload: bytes) -> tuple[dict[bytes, bytes], list[tuple[bytes, bytes]]]:
    pairs = parse_pax_records(payload)
    return dict(pairs), [pair for pair in pairs if pair[0] in (b"GNU.sparse.offset", b"GNU.sparse.numbytes")]


def _entry_from(
    block: bytes,
    flag: int,
    records: dict[bytes, bytes],
    long_name: bytes | None,
    long_link: bytes | None,
) -> TarEntry:
    name = block[:100].partition(b"\0")[0]
    linkname = block[157:257].partition(b"\0")[0]
    mode, uid, gid = _permissions(block[100:124])
    prefix, uname, gname = _ustar_fields(block[257:])
    if prefix:
        name = prefix + b"/" + name
    size, mtime = parse_number(block[124:136]), _time(block[136:148])
    kind = type_of(flag)
    device = None
    if kind in (CHARACTER_DEVICE, BLOCK_DEVICE):
        is_v7 = not block.startswith(b"ustar", 257)
        device = (0, 0) if is_v7 else (parse_number(block[329:337]), parse_number(block[337:345]))
    xattrs: tuple[tuple[bytes, bytes], ...] = ()
    if records:
        name = records.get(b"GNU.sparse.name") or records.get(b"path") or name
        linkname = records.get(b"linkpath") or linkname
        uname = records.get(b"uname") or uname
        gname = records.get(b"gname") or gname
        uid, gid = _record_number(records, b"uid", uid), _record_number(records, b"gid", gid)
        size = _record_number(records, b"size", size)
        mtime = _record_time(records, mtime)
        start = len(_XATTR_PREFIX)
        xattrs = tuple(sorted((key[start:], value) for key, value in records.items() if key.startswith(_XATTR_PREFIX)))
    name = name if long_name is None else long_name
    linkname = linkname if long_link is None else long_link
    if flag == 0 and name.endswith(b"/"):
        kind = "directory"
    if len(name) > MAX_ENTRY_NAME_BYTES or len(linkname) > MAX_ENTRY_NAME_BYTES:
        raise MalformedImageError(f"a tar entry's name is longer than {MAX_ENTRY_NAME_BYTES} bytes")
    if size < 0 or uid < 0 or gid < 0:
        raise MalformedImageError(f"the tar entry {name[:200]!r} has a negative size or owner")
    return TarEntry(
        normalise_path(name),
        kind,
        mode,
        uid,
        gid,
        uname,
        gname,
        mtime,
        size,
        linkname,
        device,
        xattrs,
        size if has_data(kind) else 0,
        None,
    )


@lru_cache(maxsize=256)
def _permissions(fields: bytes) -> tuple[int, int, int]:
    """Parse mode, uid and gid; an archive has few of them, over and over."""
    return parse_number(fields[:8]) & 0o7777, parse_number(fields[8:16]), parse_number(fields[16:24])


@lru_cache(maxsize=4096)
def _time(field: bytes) -> str:
    """Parse an mtime; entries of one time share one text."""
    return str(parse_number(field))


@lru_cache(maxsize=256)
def _ustar_fields(rest: bytes) -> tuple[bytes, bytes, bytes]:
    """Parse prefix, uname and gname out of a block from its magic on; v7 has none of them, GNU no prefix."""
    if not rest.startswith(b"ustar"):
        return b"", b"", b""
    prefix = b""
    if rest.startswith(b"ustar\x0000"):
        # star's own variant ends the prefix earlier, where it keeps access times
        prefix = rest[88 : 219 if rest.endswith(b"tar\0") else 243].partition(b"\0")[0]
    return prefix, rest[8:40].partition(b"\0")[0], rest[40:72].partition(b"\0")[0]


def _with_sparse_map(
    entry: TarEntry,
    flag: int,
    block: bytes,
    records: dict[bytes, bytes],
    offsets: list[tuple[bytes, bytes]],
    payload: bytes,
) -> TarEntry:
    if flag == GNU_SPARSE:
        size, sparse = parse_number(block[483:495]), gnu_sparse_map(block, payload, parse_number)
        stored = entry.stored
    elif any(key.startswith(_SPARSE_PREFIX) for key in records) and has_data(entry.type):
        found = pax_sparse_map(records, offsets, payload)
        if found is None:
            return entry
        size, sparse = found
        stored = entry.stored - (len(payload) if records.get(b"GNU.sparse.major") == b"1" else 0)
    else:
        return entry
    if sum(length for _, length in sparse) != stored:
        raise MalformedImageError(f"the sparse map of {entry.path[:200]!r} does not cover its {stored} stored bytes")
    end = 0
    for offset, length in sparse:
        if offset < end or offset + length > size:
            raise MalformedImageError(f"the sparse map of {entry.path[:200]!r} overlaps itself or the file's end")
        end = offset + length
    return entry._replace(size=size, stored=stored, sparse=sparse)


def _record_number(records: dict[bytes, bytes], key: bytes, fallback: int) -> int:
    value = records.get(key)
    if not value:
        return fallback
    if not value.isdigit() or len(value) > 20 or int(value) > MAX_NUMBER:
        raise MalformedImageError(f"the pax record {key.decode()} is {value[:40]!r}, which is no number of 63 bits")
    return int(value)


def _record_time(records: dict[bytes, bytes], fallback: str) -> str:
    value = records.get(b"mtime")
    if not value:
        return fallback
    match = _DECIMAL_TIME.fullmatch(value)
    if match is None:
        raise MalformedImageError(f"the pax record mtime is {value[:40]!r}, which is no decimal number")
    sign, whole, fraction = match[1].decode(), match[2].lstrip(b"0").decode() or "0", (match[3] or b"").rstrip(b"0")
    return f"{sign}{whole}.{fraction.decode()}" if fraction else ("0" if whole == "0" else f"{sign}{whole}")
