from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from tests.stores.store_images import (
    AMD64,
    ARM64,
    Layout,
    as_attestation,
    blob_path,
    config_json,
    digest_of,
    load,
    tar_of,
    to_json,
    with_platform,
)
from verifier.errors import DigestMismatchError, ResourceError
from verifier.oci.image import ImageSet
from verifier.oci.reference import parse_image_name
from verifier.stores import open_store, write_layout


def copied(name: str, tmp_path: Path) -> tuple[ImageSet, ImageSet]:
    store = open_store(parse_image_name(name), tmp_path)
    found = store.load(None)
    write_layout(found, tmp_path / "kept")
    store.close()
    return found, load(f"oci:{tmp_path / 'kept'}", tmp_path)


def test_one_image(tmp_path: Path) -> None:
    layout = Layout()
    layout.enter(layout.image(), "one")
    first, second = copied(f"oci-archive:{layout.write_archive(tmp_path / 'a.tar')}", tmp_path)
    assert first.images[0].manifest == second.images[0].manifest
    assert first.images[0].config == second.images[0].config
    for digest, data in layout.blobs.items():
        assert blob_path(tmp_path / "kept", {"digest": digest}).read_bytes() == data


def test_index_with_attestations_and_an_absent_platform(tmp_path: Path) -> None:
    layout = Layout()
    image = layout.image("amd", AMD64)
    arm = layout.image("arm", ARM64)
    statement = layout.image("statement")
    index = layout.index(with_platform(image, AMD64), as_attestation(statement, image), with_platform(arm, ARM64))
    layout.enter(layout.index(index))
    del layout.blobs[arm["digest"]]
    first, second = copied(f"oci:{layout.write_folder(tmp_path / 'layout')}", tmp_path)
    assert second.index == first.index
    assert [item.manifest.digest for item in second.attestations] == [statement["digest"]]
    assert second.absent == first.absent
    assert second.images[0].manifest == first.images[0].manifest


def test_image_without_a_manifest_gets_one(tmp_path: Path) -> None:
    lower, upper = tar_of({"lower": b"1"}), tar_of({"upper": b"2"})
    packed = gzip.compress(upper, mtime=0)
    config = config_json([lower, upper])
    listed = [{"Config": "config", "Layers": ["1.tar", "2.tar.gz"]}]
    files = {"config": config, "1.tar": lower, "2.tar.gz": packed, "manifest.json": to_json(listed)}
    (tmp_path / "a.tar").write_bytes(tar_of(files))
    first, second = copied(f"docker-archive:{tmp_path / 'a.tar'}", tmp_path)
    assert first.images[0].manifest is None
    (image,) = second.images
    assert image.manifest is not None
    assert [layer.digest for layer in image.manifest.layers] == [digest_of(lower), digest_of(packed)]
    assert image.manifest.layers[1].media_type.endswith("tar+gzip")
    assert image.config == first.images[0].config
    assert [layer.diff_id for layer in image.layers] == [digest_of(lower), digest_of(upper)]


def test_again_into_the_same_layout(tmp_path: Path) -> None:
    for content in ("first", "second"):
        layout = Layout()
        manifest = layout.enter(layout.image(content))
        _, found = copied(f"oci-archive:{layout.write_archive(tmp_path / 'a.tar')}", tmp_path)
        assert [image.manifest and image.manifest.digest for image in found.images] == [manifest["digest"]]


def test_damaged_blob_is_not_kept(tmp_path: Path) -> None:
    layout = Layout()
    layout.enter(layout.image())
    path = layout.write_folder(tmp_path / "layout")
    layer = digest_of(tar_of({"file": b"hello"}))
    blob = blob_path(path, {"digest": layer})
    blob.write_bytes(blob.read_bytes().replace(b"hello", b"HELLO"))
    found = load(f"oci:{path}", tmp_path)
    with pytest.raises(DigestMismatchError):
        write_layout(found, tmp_path / "kept")
    assert not (tmp_path / "kept" / "index.json").exists()
    assert not list((tmp_path / "kept").rglob("*.part"))
    assert not blob_path(tmp_path / "kept", {"digest": layer}).exists()


def test_folder_of_something_else(tmp_path: Path) -> None:
    layout = Layout()
    layout.enter(layout.image())
    found = load(f"oci:{layout.write_folder(tmp_path / 'layout')}", tmp_path)
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "letter.txt").write_text("dear")
    with pytest.raises(ResourceError, match="not empty and no image layout"):
        write_layout(found, tmp_path / "kept")
    with pytest.raises(ResourceError, match="cannot be written"):
        write_layout(found, tmp_path / "kept" / "letter.txt")
