"""Our tar reader against tarfile's, on generated archives of every format."""

from __future__ import annotations

import io
import subprocess
import tarfile
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from verifier.oci.tar import TarReader
from verifier.oci.tar_entry import TarEntry, has_data, normalise_path

FORMATS = {"ustar": tarfile.USTAR_FORMAT, "gnu": tarfile.GNU_FORMAT, "pax": tarfile.PAX_FORMAT}
TYPES = {
    tarfile.REGTYPE: "file",
    tarfile.DIRTYPE: "directory",
    tarfile.SYMTYPE: "symlink",
    tarfile.LNKTYPE: "hardlink",
    tarfile.CHRTYPE: "character-device",
    tarfile.BLKTYPE: "block-device",
    tarfile.FIFOTYPE: "fifo",
}


def pieces(data: bytes, size: int = 1024 * 1024) -> Iterator[bytes]:
    for start in range(0, len(data), size):
        yield data[start : start + size]


def read_all(data: bytes, size: int = 1024 * 1024) -> list[tuple[TarEntry, bytes]]:
    reader = TarReader(pieces(data, size), "archive")
    found = []
    while (raw := reader.next_header()) is not None:
        entry = reader.parse(raw)
        reader.begin(entry)
        content = b""
        while available := reader.available():
            content += reader.read(available)
        reader.end()
        found.append((entry, content))
    reader.trailer()
    return found


names = st.one_of(
    st.text("abc./é \udcff", min_size=1, max_size=30),
    st.text("ab", min_size=80, max_size=300).map(
        lambda text: "/".join(text[at : at + 50] for at in range(0, len(text), 50))
    ),
).filter(lambda name: name.strip("/.") != "" and "\0" not in name)


@st.composite
def members(draw: st.DrawFn) -> tuple[tarfile.TarInfo, bytes]:
    info = tarfile.TarInfo(draw(names))
    info.type = draw(st.sampled_from(sorted(TYPES)))
    info.mode = draw(st.integers(0, 0o7777))
    info.uid, info.gid = draw(st.integers(0, 2**40)), draw(st.integers(0, 70_000))
    info.uname, info.gname = draw(st.sampled_from(["", "root", "é", "x" * 40])), draw(st.sampled_from(["", "staff"]))
    info.mtime = draw(st.one_of(st.integers(0, 2**34), st.integers(0, 2**33).map(lambda eighths: eighths / 8)))
    if info.type in (tarfile.SYMTYPE, tarfile.LNKTYPE):
        info.linkname = draw(names)
    if info.type in (tarfile.CHRTYPE, tarfile.BLKTYPE):
        info.devmajor, info.devminor = draw(st.integers(0, 255)), draw(st.integers(0, 255))
    content = draw(st.binary(max_size=1500)) if info.type == tarfile.REGTYPE else b""
    info.size = len(content)
    if draw(st.booleans()):
        info.pax_headers = {"SCHILY.xattr.user.x": draw(st.text("abc=\n é", max_size=20))}
    return info, content


@settings(max_examples=250, deadline=None)
@given(st.sampled_from(sorted(FORMATS)), st.lists(members(), max_size=6), st.integers(1, 1500))
def test_reader_agrees_with_tarfile(form: str, made: list[tuple[tarfile.TarInfo, bytes]], size: int) -> None:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=FORMATS[form], errors="surrogateescape") as archive:
        for info, content in made:
            try:
                archive.addfile(info, io.BytesIO(content))
            except ValueError:  # a number or a name that this format has no room for
                continue
    data = out.getvalue()
    with tarfile.open(fileobj=io.BytesIO(data), errors="surrogateescape") as archive:
        expected = [(info, info.isreg() and archive.extractfile(info).read()) for info in archive]  # type: ignore[union-attr]
    found = read_all(data, size)
    assert len(found) == len(expected)
    for (entry, content), (info, wanted) in zip(found, expected, strict=True):
        assert entry.type == TYPES[info.type]
        assert entry.path == normalise_path(info.name.encode("utf-8", "surrogateescape"))
        assert (entry.mode, entry.uid, entry.gid, entry.size) == (info.mode, info.uid, info.gid, info.size)
        assert (entry.uname.decode(), entry.gname.decode()) == (info.uname, info.gname)
        assert entry.linkname == info.linkname.encode("utf-8", "surrogateescape")
        assert float(entry.mtime) == float(info.mtime)
        if entry.device is not None:
            assert entry.device == (info.devmajor, info.devminor)
        xattrs = {key: value for key, value in info.pax_headers.items() if key.startswith("SCHILY.xattr.")}
        assert {f"SCHILY.xattr.{key.decode()}": value.decode() for key, value in entry.xattrs} == xattrs
        if has_data(entry.type):
            assert content == wanted


def test_fractional_mtime_is_exact() -> None:
    info = tarfile.TarInfo("x")
    info.pax_headers = {"mtime": "1700000000.123456789000"}
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as archive:
        archive.addfile(info)
    ((entry, _),) = read_all(out.getvalue())
    assert entry.mtime == "1700000000.123456789"
    assert Decimal(entry.mtime) == Decimal("1700000000.123456789")


@pytest.mark.parametrize(
    ("name", "path"),
    [
        (b"etc/passwd", b"/etc/passwd"),
        (b"./etc/", b"/etc"),
        (b"./", b"/"),
        (b"/abs//twice/", b"/abs/twice"),
        (b"../../etc/shadow", b"/etc/shadow"),
        (b"a/../../b/./c", b"/b/c"),
        (b"a/.hidden", b"/a/.hidden"),
        (b"a/..b", b"/a/..b"),
        (b"", b"/"),
    ],
)
def test_names_are_resolved_inside_the_root(name: bytes, path: bytes) -> None:
    assert normalise_path(name) == path


@pytest.mark.parametrize(
    "options",
    [
        ["--format=gnu"],
        ["--format=pax", "--sparse-version=1.0"],
        ["--format=pax", "--sparse-version=0.1"],
        ["--format=pax", "--sparse-version=0.0"],
    ],
)
def test_sparse_files_of_gnu_tar_are_expanded(tmp_path: Path, options: list[str]) -> None:
    source = tmp_path / "sparse"
    with source.open("wb") as handle:
        for number in range(40):
            handle.seek(number * 200_000)
            handle.write(b"island %d" % number * 50)
        handle.truncate(9_000_000)
    (tmp_path / "after").write_bytes(b"what follows")
    archive = tmp_path / "archive.tar"
    subprocess.run(["tar", "-C", tmp_path, *options, "--sparse", "-cf", archive, "sparse", "after"], check=True)
    data = archive.read_bytes()
    assert len(data) < 1_000_000
    for size in (700, 1024 * 1024):
        (sparse, content), (after, rest) = read_all(data, size)
        assert (sparse.path, sparse.size) == (b"/sparse", 9_000_000)
        assert content == source.read_bytes()
        assert (after.path, rest) == (b"/after", b"what follows")


def test_header_keeps_every_block_and_padding_and_trailer_are_facts() -> None:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.GNU_FORMAT) as archive:
        info = tarfile.TarInfo("n" * 150)
        info.size = 5
        archive.addfile(info, io.BytesIO(b"hello"))
    data = bytearray(out.getvalue())
    data[512 * 3 + 5 : 512 * 3 + 8] = b"pad"
    reader = TarReader(pieces(bytes(data)), "archive")
    raw = reader.next_header()
    assert raw == bytes(data[: 512 * 3])
    reader.begin(reader.parse(raw))
    assert reader.whole() == b"hello"
    assert reader.end() == b"pad" + bytes(504)
    assert reader.next_header() is None
    assert reader.trailer().size == len(data) - 512 * 4


def test_global_pax_records_stay_in_the_header_and_are_not_applied() -> None:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT, pax_headers={"uname": "everybody"}) as archive:
        archive.addfile(tarfile.TarInfo("x"))
    reader = TarReader(pieces(out.getvalue()), "archive")
    raw = reader.next_header()
    assert raw is not None
    assert b"uname=everybody" in raw
    assert reader.parse(raw).uname == b""
