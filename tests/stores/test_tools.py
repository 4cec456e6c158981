"""Images made by other programs, in each of their formats; what is read must be what those programs say."""

from __future__ import annotations

import gzip
import json
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.machine import unavailable
from tests.stores.store_images import digest_of, load
from verifier.oci.blob import stream_layer
from verifier.oci.image import Image
from verifier.oci.reference import parse_image_name
from verifier.stores import open_store, write_layout


def tool(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        unavailable(f"{name} is not installed")
    return str(found)


def skopeo(*arguments: str | Path) -> bytes:
    argv = [tool("skopeo"), "--insecure-policy", *map(str, arguments)]
    return subprocess.run(argv, check=True, capture_output=True, timeout=120).stdout


def umoci(*arguments: str | Path) -> str:
    argv = [tool("umoci"), *map(str, arguments)]
    return subprocess.run(argv, check=True, capture_output=True, text=True, timeout=120).stdout


@pytest.fixture(scope="module")
def layout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Let umoci make a layout with the images `one` (two layers) and `two` (three)."""
    folder = tmp_path_factory.mktemp("umoci")
    (folder / "hello").write_text("hello")
    (folder / "tree" / "deep").mkdir(parents=True)
    (folder / "tree" / "deep" / "file").write_bytes(bytes(range(256)) * 1000)
    (folder / "tree" / "link").symlink_to("deep/file")
    made = folder / "layout"
    umoci("init", "--layout", made)
    umoci("new", "--image", f"{made}:one")
    umoci("insert", "--image", f"{made}:one", folder / "hello", "/hello")
    umoci("insert", "--image", f"{made}:one", folder / "tree", "/tree")
    umoci("insert", "--image", f"{made}:one", "--tag", "two", folder / "hello", "/again")
    return made


def read_through(name: str, tmp_path: Path) -> Image:
    """Load an image and stream every layer, which verifies all its digests."""
    store = open_store(parse_image_name(name), tmp_path)
    (image,) = store.load(None).images
    for layer in image.layers:
        for _ in stream_layer(image.blobs, layer):
            pass
    store.close()
    return image


def test_umoci(layout: Path, tmp_path: Path) -> None:
    names = umoci("ls", "--layout", layout).split()
    assert sorted(names) == ["one", "two"]
    for name in names:
        image = read_through(f"oci:{layout}:{name}", tmp_path)
        said = json.loads(umoci("stat", "--json", "--image", f"{layout}:{name}"))
        made = [entry for entry in said["history"] if not entry.get("empty_layer")]
        assert [layer.descriptor.digest for layer in image.layers] == [entry["layer"]["digest"] for entry in made]
        assert [layer.diff_id for layer in image.layers] == [entry["diff_id"] for entry in made]


def test_skopeo_reads_the_same_manifest(layout: Path, tmp_path: Path) -> None:
    skopeo("copy", f"oci:{layout}:one", f"oci-archive:{tmp_path / 'oci.tar'}:one")
    skopeo("copy", f"oci:{layout}:one", f"oci:{tmp_path / 'oci'}:one")
    for name in (f"oci:{layout}:one", f"oci-archive:{tmp_path / 'oci.tar'}", f"oci:{tmp_path / 'oci'}"):
        raw = skopeo("inspect", "--raw", name)
        image = read_through(name, tmp_path)
        assert image.manifest is not None
        assert image.manifest.raw == raw
        assert image.config.raw == skopeo("inspect", "--raw", "--config", name)


def test_skopeo_docker_archive(layout: Path, tmp_path: Path) -> None:
    path = tmp_path / "docker.tar"
    skopeo("copy", f"oci:{layout}:one", f"docker-archive:{path}:example/sample:one")
    original = read_through(f"oci:{layout}:one", tmp_path)
    for selector in ("", ":example/sample:one", ":docker.io/example/sample:one", ":one"):
        image = read_through(f"docker-archive:{path}{selector}", tmp_path)
        assert image.manifest is None
        assert [layer.diff_id for layer in image.layers] == [layer.diff_id for layer in original.layers]
        assert image.config.raw == skopeo("inspect", "--raw", "--config", f"docker-archive:{path}")


def test_skopeo_zstd(layout: Path, tmp_path: Path) -> None:
    original = read_through(f"oci:{layout}:one", tmp_path)
    skopeo("copy", "--dest-compress-format", "zstd", "--dest-compress", f"oci:{layout}:one", f"dir:{tmp_path / 'dir'}")
    skopeo("copy", f"dir:{tmp_path / 'dir'}", f"oci:{tmp_path / 'zstd'}:x")
    image = read_through(f"oci:{tmp_path / 'zstd'}", tmp_path)
    assert all(layer.descriptor.media_type.endswith("zstd") for layer in image.layers)
    assert [layer.diff_id for layer in image.layers] == [layer.diff_id for layer in original.layers]


def test_compressed_docker_archive(layout: Path, tmp_path: Path) -> None:
    skopeo("copy", f"oci:{layout}:two", f"docker-archive:{tmp_path / 'docker.tar'}")
    (tmp_path / "docker.tar.gz").write_bytes(gzip.compress((tmp_path / "docker.tar").read_bytes()))
    plain = read_through(f"docker-archive:{tmp_path / 'docker.tar'}", tmp_path)
    packed = read_through(f"docker-archive:{tmp_path / 'docker.tar.gz'}", tmp_path)
    assert plain.config == packed.config
    assert not list(tmp_path.glob("archive-*"))


def test_what_is_written_is_read_by_skopeo_and_umoci(layout: Path, tmp_path: Path) -> None:
    skopeo("copy", f"oci:{layout}:two", f"docker-archive:{tmp_path / 'docker.tar'}")
    store = open_store(parse_image_name(f"docker-archive:{tmp_path / 'docker.tar'}"), tmp_path)
    found = store.load(None)
    write_layout(found, tmp_path / "kept")
    store.close()
    raw = skopeo("inspect", "--raw", f"oci:{tmp_path / 'kept'}")
    (kept,) = load(f"oci:{tmp_path / 'kept'}", tmp_path).images
    assert kept.manifest is not None
    assert kept.manifest.digest == digest_of(raw)
    skopeo("copy", f"oci:{tmp_path / 'kept'}", f"oci:{tmp_path / 'again'}:x")
    assert umoci("ls", "--layout", tmp_path / "again").split() == ["x"]


@pytest.mark.buildah
@pytest.mark.parametrize("kind", ["oci", "docker"])
def test_buildah(tmp_path: Path, kind: str) -> None:
    argv = [
        tool("buildah"), "--storage-driver", "vfs",
        "--root", str(tmp_path / "storage"), "--runroot", str(tmp_path / "run"),
    ]  # fmt: skip

    def buildah(*arguments: str) -> str:
        finished = subprocess.run([*argv, *arguments], check=True, capture_output=True, text=True, timeout=120)
        return finished.stdout.strip()

    (tmp_path / "hello").write_text("hello")
    container = buildah("from", "scratch")
    buildah("copy", container, str(tmp_path / "hello"), "/hello")
    buildah("commit", "--format", kind, container, "localhost/sample:one")
    expected = json.loads(buildah("inspect", "--type", "image", "localhost/sample:one"))
    buildah("push", "localhost/sample:one", f"oci:{tmp_path / 'oci'}:one")
    buildah("push", "localhost/sample:one", f"oci-archive:{tmp_path / 'oci.tar'}")
    buildah("push", "localhost/sample:one", f"docker-archive:{tmp_path / 'docker.tar'}:localhost/sample:one")
    buildah("rm", container)
    buildah("rmi", "localhost/sample:one")

    diff_ids = json.loads(expected["Config"])["rootfs"]["diff_ids"]
    for name in (f"oci:{tmp_path / 'oci'}:one", f"oci-archive:{tmp_path / 'oci.tar'}"):
        image = read_through(name, tmp_path)
        assert [layer.diff_id for layer in image.layers] == diff_ids
        assert image.manifest is not None
        assert image.manifest.raw == skopeo("inspect", "--raw", name)
    image = read_through(f"docker-archive:{tmp_path / 'docker.tar'}:localhost/sample:one", tmp_path)
    assert [layer.diff_id for layer in image.layers] == diff_ids
