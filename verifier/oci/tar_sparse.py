"""Sparse files in tar: GNU's old header, the pax formats 0.0, 0.1 and 1.0 (GNU tar manual, "Storing Sparse Files")."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from verifier.errors import MalformedImageError
from verifier.oci.tar_entry import BLOCK

SparseMap = tuple[tuple[int, int], ...]
"""Offset and length of each stored stretch, in bytes."""


def gnu_sparse_map(block: bytes, extended: bytes, number: Callable[[bytes], int]) -> SparseMap:
    """Read the map of an old GNU sparse header: four stretches in it, 21 in each block that follows."""
    fields = [block[386:482]]
    fields += [extended[start : start + 504] for start in range(0, len(extended), BLOCK)]
    found: list[tuple[int, int]] = []
    for field in fields:
        for start in range(0, len(field), 24):
            if field[start] == 0:
                break
            found.append((number(field[start : start + 12]), number(field[start + 12 : start + 24])))
    return _checked(found)


def pax_sparse_map(
    records: dict[bytes, bytes], offsets: Sequence[tuple[bytes, bytes]], payload: bytes
) -> tuple[int, SparseMap] | None:
    """Read real size and map out of pax records; None when they do not describe a sparse file.

    `offsets` are the records of format 0.0 in their order; `payload` begins with the map in format 1.0.
    """
    size = records.get(b"GNU.sparse.realsize") or records.get(b"GNU.sparse.size")
    if size is None:
        return None
    if records.get(b"GNU.sparse.major") == b"1" and records.get(b"GNU.sparse.minor") == b"0":
        numbers = _numbers_of_lines(payload)
        count = next(numbers, 0)
        flat = [next(numbers, -1) for _ in range(2 * count)]
    elif b"GNU.sparse.map" in records:
        text = records[b"GNU.sparse.map"]
        flat = [_decimal(part) for part in text.split(b",")] if text else []
    elif offsets:
        flat = _flat_offsets(offsets)
    else:
        return None
    if len(flat) % 2:
        raise MalformedImageError("a sparse map has an offset without a length")
    return _decimal(size), _checked(list(zip(flat[::2], flat[1::2], strict=True)))


def read_map(read_block: Callable[[], bytes], limit: int) -> bytes:
    """Read the blocks of a 1.0 map off an entry's data, at most `limit` bytes. Raises MalformedImageError."""
    raw = bytearray()
    lines = 0
    wanted: int | None = None
    while wanted is None or lines < wanted:
        if len(raw) >= limit:
            raise MalformedImageError(f"a sparse map is larger than {limit} bytes")
        block = read_block()
        raw += block
        lines += block.count(b"\n")
        if wanted is None and lines:
            wanted = 1 + 2 * _decimal(bytes(raw.partition(b"\n")[0]))
    return bytes(raw)


def _flat_offsets(offsets: Sequence[tuple[bytes, bytes]]) -> list[int]:
    for position, (key, _) in enumerate(offsets):
        if key != (b"GNU.sparse.numbytes" if position % 2 else b"GNU.sparse.offset"):
            raise MalformedImageError("the sparse records of a pax header are out of order")
    return [_decimal(value) for _, value in offsets]


def _numbers_of_lines(payload: bytes) -> Iterator[int]:
    for line in payload.split(b"\n"):
        if not line.isdigit():
            return
        yield _decimal(line)


def _decimal(text: bytes) -> int:
    if not text.isdigit() or len(text) > 19:
        raise MalformedImageError(f"{text[:40]!r} in a sparse map is no number")
    return int(text)


def _checked(pairs: list[tuple[int, int]]) -> SparseMap:
    if any(offset < 0 or length < 0 for offset, length in pairs):
        raise MalformedImageError("a sparse map has a negative number")
    return tuple(pairs)
