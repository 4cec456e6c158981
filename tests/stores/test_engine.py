"""Images in real engines, with the old image store and with containerd's, and in a real containers-storage."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.machine import ENGINES
from tests.stores.store_images import config_json, digest_of, load, tar_of, to_json
from verifier.errors import BuilderUnavailableError, StoreError
from verifier.oci.blob import stream_layer
from verifier.oci.reference import parse_image_name
from verifier.stores import open_store

NAME = "verify-build.example/stores:sample"
LOWER = tar_of({"lower": b"1"})
UPPER = tar_of({"upper": b"2"})
CONFIG = config_json([LOWER, UPPER], history=[{"created_by": "COPY lower /"}, {"created_by": "COPY upper /"}])


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """Make an archive that every engine loads."""
    listed = [{"Config": "config.json", "RepoTags": [NAME], "Layers": ["1.tar", "2.tar"]}]
    files = {"config.json": CONFIG, "1.tar": LOWER, "2.tar": UPPER, "manifest.json": to_json(listed)}
    path = tmp_path / "image.tar"
    path.write_bytes(tar_of(files))
    return path


@pytest.fixture(params=ENGINES)
def engine(
    request: pytest.FixtureRequest, engines: Mapping[str, Mapping[str, str]], monkeypatch: pytest.MonkeyPatch
) -> Mapping[str, str]:
    environment = engines[request.param]
    for variable in ("DOCKER_HOST", "DOCKER_CONFIG", "PATH"):
        if variable in environment:
            monkeypatch.setenv(variable, environment[variable])
    return environment


@pytest.fixture
def loaded(engine: Mapping[str, str], archive: Path) -> Iterator[str]:
    """Put the image into the engine; give the ID that the engine has for it."""
    docker(engine, "load", "--input", str(archive))
    yield docker(engine, "image", "inspect", "--format", "{{.Id}}", NAME)
    docker(engine, "rmi", NAME)


def docker(environment: Mapping[str, str], *arguments: str) -> str:
    finished = subprocess.run(
        ["docker", *arguments], check=True, capture_output=True, text=True, env=dict(environment), timeout=120
    )
    return finished.stdout.strip()


@pytest.mark.engine
def test_image_of_an_engine(engine: Mapping[str, str], loaded: str, tmp_path: Path) -> None:
    said = json.loads(docker(engine, "image", "inspect", NAME))[0]["RootFS"]["Layers"]
    work = tmp_path / "work"
    work.mkdir()
    for name in (f"docker-daemon:{NAME}", f"docker-daemon:{loaded}"):
        store = open_store(parse_image_name(name), work)
        (image,) = store.load(None).images
        assert [layer.diff_id for layer in image.layers] == said == [digest_of(LOWER), digest_of(UPPER)]
        assert image.config.raw == CONFIG
        assert [b"".join(stream_layer(image.blobs, layer)) for layer in image.layers] == [LOWER, UPPER]
        store.close()
        assert list(work.iterdir()) == []


@pytest.mark.engine
def test_bare_name_gets_the_hint(loaded: str, tmp_path: Path) -> None:
    store = open_store(parse_image_name(NAME), tmp_path)
    with pytest.raises(StoreError, match="registry") as caught:
        store.load(None)
    assert caught.value.hint == f"the Docker engine has it: docker-daemon:{NAME}"
    store.close()


@pytest.mark.engine
def test_image_that_the_engine_has_not(engine: Mapping[str, str], tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="has no image") as caught:
        load("docker-daemon:verify-build.example/nothing", tmp_path)
    assert caught.value.hint == "docker image ls shows what it has"
    assert list(tmp_path.iterdir()) == []


def test_no_engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none.sock")
    with pytest.raises(BuilderUnavailableError):
        load("docker-daemon:sample:one", tmp_path)
    with pytest.raises(StoreError, match="refuses the connection"):
        load("127.0.0.1:1/sample:one", tmp_path)


@pytest.mark.buildah
def test_image_in_containers_storage(
    containers: Mapping[str, str], archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONTAINERS_STORAGE_CONF", containers["CONTAINERS_STORAGE_CONF"])
    work = tmp_path / "work"
    work.mkdir()
    pulled = ["buildah", "pull", "--quiet", f"docker-archive:{archive}"]
    subprocess.run(pulled, check=True, capture_output=True, timeout=120)
    try:
        store = open_store(parse_image_name(f"containers-storage:{NAME}"), work)
        (image,) = store.load(None).images
        assert [b"".join(stream_layer(image.blobs, layer)) for layer in image.layers] == [LOWER, UPPER]
        store.close()
        assert list(work.iterdir()) == []
        with pytest.raises(StoreError, match="has no image"):
            load("containers-storage:localhost/nothing:here", work)
    finally:
        subprocess.run(["buildah", "rmi", NAME], check=True, capture_output=True, timeout=120)
    assert list(work.iterdir()) == []
