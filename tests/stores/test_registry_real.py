"""A real registry, and images that other programs push to it or pull from it."""

from __future__ import annotations

import base64
import io
import json
import os
import subprocess
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import oras.client
import pytest

from tests.builders.engine_runs import use
from tests.cli.tool import error_lines, verify_build
from tests.stores.real_registry import PASSWORD, USER, run_private_registry
from tests.stores.store_images import AMD64, ARM64, Layout, digest_of, to_json, with_platform
from tests.stores.test_tools import skopeo
from verifier.errors import StoreError, UnauthorizedError
from verifier.oci.blob import stream_layer
from verifier.oci.descriptor import Descriptor
from verifier.oci.digest import Digest
from verifier.oci.image import Image, ImageSet
from verifier.oci.media_types import OCI_MANIFEST
from verifier.oci.reference import parse_image_name, parse_reference
from verifier.stores import open_store
from verifier.stores.registry import Access, Repository
from verifier.stores.registry_push import push_image

pytestmark = [pytest.mark.registry, pytest.mark.timeout(300)]

CHUNKS = 3
CHUNK = 256 * 1024


def load(name: str, folder: Path) -> ImageSet:
    """Load an image and read every layer, which verifies all digests."""
    store = open_store(parse_image_name(name), folder)
    images = store.load(None)
    for image in images.images:
        for layer in image.layers:
            for _ in stream_layer(image.blobs, layer):
                pass
    store.close()
    return images


def only(name: str, folder: Path) -> Image:
    (image,) = load(name, folder).images
    return image


def equal_layers(first: Image, second: Image) -> bool:
    return [layer.diff_id for layer in first.layers] == [layer.diff_id for layer in second.layers]


def docker(environment: Mapping[str, str], *arguments: str, cwd: Path | None = None) -> str:
    done = subprocess.run(
        ["docker", *arguments], env=dict(environment), capture_output=True, text=True, timeout=200, check=False, cwd=cwd
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.fixture(scope="module")
def place(registry: str) -> str:
    """Where in the registry to push to: it may have run before, and hold what an earlier run pushed."""
    return f"{registry}/{os.urandom(4).hex()}"


@pytest.fixture(scope="module")
def private(registry: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a registry that wants a password; `registry` provides the program."""
    with run_private_registry(tmp_path_factory.mktemp("private")) as address:
        yield address


@pytest.mark.parametrize("form", ["oci", "v2s2"])
def test_pushed_by_skopeo(place: str, bases: Callable[[str], Path], tmp_path: Path, form: str) -> None:
    archive = f"docker-archive:{bases('busybox:stable')}"
    name = f"{place}/skopeo/{form}:one"
    skopeo("copy", "--format", form, "--dest-tls-verify=false", archive, f"docker://{name}")
    image = only(f"docker://{name}", tmp_path)
    assert image.manifest is not None
    assert image.manifest.raw == skopeo("inspect", "--raw", "--tls-verify=false", f"docker://{name}")
    assert equal_layers(image, only(archive, tmp_path))


@pytest.mark.engine
@pytest.mark.parametrize("engine", ["20.10", "28.5-containerd"])
def test_pushed_by_an_engine(
    place: str,
    engines: Mapping[str, Mapping[str, str]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    engine: str,
) -> None:
    environment = engines[engine]
    name = f"{place}/engine/{engine}:one"
    docker(environment, "tag", "busybox:stable", name)
    try:
        told = docker(environment, "push", name).rpartition("digest: ")[2].partition(" ")[0]
    finally:
        docker(environment, "rmi", name)
    with Repository(parse_reference(name)) as repository:
        assert repository.manifest().digest == told
    use(environment, monkeypatch)
    image = only(name, tmp_path)
    assert image.manifest is not None
    assert equal_layers(image, only("docker-daemon:busybox:stable", tmp_path))


@pytest.mark.buildkit
def test_pushed_by_buildkit(place: str, engines: Mapping[str, Mapping[str, str]], tmp_path: Path) -> None:
    """An index with an attestation, as BuildKit pushes it by default."""
    environment = engines["28.5-containerd"]
    (tmp_path / "file").write_text("hello", encoding="utf-8")
    (tmp_path / "Dockerfile").write_text("FROM scratch\nCOPY file /\n", encoding="utf-8")
    name = f"{place}/buildkit:one"
    options = ["--provenance=mode=max", "--output", f"type=image,name={name},push=true,store=false"]
    docker(environment, "buildx", "build", *options, ".", cwd=tmp_path)
    work = tmp_path / "work"
    work.mkdir()
    images = load(name, work)
    assert images.index is not None
    assert len(images.images) == len(images.attestations) == 1
    assert verify_build("compare", name, f"docker://{name}@{images.index.digest}").returncode == 0


@pytest.mark.buildah
def test_pushed_by_buildah(place: str, containers: Mapping[str, str], tmp_path: Path) -> None:
    name = f"{place}/buildah:one"
    digest = tmp_path / "digest"
    argv = ["buildah", "push", "--tls-verify=false", f"--digestfile={digest}", "busybox:stable", f"docker://{name}"]
    subprocess.run(argv, check=True, capture_output=True, timeout=120, env=dict(containers))
    image = only(name, tmp_path)
    assert image.manifest is not None
    assert image.manifest.digest == digest.read_text(encoding="ascii").strip()


def test_pushed_by_the_oras_client(place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An artifact is told from an image, and can be read as what it is."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file.txt").write_text("hello", encoding="utf-8")
    client = oras.client.OrasClient(insecure=True)
    client.push(target=f"{place}/oras/artifact:one", files=["file.txt:text/plain"], disable_path_validation=True)
    client.session.close()
    with pytest.raises(StoreError, match="is an artifact of the type"):
        load(f"{place}/oras/artifact:one", tmp_path)
    with Repository(parse_reference(f"{place}/oras/artifact:one")) as repository:
        (layer,) = json.loads(repository.manifest().raw)["layers"]
        descriptor = Descriptor(media_type=layer["mediaType"], digest=Digest(layer["digest"]), size=layer["size"])
        assert repository.blob_bytes(descriptor, limit=100) == b"hello"


def layout_with(folder: Path, layout: Layout, root: dict[str, object]) -> str:
    layout.enter(root, "one")
    layout.write_folder(folder)
    return f"oci:{folder}"


def push(name: str, target: str, folder: Path, **options: str) -> Digest:
    store = open_store(parse_image_name(name), folder)
    reference = parse_reference(target)
    with Repository(reference) as repository:
        digest = push_image(store.load(None), repository, reference.tag, **options)
    store.close()
    return digest


@pytest.mark.engine
def test_pulled_and_run_by_an_engine(
    place: str, engines: Mapping[str, Mapping[str, str]], bases: Callable[[str], Path], tmp_path: Path
) -> None:
    name = f"{place}/ours/busybox:one"
    digest = push(f"oci-archive:{bases('busybox:stable')}", name, tmp_path)
    environment = engines["20.10"]
    docker(environment, "pull", "--quiet", f"{place}/ours/busybox@{digest}")
    try:
        said = docker(environment, "run", "--rm", "--network=none", f"{place}/ours/busybox@{digest}", "echo", "hello")
    finally:
        docker(environment, "rmi", f"{place}/ours/busybox@{digest}")
    assert said == "hello"


def test_index_is_pushed_byte_for_byte(place: str, tmp_path: Path) -> None:
    layout = Layout()
    children = [with_platform(layout.image(str(each), each), each) for each in (AMD64, ARM64)]
    root = layout.index(*children, annotations={"a": "b"})
    source = layout_with(tmp_path / "layout", layout, root)
    name = f"{place}/ours/index:one"
    assert push(source, name, tmp_path) == root["digest"]
    images = load(name, tmp_path)
    assert images.index is not None
    assert images.index.raw == layout.blobs[root["digest"]]
    assert verify_build("compare", source, name, "--verify-blobs").returncode == 0
    assert skopeo("inspect", "--raw", "--tls-verify=false", f"docker://{name}") == images.index.raw


def test_blobs_are_sent_once_and_mounted(place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("verifier.stores.registry_upload.CHUNK_BYTES", CHUNK)
    data = os.urandom(CHUNKS * CHUNK + 5)
    blob = Descriptor(media_type="application/octet-stream", digest=Digest(digest_of(data)), size=len(data))
    with (
        Repository(parse_reference(f"{place}/ours/first")) as first,
        Repository(parse_reference(f"{place}/ours/second")) as second,
    ):
        assert first.push_blob(Bytes(data), blob)
        assert not first.push_blob(Bytes(data), blob)
        assert first.blob_bytes(blob, limit=len(data)) == data
        assert second.blob_size(blob.digest) is None
        assert not second.push_blob(Bytes(b""), blob, mount_from=f"{place.partition('/')[2]}/ours/first")
        assert second.blob_bytes(blob, limit=len(data)) == data


def test_damaged_blob_is_not_pushed(place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("verifier.stores.registry_upload.CHUNK_BYTES", CHUNK)
    data = os.urandom(CHUNKS * CHUNK)
    blob = Descriptor(media_type="x", digest=Digest(digest_of(data)), size=len(data))
    with Repository(parse_reference(f"{place}/ours/damaged")) as repository:
        with pytest.raises(StoreError, match="has other bytes"):
            repository.push_blob(Bytes(bytes(len(data))), blob)
        assert repository.blob_size(blob.digest) is None


class Bytes:
    """One blob as a BlobSource."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def size_of(self, digest: Digest) -> int | None:  # noqa: ARG002 - there is but one
        return len(self._data) or CHUNKS * CHUNK + 5

    def open(self, digest: Digest) -> io.BytesIO:  # noqa: ARG002
        return io.BytesIO(self._data)


def test_referrers_by_tag(place: str) -> None:
    """This registry has no referrers API: the list is kept under a tag, and read from there."""
    with Repository(parse_reference(f"{place}/ours/referrers:one")) as repository:
        config = repository.push_bytes(b"{}", "application/vnd.oci.empty.v1+json")
        empty = {"mediaType": config.media_type, "digest": config.digest, "size": config.size}
        value = {"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": empty, "layers": [empty]}
        subject = repository.push_manifest(to_json({**value, "artifactType": "a/subject"}), OCI_MANIFEST, "one")
        found = repository.resolve("one")
        assert found is not None
        about = {"mediaType": OCI_MANIFEST, "digest": subject, "size": found.size}
        assert repository.referrers(subject) == ()
        digests = []
        for kind in ("a/first", "a/second"):
            raw = to_json({**value, "artifactType": kind, "subject": about, "annotations": {"kind": kind}})
            digests += [repository.push_referrer(raw, OCI_MANIFEST), repository.push_referrer(raw, OCI_MANIFEST)]
        assert [item.digest for item in repository.referrers(subject)] == digests[::2]
        (second,) = repository.referrers(subject, "a/second")
        assert (second.artifact_type, second.annotation("kind")) == ("a/second", "a/second")
        assert repository.tags() == ("one", subject.replace(":", "-"))


def test_password(private: str, tmp_path: Path, bases: Callable[[str], Path]) -> None:
    """Read, push and compare with a password; without it, or with another, the error says so, and no output has it."""
    encoded = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
    environment = {**os.environ, "DOCKER_CONFIG": str(tmp_path)}
    config = tmp_path / "config.json"
    config.write_text(json.dumps({"auths": {private: {"auth": encoded}}}), encoding="utf-8")
    name = f"{private}/ours/private:one"
    with Repository(parse_reference(name), Access(environment=environment)) as repository:
        store = open_store(parse_image_name(f"oci-archive:{bases('busybox:stable')}"), tmp_path)
        push_image(store.load(None), repository, "one")
        store.close()
    said = []
    for auth, code in ((encoded, 0), (base64.b64encode(f"{USER}:{PASSWORD}x".encode()).decode(), 3), (None, 3)):
        config.write_text(json.dumps({"auths": {private: {"auth": auth}}} if auth else {}), encoding="utf-8")
        report = tmp_path / "report.json"
        archive = f"oci-archive:{bases('busybox:stable')}"
        done = verify_build(
            "compare", name, archive, "--verify-blobs", "--report", f"json={report}", environment=environment
        )
        assert done.returncode == code
        said += [done.stdout, done.stderr, report.read_text(encoding="utf-8")]
        if code:
            assert json.loads(said[-1])["error"]["code"] == "unauthorized"
            assert error_lines(done)[1] == f"hint: docker login {private}"
    for secret in (PASSWORD, encoded):
        assert all(secret not in text for text in said)
    anonymous = Repository(parse_reference(name), Access(environment={"DOCKER_CONFIG": "/nowhere"}))
    with anonymous, pytest.raises(UnauthorizedError):
        anonymous.push_bytes(b"x", "x")
