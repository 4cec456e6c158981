"""Tar archives that want to do harm: each is refused in words, quickly, and in bounded memory."""

from __future__ import annotations

import contextlib
import io
import tarfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.oci.test_tar import pieces, read_all
from verifier.errors import MalformedImageError
from verifier.oci.limits import MAX_EXPANSION_FLOOR
from verifier.oci.tar import TarReader


def block(
    name: bytes = b"x",
    *,
    flag: bytes = b"0",
    size: bytes = b"00000000000\0",
    magic: bytes = b"ustar\x0000",
    **at: bytes,
) -> bytes:
    made = bytearray(512)
    made[: len(name)] = name
    made[100:108], made[108:116], made[116:124] = b"0000644\0", b"0000000\0", b"0000000\0"
    made[124 : 124 + len(size)], made[136:148] = size, b"00000000000\0"
    made[156:157], made[257:265] = flag, magic
    for place, value in at.items():
        offset = int(place.removeprefix("at"))
        made[offset : offset + len(value)] = value
    return checksummed(made)


def checksummed(made: bytearray) -> bytes:
    made[148:156] = b" " * 8
    made[148:156] = b"%06o\0 " % sum(made)
    return bytes(made)


END = bytes(1024)


def test_wrong_checksum_is_refused() -> None:
    made = bytearray(block())
    made[0] ^= 1
    with pytest.raises(MalformedImageError, match="entry 1: a tar header has a wrong checksum"):
        read_all(bytes(made) + END)


def test_signed_checksum_of_old_programs_is_accepted() -> None:
    made = bytearray(block("é".encode("latin-1")))
    made[148:156] = b" " * 8
    made[148:156] = b"%06o\0 " % sum(byte - 256 if byte > 127 else byte for byte in made)
    ((entry, _),) = read_all(bytes(made) + END)
    assert entry.path == b"/\xe9"


@pytest.mark.parametrize(
    ("size", "message"),
    [
        (b"\xff" * 12, "negative size"),
        (b"\x80" + b"\x7f" * 11, "does not fit 64 bits"),
        (b"0000000008\0", "is not octal"),
        (b"-0000000001\0", "is not octal"),
        (b"0x00000001\0", "is not octal"),
        (b"1_000\0", "is not octal"),
    ],
)
def test_sizes_that_are_none(size: bytes, message: str) -> None:
    with pytest.raises(MalformedImageError, match=message):
        read_all(block(size=size) + END)


def test_size_beyond_the_end_is_truncation() -> None:
    with pytest.raises(MalformedImageError, match="ends in the middle of entry 1"):
        read_all(block(size=b"77777777777\0") + bytes(512))


@pytest.mark.parametrize("flag", [b"x", b"g", b"L", b"K", b"X"])
def test_header_that_claims_a_gigabyte_is_refused_before_it_is_read(flag: bytes) -> None:
    with pytest.raises(MalformedImageError, match=r"headers of 1073741824 bytes, over 4194304"):
        read_all(block(flag=flag, size=b"%011o\0" % 2**30) + bytes(2048))


def test_endless_extension_headers_are_refused() -> None:
    endless = block(flag=b"x", size=b"%011o\0" % 0)
    with pytest.raises(MalformedImageError, match="over 4194304"):
        read_all(endless * 10_000)


@pytest.mark.parametrize(
    "records",
    [
        b"no length\n",
        b"9999 path=x\n",
        b"5 a=b",
        b"12 =nothing\n",
        b"14 path=a\0bcd\n",
        b"13 size=-1000\n",
        b"8 uid=x\n",
        b"15 mtime=12:00\n",
        b"24 size=99999999999999999\n99",
        b"0 \n",
    ],
)
def test_broken_pax_records_are_refused(records: bytes) -> None:
    padded = records + bytes(-len(records) % 512)
    with pytest.raises(MalformedImageError, match="pax record"):
        read_all(block(flag=b"x", size=b"%011o\0" % len(records)) + padded + block() + END)


def test_block_of_zeros_between_entries_is_refused_as_runtimes_do() -> None:
    with pytest.raises(MalformedImageError, match="block of zeros between its entries"):
        read_all(block() + bytes(512) + block() + END)


def test_truncated_header() -> None:
    with pytest.raises(MalformedImageError, match="ends in the middle of entry"):
        read_all(block()[:300])


def test_archive_without_its_end_is_read() -> None:
    assert len(read_all(block())) == 1
    assert read_all(b"") == []


def test_name_over_the_limit() -> None:
    name = b"n" * 70_000
    head = block(flag=b"L", size=b"%011o\0" % len(name))
    with pytest.raises(MalformedImageError, match="longer than 65536 bytes"):
        read_all(head + name + bytes(-len(name) % 512) + block() + END)


def test_holes_that_cost_nothing_are_bounded() -> None:
    size = b"%011o\0" % (MAX_EXPANSION_FLOOR + 1)
    sparse = block(flag=b"S", magic=b"ustar  \0", at483=size)
    with pytest.raises(MalformedImageError, match="holes of sparse files expand beyond"):
        read_all(sparse + END)


@pytest.mark.parametrize(
    ("stretches", "message"),
    [
        ([(0, 512), (100, 512)], "does not cover|overlaps"),
        ([(600, 512)], "overlaps itself or the file's end"),
    ],
)
def test_sparse_maps_that_lie(stretches: list[tuple[int, int]], message: str) -> None:
    numbers = b"".join(b"%011o\0%011o\0" % pair for pair in stretches)
    made = block(flag=b"S", magic=b"ustar  \0", size=b"%011o\0" % 512, at386=numbers, at483=b"%011o\0" % 1000)
    with pytest.raises(MalformedImageError, match=message):
        read_all(made + bytes(512) + END)


def test_sparse_map_of_a_million_lines_is_refused() -> None:
    records = b"22 GNU.sparse.major=1\n22 GNU.sparse.minor=0\n27 GNU.sparse.realsize=999\n"
    head = block(flag=b"x", size=b"%011o\0" % len(records)) + records + bytes(-len(records) % 512)
    body = b"9000000\n" + b"0\n" * 3_000_000
    main = block(size=b"%011o\0" % len(body))
    with pytest.raises(MalformedImageError, match="sparse map is larger"):
        read_all(head + main + body)


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 1535), st.integers(0, 255))
def test_any_changed_byte_is_read_or_refused_and_nothing_else(place: int, value: int) -> None:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as archive:
        info = tarfile.TarInfo("é" * 60)
        archive.addfile(info)
    data = bytearray(out.getvalue())
    data[place] = value
    with contextlib.suppress(MalformedImageError):
        read_all(bytes(data))


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=2048))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    reader = TarReader(pieces(data), "archive")
    try:
        while (raw := reader.next_header()) is not None:
            reader.begin(reader.parse(raw))
            reader.end()
        reader.trailer()
    except MalformedImageError:
        pass
