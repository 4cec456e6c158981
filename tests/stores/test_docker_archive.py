"""Docker's own archives: those of engine 20.10, of skopeo and Buildah, and with compressed layers."""

from __future__ import annotations

import gzip
import io
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.stores.store_images import (
    AMD64,
    ARM64,
    CONTAINERD_NAME,
    Json,
    Layout,
    config_json,
    digest_of,
    load,
    tar_of,
    to_json,
)
from verifier.errors import DigestMismatchError, MalformedImageError, StoreError
from verifier.oci.blob import stream_layer
from verifier.oci.platform import Platform
from verifier.oci.reference import parse_image_name
from verifier.stores import open_store

LOWER = tar_of({"lower": b"1"})
UPPER = tar_of({"upper": b"2"})


def hex_of(data: bytes) -> str:
    return digest_of(data).partition(":")[2]


def write(path: Path, files: Mapping[str, bytes], links: Mapping[str, str] | None = None) -> str:
    stream = io.BytesIO(tar_of(files))
    with tarfile.open(fileobj=stream, mode="a") as archive:
        for name, target in (links or {}).items():
            link = tarfile.TarInfo(name)
            link.type, link.linkname = tarfile.SYMTYPE, target
            archive.addfile(link)
    path.write_bytes(stream.getvalue())
    return f"docker-archive:{path}"


def entry(config: bytes, layers: list[str], *tags: str, name: str | None = None) -> Json:
    return {"Config": name or f"{hex_of(config)}.json", "RepoTags": list(tags) or None, "Layers": layers}


def saved(config: bytes, layers: Mapping[str, bytes], *tags: str, **manifest: Any) -> dict[str, bytes]:
    listed = {**entry(config, list(layers), *tags), **manifest}
    return {f"{hex_of(config)}.json": config, **layers, "manifest.json": to_json([listed])}


def contents(name: str, tmp_path: Path) -> list[bytes]:
    store = open_store(parse_image_name(name), tmp_path)
    (image,) = store.load(None).images
    found = [b"".join(stream_layer(image.blobs, layer)) for layer in image.layers]
    store.close()
    return found


def test_engine_20_10(tmp_path: Path) -> None:
    config = config_json([LOWER, UPPER])
    name = write(tmp_path / "a.tar", saved(config, {"1/layer.tar": LOWER, "2/layer.tar": UPPER}, "sample:one"))
    found = load(name, tmp_path)
    assert found.index is None
    (image,) = found.images
    assert image.manifest is None
    assert image.config.digest == digest_of(config)
    assert [layer.descriptor.digest for layer in image.layers] == [digest_of(LOWER), digest_of(UPPER)]
    assert [layer.descriptor.size for layer in image.layers] == [len(LOWER), len(UPPER)]
    assert contents(name, tmp_path) == [LOWER, UPPER]


def test_layers_that_are_links_to_the_same_layer(tmp_path: Path) -> None:
    config = config_json([LOWER, LOWER])
    files = saved(config, {"1/layer.tar": LOWER})
    files["manifest.json"] = to_json([entry(config, ["1/layer.tar", "2/layer.tar"])])
    name = write(tmp_path / "a.tar", files, {"2/layer.tar": "../1/layer.tar"})
    assert contents(name, tmp_path) == [LOWER, LOWER]


def test_copies_of_one_layer_that_differ_in_size(tmp_path: Path) -> None:
    name = write(tmp_path / "a.tar", saved(config_json([LOWER, LOWER]), {"1.tar": LOWER, "2.tar": LOWER + bytes(512)}))
    with pytest.raises(MalformedImageError, match="is in the archive with"):
        load(name, tmp_path)


def test_compressed_layers(tmp_path: Path) -> None:
    packed = gzip.compress(LOWER, mtime=0)
    config = config_json([LOWER, UPPER])
    name = write(tmp_path / "a.tar", saved(config, {f"{hex_of(packed)}.tar.gz": packed, "2.tar": UPPER}))
    (image,) = load(name, tmp_path).images
    lower, upper = image.layers
    assert (lower.descriptor.digest, lower.diff_id) == (digest_of(packed), digest_of(LOWER))
    assert lower.descriptor.media_type == "application/vnd.docker.image.rootfs.diff.tar.gzip"
    assert upper.descriptor.digest == upper.diff_id
    assert contents(name, tmp_path) == [LOWER, UPPER]


def test_layer_that_is_not_its_diff_id(tmp_path: Path) -> None:
    name = write(tmp_path / "a.tar", saved(config_json([LOWER]), {"1/layer.tar": UPPER}))
    with pytest.raises(DigestMismatchError):
        contents(name, tmp_path)


@pytest.mark.parametrize("form", ["{}.json", "sha256:{}", "blobs/sha256/{}"])
def test_config_that_is_not_its_digest(tmp_path: Path, form: str) -> None:
    config = config_json([LOWER])
    path = form.format("0" * 64)
    files = {path: config, "1.tar": LOWER, "manifest.json": to_json([entry(config, ["1.tar"], name=path)])}
    with pytest.raises(DigestMismatchError, match=digest_of(config)):
        load(write(tmp_path / "a.tar", files), tmp_path)


def test_config_of_any_other_name(tmp_path: Path) -> None:
    config = config_json([LOWER])
    files = {
        "config.json": config,
        "1.tar": LOWER,
        "manifest.json": to_json([entry(config, ["1.tar"], name="config.json")]),
    }
    (image,) = load(write(tmp_path / "a.tar", files), tmp_path).images
    assert image.config.digest == digest_of(config)


class TestSelection:
    def two(self, tmp_path: Path, platforms: tuple[Platform, Platform] = (AMD64, AMD64)) -> tuple[str, list[str]]:
        configs = [config_json([LOWER], platforms[0], n=1), config_json([UPPER], platforms[1], n=2)]
        files = {f"{hex_of(config)}.json": config for config in configs}
        listed = [entry(configs[0], ["1.tar"], "sample:one", "other:x"), entry(configs[1], ["2.tar"], "sample:two")]
        files |= {"1.tar": LOWER, "2.tar": UPPER, "manifest.json": to_json(listed)}
        return write(tmp_path / "a.tar", files), [digest_of(config) for config in configs]

    @pytest.mark.parametrize("tag", ["sample:one", "docker.io/library/sample:one", "one", "other:x"])
    def test_by_tag(self, tmp_path: Path, tag: str) -> None:
        name, digests = self.two(tmp_path)
        assert load(f"{name}:{tag}", tmp_path).images[0].config.digest == digests[0]

    def test_by_image_id(self, tmp_path: Path) -> None:
        name, digests = self.two(tmp_path)
        assert load(f"{name}@{digests[1]}", tmp_path).images[0].config.digest == digests[1]

    def test_by_platform(self, tmp_path: Path) -> None:
        name, digests = self.two(tmp_path, (AMD64, ARM64))
        assert load(name, tmp_path, ARM64).images[0].config.digest == digests[1]
        with pytest.raises(StoreError, match="no image for linux/s390x") as caught:
            load(name, tmp_path, Platform(os="linux", architecture="s390x"))
        assert caught.value.hint == "it has: linux/amd64, linux/arm64"

    def test_several_need_a_choice(self, tmp_path: Path) -> None:
        name, _ = self.two(tmp_path)
        with pytest.raises(StoreError, match="may mean 2 images") as caught:
            load(name, tmp_path)
        assert caught.value.hint == f"choose one, or a platform: {name}:sample:one, {name}:sample:two"

    def test_unknown(self, tmp_path: Path) -> None:
        name, _ = self.two(tmp_path)
        with pytest.raises(StoreError, match="no image tagged three"):
            load(f"{name}:three", tmp_path)
        with pytest.raises(StoreError, match="no image with the digest"):
            load(f"{name}@sha256:{'0' * 64}", tmp_path)


class TestLayoutInside:
    """Engine 25 and later write a layout and `manifest.json` beside it."""

    def test_the_layout_is_what_is_read(self, tmp_path: Path) -> None:
        layout = Layout()
        image = layout.image()
        layout.enter(image, "one", **{CONTAINERD_NAME: "docker.io/library/sample:one"})
        path = tmp_path / "a.tar"
        path.write_bytes(tar_of({**layout.files(), "manifest.json": b"[]"}))
        for asked in ("", ":sample:one", ":one"):
            (found,) = load(f"docker-archive:{path}{asked}", tmp_path).images
            assert found.manifest is not None
            assert found.manifest.digest == image["digest"]


@pytest.mark.parametrize(
    ("manifest", "message"),
    [
        (b"{}", "is not a JSON list"),
        (b"[1]", r"manifest\.json\[0\]: an object is needed"),
        (b'[{"Config": 1}]', r"manifest\.json\[0\]\.Config"),
        (b'[{"Config": "a", "RepoTags": [1]}]', r"RepoTags: a list of strings"),
        (b'[{"Config": "a", "Layers": "x"}]', "Layers: a list is needed"),
        (b'[{"Config": "a", "Config": "b"}]', "twice"),
        (b"[" * 10_000 + b"]" * 10_000, "nests deeper"),
        (b"[" + b",".join([b"{}"] * 1001) + b"]", "over the limit of 1000"),
        (b"[", "not JSON"),
    ],
)
def test_broken_manifest_json(tmp_path: Path, manifest: bytes, message: str) -> None:
    with pytest.raises(MalformedImageError, match=message):
        load(write(tmp_path / "a.tar", {"manifest.json": manifest}), tmp_path)


def test_missing_parts(tmp_path: Path) -> None:
    config = config_json([LOWER])
    files = saved(config, {"1.tar": LOWER})
    with pytest.raises(StoreError, match="holds no image"):
        load(write(tmp_path / "a.tar", {"manifest.json": b"[]"}), tmp_path)
    with pytest.raises(StoreError, match=r"the layer 1\.tar is missing"):
        load(write(tmp_path / "b.tar", {key: data for key, data in files.items() if key != "1.tar"}), tmp_path)
    del files[f"{hex_of(config)}.json"]
    with pytest.raises(StoreError, match=r"the config .* is missing"):
        load(write(tmp_path / "c.tar", files), tmp_path)


def test_layers_and_diff_ids_of_other_numbers(tmp_path: Path) -> None:
    name = write(tmp_path / "a.tar", saved(config_json([LOWER, UPPER]), {"1.tar": LOWER}))
    with pytest.raises(MalformedImageError, match="names 1 layers, the config has 2 diff_ids"):
        load(name, tmp_path)


def test_layer_path_that_leads_outside(tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(LOWER)
    config = config_json([LOWER])
    for path in ("../secret", str(tmp_path / "secret")):
        files = saved(config, {"1.tar": LOWER}, Layers=[path])
        with pytest.raises(StoreError, match="is missing"):
            load(write(tmp_path / "a.tar", files), tmp_path)
    with pytest.raises(MalformedImageError, match="link to nothing"):
        load(
            write(tmp_path / "b.tar", saved(config, {"1.tar": LOWER}, Layers=["x"]), {"x": str(tmp_path / "secret")}),
            tmp_path,
        )
