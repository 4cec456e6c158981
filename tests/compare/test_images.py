"""Whole images: which level holds, what is read, what is verified, which layers belong together, what is refused."""

from __future__ import annotations

import gzip
import hashlib
import subprocess
import sys
import tarfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import pytest

from tests.compare.layer_images import (
    PLAIN,
    Blobs,
    Entry,
    compare_layers_of,
    digest_of,
    file,
    folder,
    image,
    layer_facts,
    single,
    symlink,
    tar,
    without_manifest,
)
from verifier.compare import compare
from verifier.compare.content import read_contents, read_entries
from verifier.errors import DigestMismatchError, MalformedImageError, StoreError, VerifyBuildError
from verifier.oci.digest import Digest
from verifier.oci.image import Image

ONE, TWO, THREE = (tar([file(name, name.encode() * 5000)]) for name in ("one", "two", "three"))


@pytest.fixture(autouse=True)
def nothing_left(tmp_path: Path) -> Iterator[None]:
    """Every comparison of this module ends its threads and removes its tables."""
    interval = sys.getswitchinterval()
    yield
    assert [thread.name for thread in threading.enumerate() if thread.name == "layer-reader"] == []
    assert [path for path in tmp_path.iterdir() if path.is_file()] == []
    assert sys.getswitchinterval() == interval


def test_equal_pair_reads_nothing(tmp_path: Path) -> None:
    blobs = Blobs()
    made = image(ONE, TWO, blobs=blobs)
    result = compare(single(made), single(made), workspace=tmp_path).images[0]
    assert blobs.opened == []
    assert result.differences == ()
    assert (result.first.files, result.verified_first, result.verified_second) == (None, False, False)


def test_equal_pair_is_read_when_blobs_are_to_be_verified(tmp_path: Path) -> None:
    first, second = image(ONE, TWO), image(ONE, TWO)
    read: list[int] = []
    result = compare(single(first), single(second), workspace=tmp_path, verify_blobs=True, progress=read.append).images[
        0
    ]
    assert (result.verified_first, result.verified_second) == (True, True)
    assert result.first.files == result.second.files is not None
    assert sum(read) == 2 * sum(layer.descriptor.size for layer in first.layers)


@pytest.mark.parametrize("damage", ["gone", "shorter"])
def test_equal_pair_needs_its_blobs(tmp_path: Path, damage: str) -> None:
    blobs = Blobs()
    made = image(ONE, blobs=blobs)
    digest = made.layers[0].descriptor.digest
    whole = blobs.held.pop(digest)
    if damage == "shorter":
        blobs.held[digest] = whole[:-1]
    with pytest.raises(StoreError):
        compare(single(image(ONE)), single(made), workspace=tmp_path)


class FolderBlobs(Blobs):
    """Blobs in files, as an OCI layout has them."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = folder
        folder.mkdir(exist_ok=True)

    def put(self, data: bytes) -> Digest:
        digest = super().put(data)
        (self.folder / digest.replace(":", "-")).write_bytes(data)
        return digest

    def open(self, digest: Digest) -> IO[bytes]:
        self.opened.append(digest)
        return (self.folder / digest.replace(":", "-")).open("rb")


def test_the_very_same_file_is_read_once_and_a_copy_of_it_twice(tmp_path: Path) -> None:
    shared = FolderBlobs(tmp_path / "shared")
    first = image(ONE, blobs=shared, config={"author": "1"})
    second = image(ONE, blobs=shared, config={"author": "2"})
    read: list[int] = []
    result = compare(single(first), single(second), workspace=tmp_path, progress=read.append).images[0]
    assert sum(read) == first.layers[0].descriptor.size
    assert (result.verified_first, result.verified_second) == (True, True)
    assert result.first.files == result.second.files
    copy = image(ONE, blobs=FolderBlobs(tmp_path / "copy"), config={"author": "2"})
    compare(single(first), single(copy), workspace=tmp_path, progress=read.append)
    assert sum(read) == 3 * first.layers[0].descriptor.size


def test_levels(tmp_path: Path) -> None:
    result = compare(single(image(ONE)), single(image(ONE, config={"created": "x"})), workspace=tmp_path).images[0]
    assert result.first.config != result.second.config
    assert result.first.layers == result.second.layers == (digest_of(ONE),)
    assert {item.part for item in result.differences} == {"config"}


def test_side_without_manifest(tmp_path: Path) -> None:
    plain = image(ONE, TWO, compress=lambda data: data, media_type=PLAIN)
    bare = without_manifest(plain)
    packed = image(ONE, TWO)
    result = compare(single(bare), single(packed), workspace=tmp_path).images[0]
    assert (result.first.manifest, result.differences) == (None, ())
    other = compare(single(bare), single(image(ONE, THREE)), workspace=tmp_path).images[0]
    assert {item.part for item in other.differences} == {"layer"}


def pairs_of(first: Image, second: Image, workspace: Path) -> list[tuple[int | None, int | None]]:
    compared = compare(single(first), single(second), workspace=workspace).images[0]
    return [(pair.first, pair.second) for pair in compared.layers]


def test_inserted_layer_does_not_make_all_later_ones_differ(tmp_path: Path) -> None:
    first = image(ONE, THREE, created_by=["a", "c"])
    second = image(ONE, TWO, THREE, created_by=["a", "b", "c"])
    assert pairs_of(first, second, tmp_path) == [(0, 0), (None, 1), (1, 2)]
    compared = compare(single(first), single(second), workspace=tmp_path)
    assert layer_facts(compared) == [(None, "layer", None, digest_of(TWO))]
    assert compared.images[0].first.files != compared.images[0].second.files


def test_layers_are_aligned_by_history_where_diff_ids_differ(tmp_path: Path) -> None:
    changed = [tar([file(name, b"changed")]) for name in ("one", "two", "three")]
    first = image(ONE, TWO, THREE, created_by=["a", "COPY file:" + "1" * 64, "c"])
    second = image(changed[0], THREE, changed[1], changed[2], created_by=["a", "new", "COPY file:" + "2" * 64, "c"])
    # equal bytes are the stronger sign: THREE is paired although its history says otherwise
    assert pairs_of(first, second, tmp_path) == [(0, 0), (1, None), (2, 1), (None, 2), (None, 3)]
    third = image(
        changed[0], tar([file("new")]), changed[1], changed[2], created_by=["a", "x", "COPY file:" + "2" * 64, "c"]
    )
    assert pairs_of(first, third, tmp_path) == [(0, 0), (None, 1), (1, 2), (2, 3)]


def test_layers_without_history(tmp_path: Path) -> None:
    first, second = image(ONE, TWO, config={"history": []}), image(ONE, THREE, config={"history": []})
    assert pairs_of(first, second, tmp_path) == [(0, 0), (1, 1)]


def test_two_single_images_of_other_platforms_are_compared(tmp_path: Path) -> None:
    result = compare(single(image(ONE)), single(image(ONE, architecture="arm64")), workspace=tmp_path)
    assert [(item.part, item.field) for item in result.all_differences] == [("config", "/architecture")]


def damaged(made: Image, change: bytes) -> Image:
    held = made.blobs.held  # type: ignore[attr-defined]
    held[made.layers[0].descriptor.digest] = change
    return made


def test_wrong_digest_on_either_side(tmp_path: Path) -> None:
    packed = gzip.compress(ONE, mtime=0)
    for place in (30, len(packed) // 2, len(packed) - 3):
        wrong = bytearray(packed)
        wrong[place] ^= 1
        for pair in ([damaged(image(ONE), bytes(wrong)), image(TWO)], [image(TWO), damaged(image(ONE), bytes(wrong))]):
            with pytest.raises(DigestMismatchError):
                compare(single(pair[0]), single(pair[1]), workspace=tmp_path)


def test_damage_to_plain_tar_is_told_as_a_wrong_digest(tmp_path: Path) -> None:
    wrong = bytearray(ONE)
    wrong[10] ^= 1
    plain = image(ONE, compress=lambda data: data, media_type=PLAIN)
    with pytest.raises(DigestMismatchError, match="has other bytes"):
        compare(single(damaged(plain, bytes(wrong))), single(image(TWO)), workspace=tmp_path)


def test_second_side_is_verified_too_where_diff_ids_agree(tmp_path: Path) -> None:
    wrong = bytearray(gzip.compress(ONE, mtime=0))
    wrong[-1] ^= 1
    with pytest.raises(DigestMismatchError):
        compare(
            single(image(ONE)), single(damaged(image(ONE, config={"author": "x"}), bytes(wrong))), workspace=tmp_path
        )


def test_archive_that_is_none_is_malformed(tmp_path: Path) -> None:
    with pytest.raises(MalformedImageError, match=r"image: layer sha256:[0-9a-f]{64} entry 1: a tar header"):
        compare(single(image(b"no tar" * 500)), single(image(ONE)), workspace=tmp_path)
    with pytest.raises(MalformedImageError, match="ends in the middle"):
        compare(single(image(ONE[:700])), single(image(ONE)), workspace=tmp_path)


def test_wrong_diff_id(tmp_path: Path) -> None:
    lying = image(ONE, config={"rootfs": {"type": "layers", "diff_ids": [digest_of(TWO)]}})
    with pytest.raises(DigestMismatchError, match="the config claims"):
        compare(single(lying), single(image(THREE)), workspace=tmp_path)


def test_progress_that_raises_ends_the_threads(tmp_path: Path) -> None:
    def interrupt(_: int) -> None:
        raise KeyboardInterrupt

    layers = [tar([file("x", number.to_bytes(1, "big") * 30_000_000)]) for number in (1, 2)]
    with pytest.raises(KeyboardInterrupt):
        compare(
            single(image(layers[0], compress=lambda data: data)),
            single(image(layers[1], compress=lambda data: data)),
            workspace=tmp_path,
            progress=interrupt,
        )


def test_full_disk_is_a_resource_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    missing = tmp_path / "missing"
    monkeypatch.setattr("verifier.compare.layer_side.MAX_RECORD_BYTES", 1)
    with pytest.raises(VerifyBuildError, match="cannot be kept in"):
        compare(single(image(ONE)), single(image(TWO)), workspace=missing)
    monkeypatch.setattr("verifier.compare.layer_side.MAX_RECORD_BYTES", 2**30)
    monkeypatch.setattr("verifier.compare.files.MAX_ROOT_BYTES", 8)
    with pytest.raises(VerifyBuildError, match="cannot be kept in"):
        compare(single(image(ONE)), single(image(TWO)), workspace=missing)


def many(count: int, *, mtime: int = 1) -> list[Entry]:
    entries = [folder("d")]
    entries += [file(f"d/f{number * 7919 % count:06d}", b"%d" % number, mtime=mtime) for number in range(count)]
    return entries


def test_tables_on_disk_give_the_same_result(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = many(400), many(400)[::-1]
    second = [*second[:50], file("d/extra"), *second[50:150], *second[160:], file("d/.wh.lower"), file("d/f000007")]
    lower = tar([file("d/lower", b"x"), file("d/other", b"y")])
    layers = ([lower, tar(first)], [lower, tar(second)])
    in_memory = compare_layers_of(*layers, tmp_path)
    monkeypatch.setattr("verifier.compare.layer_side.MAX_RECORD_BYTES", 5000)
    monkeypatch.setattr("verifier.compare.layer_side.MAX_SEEN_BYTES", 5000)
    monkeypatch.setattr("verifier.compare.layer_side.MAX_ASIDE_BYTES", 5000)
    monkeypatch.setattr("verifier.compare.files.MAX_ROOT_BYTES", 5000)
    assert compare_layers_of(*layers, tmp_path) == in_memory
    assert len({item.field for item in in_memory.all_differences}) == 3


def test_contents_can_be_read_again(tmp_path: Path) -> None:
    made = image(ONE, tar([file("a", b"1"), file("b", b"22"), file("a", b"333"), folder("d"), file("big", b"x" * 100)]))
    wanted = [(b"/a", 0), (b"/a", 1), (b"/big", 0), (b"/d", 0), (b"/none", 0)]
    assert read_contents(made, 1, wanted, 50) == {(b"/a", 0): b"1", (b"/a", 1): b"333"}
    assert read_contents(made, 1, [(b"/b", 0)], 2) == {(b"/b", 0): b"22"}


def test_entries_can_be_read_again_with_the_digests_that_are_asked_for() -> None:
    made = image(tar([file("a", b"x" * 100_000), symlink("l", "a"), folder("d"), file("a", b"")]))
    found = read_entries(made, 0, [(b"/a", 0), (b"/a", 1), (b"/l", 0), (b"/d", 0), (b"/none", 0)], ("md5", "sha256"))
    assert {key: (held.type, held.linkname, held.size, held.head[:2]) for key, held in found.items()} == {
        (b"/a", 0): ("file", b"", 100_000, b"xx"),
        (b"/a", 1): ("file", b"", 0, b""),
        (b"/l", 0): ("symlink", b"a", 0, b""),
        (b"/d", 0): ("directory", b"", 0, b""),
    }
    md5 = hashlib.md5(b"x" * 100_000, usedforsecurity=False).hexdigest()
    sha256 = hashlib.sha256(b"x" * 100_000).hexdigest()
    assert found[b"/a", 0].digests == {f"md5:{md5}", f"sha256:{sha256}"}
    assert found[b"/l", 0].digests == frozenset()


def write_big_layer(path: Path, count: int, mtime: int) -> None:
    """Write a gzip layer with `count` empty files in one directory, without holding it in memory."""
    with gzip.GzipFile(path, "wb", compresslevel=1, mtime=0) as out:
        for number in range(count):
            info = tarfile.TarInfo(f"directory/file-{number:07d}-with-a-name-of-usual-length")
            info.mtime = mtime if number % 1000 == 0 else 1
            out.write(info.tobuf(tarfile.USTAR_FORMAT))
        out.write(bytes(1024))


PROGRAM = """
import gzip, hashlib, json, re, sys
from pathlib import Path
from verifier.compare import compare
from verifier.oci.config import parse_config
from verifier.oci.image import ImageSet, make_image
from verifier.oci.manifest import parse_manifest_or_index

class Source:
    def __init__(self, path): self.path = path
    def size_of(self, digest): return self.path.stat().st_size
    def open(self, digest): return self.path.open("rb")

def load(path):
    blob, plain = hashlib.sha256(), hashlib.sha256()
    with path.open("rb") as handle:
        while data := handle.read(2**20): blob.update(data)
    with gzip.open(path) as handle:
        while data := handle.read(2**20): plain.update(data)
    config = json.dumps({"rootfs": {"diff_ids": ["sha256:" + plain.hexdigest()]}}).encode()
    layer = {"mediaType": "x", "digest": "sha256:" + blob.hexdigest(), "size": path.stat().st_size}
    manifest = {"schemaVersion": 2, "layers": [layer],
                "config": {"digest": "sha256:" + hashlib.sha256(config).hexdigest(), "size": len(config)}}
    made = make_image(str(path), Source(path), parse_manifest_or_index(json.dumps(manifest).encode()),
                      parse_config(config))
    return ImageSet(reference=str(path), index=None, images=(made,))

result = compare(load(Path(sys.argv[1])), load(Path(sys.argv[2])), workspace=Path(sys.argv[3]))
# not ru_maxrss: that begins with what the parent had
peak = re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1]
print(len(result.all_differences), peak)
"""


@pytest.mark.slow
def test_memory_is_bounded_for_a_directory_of_very_many_entries(tmp_path: Path) -> None:
    count = 200_000
    for number in (1, 2):
        write_big_layer(tmp_path / f"{number}.gz", count, number)
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, tmp_path / "1.gz", tmp_path / "2.gz", tmp_path],
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
    )
    differences, kibibytes = map(int, done.stdout.split())
    for number in (1, 2):
        (tmp_path / f"{number}.gz").unlink()
    assert differences == count // 1000
    assert kibibytes < 256 * 1024
