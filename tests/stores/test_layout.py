from __future__ import annotations

from pathlib import Path

import pytest

from tests.stores.store_images import (
    AMD64,
    ARM64,
    CONTAINERD_NAME,
    REF_NAME,
    Json,
    Layout,
    as_attestation,
    blob_path,
    digest_of,
    load,
    tar_of,
    to_json,
    with_platform,
)
from verifier.errors import DigestMismatchError, MalformedImageError, StoreError
from verifier.oci.media_types import DOCKER_CONFIG, DOCKER_LAYER, DOCKER_MANIFEST, OCI_CONFIG, OCI_MANIFEST
from verifier.oci.platform import Platform


def folder(layout: Layout, tmp_path: Path) -> str:
    return f"oci:{layout.write_folder(tmp_path / 'layout')}"


def manifests(name: str, tmp_path: Path, platform: Platform | None = None) -> list[str]:
    return [str(image.manifest and image.manifest.digest) for image in load(name, tmp_path, platform).images]


def test_one_image_has_no_index(tmp_path: Path) -> None:
    layout = Layout()
    manifest = layout.enter(layout.image())
    found = load(folder(layout, tmp_path), tmp_path)
    assert found.index is None
    (image,) = found.images
    assert image.manifest is not None
    assert image.manifest.digest == manifest["digest"]
    assert image.manifest.raw == layout.blobs[manifest["digest"]]
    assert image.platform == AMD64
    assert image.layers[0].diff_id == digest_of(tar_of({"file": b"hello"}))


def test_archive_gives_what_the_folder_gives(tmp_path: Path) -> None:
    layout = Layout()
    layout.enter(layout.image())
    first = load(folder(layout, tmp_path), tmp_path).images[0]
    second = load(f"oci-archive:{layout.write_archive(tmp_path / 'a.tar')}", tmp_path).images[0]
    assert first.manifest == second.manifest
    assert first.config == second.config
    assert first.layers == second.layers


def test_docker_schema_2(tmp_path: Path) -> None:
    layout = Layout()
    layer = tar_of({"a": b"b"})
    config = to_json({"os": "linux", "architecture": "amd64", "rootfs": {"diff_ids": [digest_of(layer)]}})
    manifest = {
        "schemaVersion": 2,
        "mediaType": DOCKER_MANIFEST,
        "config": layout.blob(config, DOCKER_CONFIG),
        "layers": [layout.blob(layer, DOCKER_LAYER)],
    }
    layout.enter(layout.blob(to_json(manifest), DOCKER_MANIFEST))
    (image,) = load(folder(layout, tmp_path), tmp_path).images
    assert image.manifest is not None
    assert image.manifest.media_type == DOCKER_MANIFEST


class TestIndex:
    def multi(self, layout: Layout) -> tuple[Json, Json, Json]:
        first = layout.image("amd", AMD64)
        second = layout.image("arm", ARM64)
        return first, second, layout.index(with_platform(first, AMD64), with_platform(second, ARM64))

    def test_index_with_two_platforms(self, tmp_path: Path) -> None:
        layout = Layout()
        first, second, index = self.multi(layout)
        layout.enter(index)
        name = folder(layout, tmp_path)
        found = load(name, tmp_path)
        assert found.index is not None
        assert found.index.digest == index["digest"]
        assert [image.platform for image in found.images] == [AMD64, ARM64]
        assert manifests(name, tmp_path, ARM64) == [second["digest"]]
        assert manifests(f"{name}@{first['digest']}", tmp_path) == [first["digest"]]
        assert load(f"{name}@{first['digest']}", tmp_path).index is None

    def test_a_platform_that_is_not_there_is_named(self, tmp_path: Path) -> None:
        layout = Layout()
        layout.enter(self.multi(layout)[2])
        with pytest.raises(StoreError, match="no image for linux/s390x") as caught:
            load(folder(layout, tmp_path), tmp_path, Platform(os="linux", architecture="s390x"))
        assert caught.value.hint == "its index names: linux/amd64, linux/arm64"

    def test_other_platforms_are_not_read(self, tmp_path: Path) -> None:
        layout = Layout()
        first, second, index = self.multi(layout)
        layout.enter(index)
        layout.blobs[second["digest"]] = b"damaged"
        name = folder(layout, tmp_path)
        assert manifests(name, tmp_path, AMD64) == [first["digest"]]
        with pytest.raises(MalformedImageError):
            load(name, tmp_path)

    def test_variant_of_the_index_is_kept(self, tmp_path: Path) -> None:
        layout = Layout()
        arm = Platform(os="linux", architecture="arm", variant="v7")
        image = layout.image("arm", Platform(os="linux", architecture="arm"))
        layout.enter(layout.index(with_platform(image, arm)))
        found = load(folder(layout, tmp_path), tmp_path, arm)
        assert found.image_for(arm).platform == arm

    def test_absent_platforms_are_told(self, tmp_path: Path) -> None:
        layout = Layout()
        _, second, index = self.multi(layout)
        layout.enter(index)
        del layout.blobs[second["digest"]]
        name = folder(layout, tmp_path)
        found = load(name, tmp_path)
        assert [descriptor.digest for descriptor in found.absent] == [second["digest"]]
        assert len(found.images) == 1
        with pytest.raises(StoreError, match="the store has no manifest that its index names for linux/arm64"):
            load(name, tmp_path, ARM64)

    def test_missing_layer_of_a_platform_is_an_error(self, tmp_path: Path) -> None:
        layout = Layout()
        layout.enter(self.multi(layout)[2])
        del layout.blobs[digest_of(tar_of({"file": b"arm"}))]
        with pytest.raises(StoreError, match="is missing"):
            load(folder(layout, tmp_path), tmp_path)

    def test_attestations_are_apart(self, tmp_path: Path) -> None:
        layout = Layout()
        image = layout.image("amd", AMD64)
        statement = layout.image("statement", Platform(os="unknown", architecture="unknown"))
        index = layout.index(with_platform(image, AMD64), as_attestation(statement, image))
        layout.enter(index)
        name = folder(layout, tmp_path)
        for platform in (None, AMD64):
            found = load(name, tmp_path, platform)
            assert [item.platform for item in found.images] == [AMD64]
            (attestation,) = found.attestations
            assert attestation.subject == image["digest"]
            assert attestation.manifest.digest == statement["digest"]

    def test_attestations_of_other_platforms_are_left_out(self, tmp_path: Path) -> None:
        layout = Layout()
        first, second, _ = self.multi(layout)
        statement = as_attestation(layout.image("statement"), second)
        layout.enter(layout.index(with_platform(first, AMD64), with_platform(second, ARM64), statement))
        name = folder(layout, tmp_path)
        assert load(name, tmp_path, AMD64).attestations == ()
        assert len(load(name, tmp_path, ARM64).attestations) == 1

    def test_artifacts_in_an_index_are_no_images(self, tmp_path: Path) -> None:
        layout = Layout()
        image = layout.image()
        layout.enter(layout.index(artifact(layout), image))
        assert manifests(folder(layout, tmp_path), tmp_path) == [image["digest"]]

    def test_index_of_artifacts_alone(self, tmp_path: Path) -> None:
        layout = Layout()
        layout.enter(layout.index(artifact(layout)))
        with pytest.raises(StoreError, match="has no image"):
            load(folder(layout, tmp_path), tmp_path)

    def test_nested_indexes(self, tmp_path: Path) -> None:
        layout = Layout()
        image = layout.image()
        index = layout.index(layout.index(layout.index(image)), image)
        layout.enter(index)
        found = load(folder(layout, tmp_path), tmp_path)
        assert found.index is not None
        assert found.index.digest == index["digest"]
        assert [item.manifest and item.manifest.digest for item in found.images] == [image["digest"]]

    def test_indexes_nested_too_deep(self, tmp_path: Path) -> None:
        layout = Layout()
        inner = layout.image()
        for _ in range(6):
            inner = layout.index(inner)
        layout.enter(inner)
        layout.enter(layout.image("other"))
        name = folder(layout, tmp_path)
        for asked in (name, f"{name}@{inner['digest']}"):
            with pytest.raises(MalformedImageError, match="nested in more than 4 indexes"):
                load(asked, tmp_path)

    def test_index_that_claims_to_hold_itself(self, tmp_path: Path) -> None:
        layout = Layout()
        zero = "sha256:" + "0" * 64
        index = {"schemaVersion": 2, "manifests": [{"mediaType": "", "digest": zero, "size": 1}]}
        raw = to_json(index).replace(b'"size": 1}', b'"size": 9999}')
        raw = raw.replace(b"9999", str(len(raw)).rjust(4).encode())
        layout.blobs[zero] = raw
        layout.enter({"mediaType": "", "digest": zero, "size": len(raw)})
        with pytest.raises(DigestMismatchError):
            load(folder(layout, tmp_path), tmp_path)

    @pytest.mark.timeout(30)
    def test_wide_indexes_are_walked_once(self, tmp_path: Path) -> None:
        layout = Layout()
        level = [layout.image()]
        for depth in range(4):  # one walk for each path from the top would be 60 ** 3
            level = [layout.index(*level, annotations={"n": f"{depth}.{number}"}) for number in range(60)]
        layout.enter(level[0], "wide")
        layout.enter(layout.image("other"), "other")
        name = folder(layout, tmp_path)
        assert len(load(f"{name}:wide", tmp_path).images) == 1
        with pytest.raises(StoreError, match="may mean 2 images"):
            load(name, tmp_path)


def artifact(layout: Layout) -> Json:
    manifest = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "artifactType": "application/vnd.example.sbom",
        "config": layout.blob(b"{}", "application/vnd.oci.empty.v1+json"),
        "layers": [layout.blob(b"{}", "application/vnd.oci.empty.v1+json")],
    }
    return layout.blob(to_json(manifest), OCI_MANIFEST)


class TestSelection:
    def two(self) -> tuple[Layout, Json, Json]:
        layout = Layout()
        return layout, layout.enter(layout.image("1"), "one"), layout.enter(layout.image("2"), "two")

    def test_by_tag_and_by_digest(self, tmp_path: Path) -> None:
        layout, first, second = self.two()
        name = folder(layout, tmp_path)
        assert manifests(f"{name}:one", tmp_path) == [first["digest"]]
        assert manifests(f"{name}:two", tmp_path) == [second["digest"]]
        assert manifests(f"{name}@{second['digest']}", tmp_path) == [second["digest"]]

    def test_by_the_digest_of_the_config(self, tmp_path: Path) -> None:
        layout, first, _ = self.two()
        name = folder(layout, tmp_path)
        config = load(f"{name}:one", tmp_path).images[0].config.digest
        assert manifests(f"{name}@{config}", tmp_path) == [first["digest"]]

    def test_several_need_a_choice(self, tmp_path: Path) -> None:
        layout, _, _ = self.two()
        name = folder(layout, tmp_path)
        with pytest.raises(StoreError, match="may mean 2 images") as caught:
            load(name, tmp_path)
        assert caught.value.hint == f"choose one, or a platform: {name}:one, {name}:two"
        with pytest.raises(StoreError, match="may mean 2 images"):
            load(name, tmp_path, AMD64)

    def test_unknown_tag_and_digest(self, tmp_path: Path) -> None:
        layout, _, _ = self.two()
        name = folder(layout, tmp_path)
        with pytest.raises(StoreError, match="no image tagged three") as caught:
            load(f"{name}:three", tmp_path)
        assert caught.value.hint == f"it has: {name}:one, {name}:two"
        with pytest.raises(StoreError, match="no image with the digest sha256:0000"):
            load(f"{name}@sha256:{'0' * 64}", tmp_path)

    def test_the_list_is_bounded_and_printable(self, tmp_path: Path) -> None:
        layout = Layout()
        for number in range(30):
            layout.enter(layout.image(str(number)), f"\x1b[31m{number}")
        with pytest.raises(StoreError) as caught:
            load(folder(layout, tmp_path), tmp_path)
        assert caught.value.hint is not None
        assert "\x1b" not in caught.value.hint
        assert caught.value.hint.endswith("and 20 more")

    def test_two_names_of_one_image(self, tmp_path: Path) -> None:
        layout = Layout()
        image = layout.image()
        layout.enter(image, "one")
        layout.enter(image, "two")
        name = folder(layout, tmp_path)
        for asked in (name, f"{name}:one", f"{name}:two"):
            assert manifests(asked, tmp_path) == [image["digest"]]

    @pytest.mark.parametrize("asked", ["sample:one", "docker.io/library/sample:one", "one"])
    def test_names_that_are_references(self, tmp_path: Path, asked: str) -> None:
        layout = Layout()
        image = layout.image("1")
        layout.enter(image, **{CONTAINERD_NAME: "docker.io/library/sample:one"})
        layout.enter(layout.image("2"), **{REF_NAME: "two"})
        assert manifests(f"{folder(layout, tmp_path)}:{asked}", tmp_path) == [image["digest"]]

    def test_platform_chooses_among_entries(self, tmp_path: Path) -> None:
        layout = Layout()
        layout.enter(layout.image("1", AMD64), "one")
        arm = layout.enter(layout.image("2", ARM64), "two")
        assert manifests(folder(layout, tmp_path), tmp_path, ARM64) == [arm["digest"]]

    def test_entries_that_are_the_platforms_of_one_name(self, tmp_path: Path) -> None:
        layout = Layout()
        first = with_platform(layout.image("1", AMD64), AMD64)
        second = with_platform(layout.image("2", ARM64), ARM64)
        layout.enter(first, "latest")
        layout.enter(second, "latest")
        name = folder(layout, tmp_path)
        found = load(f"{name}:latest", tmp_path)
        assert found.index is None
        assert [image.platform for image in found.images] == [AMD64, ARM64]
        assert manifests(name, tmp_path, ARM64) == [second["digest"]]

    def test_entries_that_an_index_contains_are_no_images_of_their_own(self, tmp_path: Path) -> None:
        layout = Layout()
        image = layout.image()
        layout.enter(image)
        layout.enter(artifact(layout))
        index = layout.enter(layout.index(image))
        found = load(folder(layout, tmp_path), tmp_path)
        assert found.index is not None
        assert found.index.digest == index["digest"]

    def test_artifact_is_no_image(self, tmp_path: Path) -> None:
        layout = Layout()
        layout.enter(artifact(layout), "sbom")
        with pytest.raises(StoreError, match=r"is an artifact of the type application/vnd\.example\.sbom"):
            load(f"{folder(layout, tmp_path)}:sbom", tmp_path)

    def test_empty_layout(self, tmp_path: Path) -> None:
        with pytest.raises(StoreError, match="holds no image"):
            load(folder(Layout(), tmp_path), tmp_path)

    def test_the_only_image_is_of_another_platform(self, tmp_path: Path) -> None:
        layout = Layout()
        layout.enter(layout.image())
        with pytest.raises(StoreError, match="no image for linux/arm64") as caught:
            load(folder(layout, tmp_path), tmp_path, ARM64)
        assert caught.value.hint == "it has: linux/amd64"


class TestDamage:
    @pytest.mark.parametrize("what", ["manifest", "config"])
    def test_changed_bytes(self, tmp_path: Path, what: str) -> None:
        layout = Layout()
        manifest = layout.enter(layout.image())
        digest = manifest["digest"]
        if what == "config":
            digest = next(key for key, data in layout.blobs.items() if b"diff_ids" in data)
        layout.blobs[digest] = layout.blobs[digest].replace(b"linux", b"linuX").replace(b"tar", b"taR")
        with pytest.raises(DigestMismatchError, match=digest):
            load(folder(layout, tmp_path), tmp_path)

    def test_wrong_size_of_the_manifest(self, tmp_path: Path) -> None:
        layout = Layout()
        manifest = layout.enter(layout.image())
        layout.entries[0]["size"] += 1
        with pytest.raises(MalformedImageError, match=f"{manifest['digest']} has .* bytes where its descriptor says"):
            load(folder(layout, tmp_path), tmp_path)

    def test_wrong_size_of_a_layer(self, tmp_path: Path) -> None:
        layout = Layout()
        layout.enter(layout.image())
        layer = digest_of(tar_of({"file": b"hello"}))
        layout.blobs[layer] += b"\0"
        with pytest.raises(MalformedImageError, match=f"{layer} has"):
            load(folder(layout, tmp_path), tmp_path)

    def test_manifest_and_config_of_other_lengths(self, tmp_path: Path) -> None:
        layout = Layout()
        layer = layout.blob(tar_of({}), "application/vnd.oci.image.layer.v1.tar")
        config = layout.blob(to_json({"rootfs": {"diff_ids": []}}), OCI_CONFIG)
        manifest = {"schemaVersion": 2, "config": config, "layers": [layer]}
        layout.enter(layout.blob(to_json(manifest), OCI_MANIFEST))
        with pytest.raises(MalformedImageError, match="1 layers, the config has 0 diff_ids"):
            load(folder(layout, tmp_path), tmp_path)

    @pytest.mark.parametrize(
        ("name", "content", "message"),
        [
            ("oci-layout", b"{}", "imageLayoutVersion"),
            ("oci-layout", b"[]", "not a JSON object"),
            ("oci-layout", b" " * 5000, "over the limit of 4096"),
            ("index.json", b"{", "not JSON"),
            ("index.json", b"\xff\xfe", "not JSON"),
            ("index.json", b'{"schemaVersion":2,"manifests":[],"manifests":[]}', "twice"),
            ("index.json", b'{"schemaVersion":2,"manifests":[],"layers":[]}', "at once"),
            ("index.json", b"[" * 10_000 + b"]" * 10_000, "nests deeper"),
            ("index.json", b'{"schemaVersion":2,"config":{},"layers":[]}', "manifest.config"),
        ],
    )
    def test_broken_contents(self, tmp_path: Path, name: str, content: bytes, message: str) -> None:
        layout = Layout()
        layout.enter(layout.image())
        path = layout.write_folder(tmp_path / "layout")
        (path / name).write_bytes(content)
        with pytest.raises(MalformedImageError, match=message):
            load(f"oci:{path}", tmp_path)

    def test_a_manifest_in_place_of_the_contents(self, tmp_path: Path) -> None:
        layout = Layout()
        manifest = layout.enter(layout.image())
        path = layout.write_folder(tmp_path / "layout")
        (path / "index.json").write_bytes(blob_path(path, manifest).read_bytes())
        with pytest.raises(MalformedImageError, match="image manifest, not an index"):
            load(f"oci:{path}", tmp_path)

    def test_missing_parts(self, tmp_path: Path) -> None:
        layout = Layout()
        manifest = layout.enter(layout.image())
        path = layout.write_folder(tmp_path / "layout")
        blob_path(path, manifest).unlink()
        with pytest.raises(StoreError, match=f"{manifest['digest']} is missing"):
            load(f"oci:{path}", tmp_path)
        (path / "index.json").unlink()
        with pytest.raises(MalformedImageError, match=r"no index\.json"):
            load(f"oci:{path}", tmp_path)
        (path / "oci-layout").unlink()
        with pytest.raises(StoreError, match="no oci-layout"):
            load(f"oci:{path}", tmp_path)
