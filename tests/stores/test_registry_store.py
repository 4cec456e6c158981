"""Images in a registry: read as they come, kept only where that is worth it, nothing left behind."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.stores.registry_server import RegistryServer
from tests.stores.store_images import (
    AMD64,
    ARM64,
    Layout,
    as_attestation,
    config_json,
    digest_of,
    tar_of,
    to_json,
    with_platform,
)
from verifier.compare import compare
from verifier.errors import NotFoundError, StoreError
from verifier.oci.blob import stream_layer
from verifier.oci.image import Image, ImageSet, Store
from verifier.oci.media_types import (
    DOCKER_CONFIG,
    DOCKER_LAYER,
    DOCKER_MANIFEST,
    DOCKER_MANIFEST_LIST,
    OCI_CONFIG,
    OCI_LAYER,
    OCI_MANIFEST,
)
from verifier.oci.platform import Platform
from verifier.oci.reference import parse_image_name
from verifier.stores import open_store
from verifier.stores.registry import Access
from verifier.stores.registry_network import is_loopback

pytestmark = pytest.mark.timeout(60)


def opened(server: RegistryServer, access: Access, folder: Path, name: str = "x:one") -> Store:
    return open_store(parse_image_name(f"docker://{server.address}/{name}"), folder, access=access)


def load(server: RegistryServer, access: Access, folder: Path, platform: Platform | None = None) -> ImageSet:
    store = opened(server, access, folder)
    try:
        return store.load(platform)
    finally:
        store.close()


def read(image: Image) -> None:
    for layer in image.layers:
        for _ in stream_layer(image.blobs, layer):
            pass


def test_raw_bytes(server: RegistryServer, access: Access, tmp_path: Path) -> None:
    layout = Layout()
    root = layout.image(annotations={"a": "b"})
    server.take(layout, root, "one")
    (image,) = load(server, access, tmp_path).images
    assert image.manifest is not None
    assert image.manifest.raw == layout.blobs[root["digest"]]
    assert image.manifest.digest == root["digest"]
    assert digest_of(image.config.raw) == image.manifest.config.digest


def test_index_by_platform(server: RegistryServer, access: Access, tmp_path: Path) -> None:
    layout = Layout()
    children = [with_platform(layout.image(str(each), each), each) for each in (AMD64, ARM64)]
    proof = as_attestation(layout.image("proof", Platform(os="unknown", architecture="unknown")), children[0])
    server.take(layout, layout.index(*children, proof), "one")
    images = load(server, access, tmp_path)
    assert [image.platform for image in images.images] == [AMD64, ARM64]
    assert len(images.attestations) == 1
    asked = len(server.seen)
    images = load(server, access, tmp_path, ARM64)
    assert [image.platform for image in images.images] == [ARM64]
    # an index, one manifest and its config, the size of a layer; nothing of another platform
    assert not [item.path for item in server.seen[asked:] if children[0]["digest"] in item.path]


def test_index_with_a_manifest_that_is_gone(server: RegistryServer, access: Access, tmp_path: Path) -> None:
    layout = Layout()
    children = [with_platform(layout.image(str(each), each), each) for each in (AMD64, ARM64)]
    server.take(layout, layout.index(*children), "one")
    del server.manifests[children[1]["digest"]]
    images = load(server, access, tmp_path)
    assert [item.digest for item in images.absent] == [children[1]["digest"]]


def test_docker_media_types(server: RegistryServer, access: Access, tmp_path: Path) -> None:
    layout = Layout()
    layer = tar_of({"file": b"hello"})
    manifest = {
        "schemaVersion": 2,
        "mediaType": DOCKER_MANIFEST,
        "config": layout.blob(config_json([layer]), DOCKER_CONFIG),
        "layers": [layout.blob(layer, DOCKER_LAYER)],
    }
    child = with_platform(layout.blob(to_json(manifest), DOCKER_MANIFEST), AMD64)
    index = {"schemaVersion": 2, "mediaType": DOCKER_MANIFEST_LIST, "manifests": [child]}
    server.take(layout, layout.blob(to_json(index), DOCKER_MANIFEST_LIST), "one")
    images = load(server, access, tmp_path)
    assert images.index is not None
    assert images.index.media_type == DOCKER_MANIFEST_LIST
    assert [image.platform for image in images.images] == [AMD64]


def test_digest_alone_counts(server: RegistryServer, access: Access, tmp_path: Path) -> None:
    layout = Layout()
    root = layout.image("one")
    server.take(layout, root, "one")
    store = opened(server, access, tmp_path, f"x:nonsense@{root['digest']}")
    assert store.load(None).images[0].manifest is not None
    store.close()


def test_artifact_is_no_image(server: RegistryServer, access: Access, tmp_path: Path) -> None:
    layout = Layout()
    empty = layout.blob(b"{}", "application/vnd.oci.empty.v1+json")
    manifest = {"schemaVersion": 2, "mediaType": OCI_MANIFEST, "artifactType": "a/b", "config": empty, "layers": []}
    server.take(layout, layout.blob(to_json(manifest), OCI_MANIFEST), "one")
    with pytest.raises(StoreError, match="is an artifact of the type a/b, not an image"):
        load(server, access, tmp_path)


def test_no_such_tag(server: RegistryServer, access: Access, tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match=f"docker://{server.address}/x:one: the registry .* has no x:one$"):
        load(server, access, tmp_path)


def large_image(server: RegistryServer) -> None:
    layout = Layout()
    layer = tar_of({"file": os.urandom(2 * 1024 * 1024)})
    manifest = {
        "schemaVersion": 2,
        "config": layout.blob(config_json([layer]), OCI_CONFIG),
        "layers": [layout.blob(layer, OCI_LAYER)],
    }
    server.take(layout, layout.blob(to_json(manifest), OCI_MANIFEST), "one")


@pytest.mark.parametrize(("nearby", "files"), [(True, [0, 1, 1]), (False, [1, 1, 1])])
def test_what_is_read_again_is_kept(
    server: RegistryServer,
    access: Access,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    nearby: bool,
    files: list[int],
) -> None:
    large_image(server)
    monkeypatch.setattr("verifier.stores.registry_store.is_loopback", lambda host: nearby and is_loopback(host))
    store = opened(server, access, tmp_path)
    (image,) = store.load(None).images
    found = []
    for _ in range(3):
        read(image)
        found.append(len(list(tmp_path.glob("blob-*"))))
    assert found == files
    downloads = [path for path in server.paths() if path.endswith(image.layers[0].descriptor.digest)]
    assert len(downloads) == (2 if nearby else 1)
    store.close()
    store.close()
    assert list(tmp_path.glob("blob-*")) == []


def test_what_is_not_read_to_its_end_is_not_kept(
    server: RegistryServer, access: Access, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    large_image(server)
    monkeypatch.setattr("verifier.stores.registry_store.is_loopback", lambda _: False)
    store = opened(server, access, tmp_path)
    (image,) = store.load(None).images
    pieces = stream_layer(image.blobs, image.layers[0])
    assert next(pieces)
    pieces.close()  # type: ignore[attr-defined]
    assert list(tmp_path.glob("blob-*")) == []
    store.close()


def test_a_full_disk_stops_no_reading(
    server: RegistryServer, access: Access, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    large_image(server)
    monkeypatch.setattr("verifier.stores.registry_store.is_loopback", lambda _: False)
    monkeypatch.setattr("verifier.stores.workspace.DISK_RESERVE", 1 << 62)
    store = opened(server, access, tmp_path)
    (image,) = store.load(None).images
    read(image)
    assert list(tmp_path.glob("blob-*")) == []
    store.close()


def test_compared_as_it_comes(server: RegistryServer, access: Access, tmp_path: Path) -> None:
    layout = Layout()
    for name in ("one", "two"):
        server.take(layout, layout.image(name), name)
    stores = [opened(server, access, tmp_path, f"x:{name}") for name in ("one", "two")]
    first, second = (store.load(None) for store in stores)
    comparison = compare(first, second, workspace=tmp_path)
    for store in stores:
        store.close()
    assert {item.field for item in comparison.all_differences} >= {"content"}
    layers = [path for path in server.paths() if "/blobs/" in path]
    assert len(layers) == 4  # two configs and two layers, each once
    assert [path.name for path in tmp_path.iterdir()] == ["docker-config"]
