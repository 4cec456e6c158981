"""The program that makes base images where no hub answers."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import tarfile
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from tests.machine import SETUP

PROGRAM = SETUP / "base_images.py"


def run(*arguments: str, environment: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [PROGRAM, *arguments], capture_output=True, text=True, check=False, timeout=300, env=environment
    )


def test_an_archive_is_an_oci_layout_and_a_docker_archive_whose_digests_hold(bases: Callable[[str], Path]) -> None:
    with tarfile.open(bases("busybox:stable")) as archive:

        def read(name: str) -> bytes:
            stream = archive.extractfile(name)
            assert stream
            return stream.read()

        (described,) = json.loads(read("index.json"))["manifests"]
        manifest = json.loads(read(f"blobs/sha256/{described['digest'][7:]}"))
        config = json.loads(read(f"blobs/sha256/{manifest['config']['digest'][7:]}"))
        (layer,) = manifest["layers"]
        content = read(f"blobs/sha256/{layer['digest'][7:]}")
        (listed,) = json.loads(read("manifest.json"))
    assert config["rootfs"]["diff_ids"] == [layer["digest"]] == [f"sha256:{hashlib.sha256(content).hexdigest()}"]
    assert listed["Layers"] == [f"blobs/sha256/{layer['digest'][7:]}"]
    assert listed["Config"] == f"blobs/sha256/{manifest['config']['digest'][7:]}"
    assert listed["RepoTags"] == ["docker.io/library/busybox:stable"]


def test_made_again_it_has_the_same_bytes(bases: Callable[[str], Path], tmp_path: Path) -> None:
    again = run("archive", "busybox:stable", environment={**os.environ, "VERIFY_BUILD_CACHE": str(tmp_path)})
    assert again.returncode == 0, again.stderr
    made = Path(again.stdout.strip())
    assert made.is_relative_to(tmp_path)
    assert made.read_bytes() == bases("busybox:stable").read_bytes()


@pytest.mark.buildah
def test_an_image_that_the_store_has_is_left_alone(containers: Mapping[str, str]) -> None:
    def buildah(*arguments: str) -> str:
        done = subprocess.run(["buildah", *arguments], capture_output=True, text=True, check=True, env=dict(containers))
        return done.stdout.strip()

    name = "docker.io/library/gcc:12"
    before = buildah("images", "--quiet", "--no-trunc", name)
    buildah("tag", "docker.io/library/busybox:stable", name)
    try:
        users_own = buildah("images", "--quiet", "--no-trunc", name)
        assert users_own != before
        done = run("containers", "gcc:12", environment=containers)
        assert "gcc:12: there already" in done.stderr
        assert buildah("images", "--quiet", "--no-trunc", name) == users_own
    finally:
        buildah("tag", before, name)


@pytest.mark.parametrize(
    ("dockerfile", "named"),
    [
        ("FROM busybox:stable\n", "busybox:stable"),
        ("ARG BASE=debian:bookworm-slim\nFROM ${BASE}\n", "debian:bookworm-slim"),
        ("FROM gcc:12 AS build\nFROM debian:bookworm-slim\n", "debian:bookworm-slim gcc:12"),
        ("FROM busybox:stable-musl\nFROM my/busybox:stable\nFROM gcc:12.1\n", ""),
    ],
)
def test_the_bases_that_a_dockerfile_names_are_found(tmp_path: Path, dockerfile: str, named: str) -> None:
    (tmp_path / "Dockerfile").write_text(dockerfile, "utf-8")
    assert run("named", str(tmp_path / "Dockerfile")).stdout.strip() == named


@pytest.mark.parametrize("arguments", [(), ("elsewhere",), ("archive", "no-such:image")])
def test_bad_usage_is_told(arguments: tuple[str, ...]) -> None:
    done = run(*arguments)
    assert done.returncode == 2
    assert "usage: base_images.py" in done.stderr
