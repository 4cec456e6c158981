"""Archives: what real tars look like, and what hostile ones do."""

from __future__ import annotations

import gzip
import io
import os
import random
import subprocess
import tarfile
from pathlib import Path

import pytest

from tests.stores.store_images import Layout, digest_of, load, open_files, tar_of
from verifier.errors import MalformedImageError, NoVerdictError, ResourceError, StoreError
from verifier.oci.blob import stream_layer
from verifier.oci.reference import parse_image_name
from verifier.stores import members, open_store, workspace
from verifier.stores.members import scan_members


@pytest.fixture
def layout() -> Layout:
    made = Layout()
    made.enter(made.image())
    return made


def scanned(path: Path, data: bytes) -> members.Members:
    path.write_bytes(data)
    descriptor = os.open(path, os.O_RDONLY)
    try:
        return scan_members(descriptor)
    finally:
        os.close(descriptor)


def member(name: str, kind: bytes = tarfile.REGTYPE, target: str = "", size: int = 0) -> tarfile.TarInfo:
    made = tarfile.TarInfo(name)
    made.type, made.linkname, made.size = kind, target, size
    return made


def raw_tar(*entries: tuple[tarfile.TarInfo, bytes], form: int = tarfile.PAX_FORMAT) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=form) as archive:
        for header, content in entries:
            archive.addfile(header, io.BytesIO(content))
    return stream.getvalue()


@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.PAX_FORMAT, tarfile.GNU_FORMAT])
@pytest.mark.parametrize("prefix", ["", "./"])
def test_every_header_format(layout: Layout, tmp_path: Path, form: int, prefix: str) -> None:
    path = tmp_path / "a.tar"
    path.write_bytes(tar_of({prefix + name: data for name, data in layout.files().items()}, format=form))
    assert len(load(f"oci-archive:{path}", tmp_path).images) == 1


@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.PAX_FORMAT, tarfile.GNU_FORMAT])
def test_members_agree_with_tarfile(tmp_path: Path, form: int) -> None:
    names = ["a", "d/" + "b" * 90, "x" * 60 + "/" + "y" * 90, "ü/ö"]
    if form != tarfile.USTAR_FORMAT:
        names += ["n/" * 300 + "z"]
    data = tar_of({name: name.encode() * 7 for name in names}, format=form)
    found = scanned(tmp_path / "a.tar", data)
    with tarfile.open(fileobj=io.BytesIO(data)) as oracle:
        for expected in oracle:
            entry = found.find(expected.name)
            assert entry is not None
            assert (entry.offset, entry.size) == (expected.offset_data, expected.size)


def test_members_agree_with_tar(layout: Layout, tmp_path: Path) -> None:
    path = layout.write_folder(tmp_path / "layout")
    subprocess.run(["tar", "-C", path, "-cf", tmp_path / "a.tar", "."], check=True)
    listed = subprocess.run(["tar", "-tf", tmp_path / "a.tar"], check=True, capture_output=True, text=True)
    found = scanned(tmp_path / "b.tar", (tmp_path / "a.tar").read_bytes())
    assert len(found) == len(listed.stdout.split())
    assert all(name in found for name in listed.stdout.split())
    assert len(load(f"oci-archive:{tmp_path / 'a.tar'}", tmp_path).images) == 1


@pytest.mark.parametrize("command", [["gzip", "-n"], ["zstd", "-q"]])
def test_compressed_archives(layout: Layout, tmp_path: Path, command: list[str]) -> None:
    path = layout.write_archive(tmp_path / "a.tar")
    packed = tmp_path / "packed"
    with path.open("rb") as source, packed.open("wb") as target:
        subprocess.run(command, stdin=source, stdout=target, check=True)
    inside = tmp_path / "work"
    inside.mkdir()
    store = open_store(parse_image_name(f"oci-archive:{packed}"), inside)
    (image,) = store.load(None).images
    assert b"".join(stream_layer(image.blobs, image.layers[0])) == tar_of({"file": b"hello"})
    assert len(list(inside.iterdir())) == 1
    store.close()
    store.close()
    assert list(inside.iterdir()) == []


def test_truncated_and_corrupt_compression(layout: Layout, tmp_path: Path) -> None:
    packed = gzip.compress(layout.write_archive(tmp_path / "a.tar").read_bytes())
    inside = tmp_path / "work"
    inside.mkdir()
    for data in (packed[:-20], packed[:30] + bytes(20) + packed[50:], packed + b"rubbish"):
        (tmp_path / "packed").write_bytes(data)
        with pytest.raises(MalformedImageError):
            load(f"oci-archive:{tmp_path / 'packed'}", inside)
        assert list(inside.iterdir()) == []


def test_archive_that_expands_a_thousandfold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("verifier.stores.spool.MAX_EXPANSION", 100)
    monkeypatch.setattr("verifier.stores.spool.MAX_EXPANSION_FLOOR", 1 << 20)
    (tmp_path / "bomb").write_bytes(gzip.compress(bytes(64 << 20)))
    inside = tmp_path / "work"
    inside.mkdir()
    with pytest.raises(MalformedImageError, match="expands from"):
        load(f"docker-archive:{tmp_path / 'bomb'}", inside)
    assert list(inside.iterdir()) == []


def test_disk_that_is_full(layout: Layout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    packed = tmp_path / "packed"
    packed.write_bytes(gzip.compress(layout.write_archive(tmp_path / "a.tar").read_bytes()))
    monkeypatch.setattr(workspace, "DISK_RESERVE", 1 << 60)
    inside = tmp_path / "work"
    inside.mkdir()
    with pytest.raises(ResourceError, match="is full"):
        load(f"oci-archive:{packed}", inside)
    assert list(inside.iterdir()) == []


def test_workspace_that_is_not_there(layout: Layout, tmp_path: Path) -> None:
    packed = tmp_path / "packed"
    packed.write_bytes(gzip.compress(layout.write_archive(tmp_path / "a.tar").read_bytes()))
    with pytest.raises(ResourceError, match="cannot be written"):
        load(f"oci-archive:{packed}", tmp_path / "missing")


@pytest.mark.parametrize("name", ["xz", "bzip2"])
def test_other_compressions_are_named(layout: Layout, tmp_path: Path, name: str) -> None:
    magic = {"xz": b"\xfd7zXZ\x00", "bzip2": b"BZh91AY"}[name]
    (tmp_path / "packed").write_bytes(magic + bytes(600))
    with pytest.raises(StoreError, match=f"{name} compression is not read here") as caught:
        load(f"oci-archive:{tmp_path / 'packed'}", tmp_path)
    assert caught.value.hint == f"decompress it first: {name} -d"


def test_truncated_anywhere(layout: Layout, tmp_path: Path) -> None:
    data = layout.write_archive(tmp_path / "a.tar").read_bytes().rstrip(b"\0")
    for length in range(0, len(data), 97):
        (tmp_path / "cut.tar").write_bytes(data[:length])
        with pytest.raises(StoreError):
            load(f"oci-archive:{tmp_path / 'cut.tar'}", tmp_path)


def test_any_changed_byte_is_an_error_or_changes_nothing(layout: Layout, tmp_path: Path) -> None:
    data = layout.write_archive(tmp_path / "a.tar").read_bytes()
    expected = load(f"oci-archive:{tmp_path / 'a.tar'}", tmp_path).images
    chance = random.Random(2)
    for _ in range(600):
        changed = bytearray(data)
        changed[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        (tmp_path / "b.tar").write_bytes(changed)
        try:
            found = load(f"oci-archive:{tmp_path / 'b.tar'}", tmp_path)
        except NoVerdictError:
            continue
        assert [image.manifest for image in found.images] == [image.manifest for image in expected]
        assert [image.config for image in found.images] == [image.config for image in expected]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "is empty"),
        (bytes(1024), "is empty"),
        (b"no tar at all" * 100, "is no tar archive"),
        (b"x" * 100, "truncated"),
        (tar_of({"a": b"1"})[:512] + b"z" * 1024, "corrupt tar header at offset 1024"),
    ],
)
def test_what_is_no_archive(tmp_path: Path, data: bytes, message: str) -> None:
    with pytest.raises(MalformedImageError, match=message):
        scanned(tmp_path / "a.tar", data)


@pytest.mark.parametrize("size", [b"-0000000001\0", b"0x000000001\0", b"1_0\0" + bytes(8), b"\xff" * 12])
def test_sizes_that_are_no_octal_number(tmp_path: Path, size: bytes) -> None:
    header = bytearray(tar_of({"a": b"1"})[:512])
    header[124:136] = size
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    with pytest.raises(MalformedImageError, match=r"corrupt|is no tar archive|negative or huge"):
        scanned(tmp_path / "a.tar", bytes(header) + bytes(1024))


def test_member_larger_than_the_archive(tmp_path: Path) -> None:
    header = member("a", size=1 << 40).tobuf(tarfile.GNU_FORMAT)
    with pytest.raises(MalformedImageError, match="truncated"):
        scanned(tmp_path / "a.tar", header + bytes(2048))


def test_huge_pax_header(tmp_path: Path) -> None:
    header = member("a", kind=b"x", size=1 << 30).tobuf()
    with pytest.raises(MalformedImageError, match="over the limit"):
        scanned(tmp_path / "a.tar", header + bytes(2048))


@pytest.mark.parametrize("record", [b"99 path=a\n", b"path=a\n", b"8 path=a\n", b"x path=\n", b"10 pathaaa\n"])
def test_corrupt_pax_header(tmp_path: Path, record: bytes) -> None:
    header = member("a", kind=b"x", size=len(record)).tobuf()
    with pytest.raises(MalformedImageError, match="corrupt pax header"):
        scanned(tmp_path / "a.tar", header + record.ljust(512, b"\0") + tar_of({"b": b""}))


def test_names_over_the_limits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(MalformedImageError, match=r"over the limit|longer than"):
        scanned(tmp_path / "a.tar", tar_of({"n" * 5000: b""}, format=tarfile.GNU_FORMAT))
    with pytest.raises(MalformedImageError, match="longer than 4096"):
        scanned(tmp_path / "a.tar", tar_of({"n" * 5000: b""}, format=tarfile.PAX_FORMAT))
    with pytest.raises(MalformedImageError, match="over the limits"):
        scanned(tmp_path / "a.tar", raw_tar((member("l", tarfile.SYMTYPE, "t" * 5000), b"")))
    monkeypatch.setattr(members, "MAX_MEMBERS", 10)
    with pytest.raises(MalformedImageError, match="more than 10 members"):
        scanned(tmp_path / "a.tar", tar_of({str(number): b"" for number in range(11)}))
    monkeypatch.setattr(members, "MAX_ALL_NAMES_BYTES", 10)
    with pytest.raises(MalformedImageError, match="over the limits"):
        scanned(tmp_path / "a.tar", tar_of({"long" * 3: b""}))


def test_sparse_members_are_refused(tmp_path: Path) -> None:
    (tmp_path / "hole").write_bytes(b"")
    os.truncate(tmp_path / "hole", 1 << 20)
    for form in ("gnu", "pax"):
        subprocess.run(["tar", "-C", tmp_path, f"--format={form}", "-Scf", tmp_path / "a.tar", "hole"], check=True)
        with pytest.raises(MalformedImageError, match="sparse"):
            load(f"oci-archive:{tmp_path / 'a.tar'}", tmp_path)


def test_links_stay_in_the_archive(tmp_path: Path) -> None:
    found = scanned(
        tmp_path / "a.tar",
        raw_tar(
            (member("d/real", size=3), b"abc"),
            (member("d/hard", tarfile.LNKTYPE, "d/real"), b""),
            (member("e/soft", tarfile.SYMTYPE, "../d/hard"), b""),
            (member("out", tarfile.SYMTYPE, "/etc/passwd"), b""),
            (member("up", tarfile.SYMTYPE, "../../etc/passwd"), b""),
            (member("loop", tarfile.SYMTYPE, "loop"), b""),
            (member("ping", tarfile.SYMTYPE, "pong"), b""),
            (member("pong", tarfile.SYMTYPE, "ping"), b""),
            (member("fifo", tarfile.FIFOTYPE), b""),
            (member("dir", tarfile.DIRTYPE), b""),
        ),
    )
    real = found.find("d/real")
    assert real is not None
    assert found.find("d/hard") == found.find("e/soft") == found.find("./d//real") == real
    assert found.find("nothing") is None
    for name, message in {
        "out": "link to nothing", "up": "link to nothing", "loop": "in circles", "ping": "in circles",
        "fifo": "no regular file", "dir": "no regular file",
    }.items():  # fmt: skip
        with pytest.raises(MalformedImageError, match=message):
            found.find(name)


def test_names_that_lead_outside_do_nothing(layout: Layout, tmp_path: Path) -> None:
    inside = tmp_path / "work"
    inside.mkdir()
    files = {"../../escaped": b"x", str(tmp_path / "absolute"): b"x", "../work/x": b"x", **layout.files()}
    (tmp_path / "a.tar").write_bytes(tar_of(files))
    assert len(load(f"oci-archive:{tmp_path / 'a.tar'}", inside).images) == 1
    assert sorted(item.name for item in tmp_path.iterdir()) == ["a.tar", "work"]
    assert list(inside.iterdir()) == []


def test_two_members_of_one_name(layout: Layout, tmp_path: Path) -> None:
    other = Layout()
    other.enter(other.image("other"))
    entries = [(name, data) for made in (layout, other) for name, data in made.files().items()]
    data = raw_tar(*((member(name, size=len(content)), content) for name, content in entries))
    (tmp_path / "a.tar").write_bytes(data)
    with pytest.raises(MalformedImageError, match="'oci-layout' more than once"):
        load(f"oci-archive:{tmp_path / 'a.tar'}", tmp_path)


@pytest.mark.timeout(10)
def test_fifo_in_place_of_an_archive(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    with pytest.raises(MalformedImageError, match="is a FIFO"):
        load(f"docker-archive:{tmp_path / 'fifo'}", tmp_path)


def test_names_of_the_wrong_transport(layout: Layout, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="it is a folder") as caught:
        load(f"oci-archive:{layout.write_folder(tmp_path / 'layout')}", tmp_path)
    assert caught.value.hint == f"for a layout in a folder: oci:{tmp_path / 'layout'}"
    (tmp_path / "docker.tar").write_bytes(tar_of({"manifest.json": b"[]"}))
    with pytest.raises(StoreError, match="it is a Docker archive") as caught:
        load(f"oci-archive:{tmp_path / 'docker.tar'}", tmp_path)
    assert caught.value.hint == f"docker-archive:{tmp_path / 'docker.tar'}"
    with pytest.raises(StoreError, match="No such file"):
        load(f"oci-archive:{tmp_path / 'missing'}", tmp_path)


def test_archive_without_an_image(tmp_path: Path) -> None:
    (tmp_path / "a.tar").write_bytes(tar_of({"file": b"x"}))
    with pytest.raises(StoreError, match="is no image archive"):
        load(f"docker-archive:{tmp_path / 'a.tar'}", tmp_path)


def test_blobs_are_read_between_load_and_close(layout: Layout, tmp_path: Path) -> None:
    before = open_files()
    store = open_store(parse_image_name(f"oci-archive:{layout.write_archive(tmp_path / 'a.tar')}"), tmp_path)
    (image,) = store.load(None).images
    (again,) = store.load(None).images
    assert again.manifest == image.manifest
    with image.blobs.open(image.layers[0].descriptor.digest) as blob:
        store.close()
        assert digest_of(blob.read()) == image.layers[0].diff_id
    with pytest.raises(StoreError, match="is closed"):
        image.blobs.open(image.layers[0].descriptor.digest)
    assert open_files() == before
