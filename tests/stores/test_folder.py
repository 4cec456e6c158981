"""Layouts in folders that want to hang the reader, lead it elsewhere, or fill its memory."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tests.stores.store_images import Json, Layout, blob_path, digest_of, load, open_files, tar_of
from verifier.errors import MalformedImageError, StoreError
from verifier.oci.blob import stream_layer
from verifier.oci.digest import Digest
from verifier.oci.reference import parse_image_name
from verifier.stores import open_store
from verifier.stores.folder import Folder


@pytest.fixture
def layout() -> Layout:
    made = Layout()
    made.enter(made.image())
    return made


@pytest.fixture
def manifest(layout: Layout) -> Json:
    return layout.entries[0]


@pytest.fixture
def path(layout: Layout, tmp_path: Path) -> Path:
    return layout.write_folder(tmp_path / "layout")


def test_blob_that_is_a_link_out_of_the_layout(path: Path, manifest: Json, tmp_path: Path) -> None:
    blob = blob_path(path, manifest)
    blob.rename(tmp_path / "outside")
    blob.symlink_to(tmp_path / "outside")
    with pytest.raises(MalformedImageError, match="symbolic link") as caught:
        load(f"oci:{path}", tmp_path)
    assert caught.value.hint == "links in a layout are not followed; copy it with cp -rL"


@pytest.mark.parametrize("part", ["blobs", "blobs/sha256", "index.json", "oci-layout"])
def test_links_anywhere_in_a_layout(path: Path, tmp_path: Path, part: str) -> None:
    (path / part).rename(tmp_path / "outside")
    (path / part).symlink_to(tmp_path / "outside")
    with pytest.raises(MalformedImageError, match="symbolic link"):
        load(f"oci:{path}", tmp_path)


def test_the_layout_itself_may_be_a_link(path: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(path)
    assert len(load(f"oci:{tmp_path / 'link'}", tmp_path).images) == 1


@pytest.mark.timeout(10)
def test_fifo_does_not_hang(path: Path, manifest: Json, tmp_path: Path) -> None:
    blob_path(path, manifest).unlink()
    os.mkfifo(blob_path(path, manifest))
    with pytest.raises(MalformedImageError, match="is a FIFO, not a regular file"):
        load(f"oci:{path}", tmp_path)


def test_folder_in_place_of_a_blob(path: Path, manifest: Json, tmp_path: Path) -> None:
    blob_path(path, manifest).unlink()
    blob_path(path, manifest).mkdir()
    with pytest.raises(MalformedImageError, match="is a folder, not a regular file"):
        load(f"oci:{path}", tmp_path)


def test_layer_that_becomes_a_fifo_later(path: Path, tmp_path: Path) -> None:
    store = open_store(parse_image_name(f"oci:{path}"), tmp_path)
    (image,) = store.load(None).images
    blob = path / "blobs" / image.layers[0].descriptor.digest.replace(":", "/")
    blob.unlink()
    os.mkfifo(blob)
    with pytest.raises(MalformedImageError, match="FIFO"):
        list(stream_layer(image.blobs, image.layers[0]))


@pytest.mark.parametrize("claimed", [1 << 30, 520])
def test_manifest_of_a_gigabyte(layout: Layout, manifest: Json, tmp_path: Path, claimed: int) -> None:
    layout.entries[0]["size"] = claimed
    path = layout.write_folder(tmp_path / "layout")
    os.truncate(blob_path(path, manifest), 1 << 30)
    with pytest.raises(MalformedImageError, match="bytes"):
        load(f"oci:{path}", tmp_path)


def test_contents_of_a_gigabyte(path: Path, tmp_path: Path) -> None:
    os.truncate(path / "index.json", 1 << 30)
    with pytest.raises(MalformedImageError, match="over the limit"):
        load(f"oci:{path}", tmp_path)


def test_memory_stays_small(path: Path, tmp_path: Path) -> None:
    os.truncate(path / "index.json", 1 << 30)
    script = (
        "import sys\n"
        "from pathlib import Path\n"
        "from verifier.errors import MalformedImageError\n"
        "from verifier.oci.reference import parse_image_name\n"
        "from verifier.stores import open_store\n"
        "try:\n"
        "    open_store(parse_image_name(sys.argv[1]), Path('.')).load(None)\n"
        "except MalformedImageError:\n"
        "    sys.exit(7)\n"
    )
    finished = subprocess.run(
        [sys.executable, "-c", script, f"oci:{path}"],
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (256 << 20, 256 << 20)),
    )
    assert finished.returncode == 7


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_unreadable_blob(path: Path, manifest: Json, tmp_path: Path) -> None:
    blob_path(path, manifest).chmod(0)
    with pytest.raises(StoreError, match="Permission denied"):
        load(f"oci:{path}", tmp_path)


def test_no_such_folder_and_a_file(path: Path, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="No such file"):
        load(f"oci:{tmp_path / 'missing'}", tmp_path)
    with pytest.raises(StoreError, match="is not a folder") as caught:
        load(f"oci:{path / 'index.json'}", tmp_path)
    assert caught.value.hint is not None
    assert "oci-archive:" in caught.value.hint


def test_missing_blob_is_none(path: Path) -> None:
    folder = Folder(path)
    digest = Digest("sha256:" + "0" * 64)
    assert folder.size_of(digest) is None
    with pytest.raises(StoreError, match="is missing"):
        folder.open(digest)


def test_no_descriptors_are_left_open(path: Path, tmp_path: Path) -> None:
    before = open_files()
    (image,) = load(f"oci:{path}", tmp_path).images
    list(stream_layer(image.blobs, image.layers[0]))
    os.mkfifo(path / "blobs" / "sha256" / ("0" * 64))
    with pytest.raises(MalformedImageError):
        image.blobs.size_of(Digest("sha256:" + "0" * 64))
    assert open_files() == before


def test_opens_are_independent_across_threads(tmp_path: Path) -> None:
    layout = Layout()
    contents = [os.urandom(300_000 + number) for number in range(8)]
    digests = [Digest(layout.blob(data, "x")["digest"]) for data in contents]
    folder = Folder(layout.write_folder(tmp_path / "layout"))
    read: dict[int, bytes] = {}

    def reader(number: int) -> None:
        with folder.open(digests[number]) as blob:
            read[number] = b"".join(iter(lambda: blob.read(4096), b""))

    threads = [threading.Thread(target=reader, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [read[number] for number in range(8)] == contents


def test_window(tmp_path: Path) -> None:
    layout = Layout()
    data = tar_of({"a": os.urandom(3000)})
    digest = Digest(layout.blob(data, "x")["digest"])
    assert digest == digest_of(data)
    with Folder(layout.write_folder(tmp_path / "layout")).open(digest) as window:
        buffer = bytearray(1000)
        assert window.readinto(buffer) == 1000  # type: ignore[attr-defined]  # of raw files, not of IO
        assert bytes(buffer) == data[:1000]
        assert window.read(10) == data[1000:1010]
        assert window.read() == data[1010:]
        assert window.read(5) == b""
        assert window.seek(-5, os.SEEK_END) == len(data) - 5
        assert window.read(100) == data[-5:]
        assert window.seek(0) == 0
        assert window.seek(7, os.SEEK_CUR) == 7
        assert window.tell() == 7
    window.close()
    with pytest.raises(ValueError, match="closed"):
        window.read(1)
