"""Fixtures for the builders without a daemon."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.builders.containers import buildah, make_base, write_storage_conf
from verifier.builders.buildah import BuildahBuilder
from verifier.builders.containers_builder import ContainersBuilder
from verifier.builders.podman import PodmanBuilder


@pytest.fixture(scope="module")
def base_storage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A storage of this module's own with the base image; the machine's own storage is never touched."""
    if shutil.which("buildah") is None:
        pytest.skip("buildah is not installed")
    folder = tmp_path_factory.mktemp("storage")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CONTAINERS_STORAGE_CONF", str(write_storage_conf(folder)))
        make_base()
        yield folder
        buildah("rm", "--all")
        buildah("rmi", "--all", "--force")
    for driver in ("vfs", "overlay"):
        subprocess.run(["umount", str(folder / "root" / driver)], capture_output=True, check=False)


@pytest.fixture(
    params=[pytest.param("buildah", marks=pytest.mark.buildah), pytest.param("podman", marks=pytest.mark.podman)]
)
def builder(request: pytest.FixtureRequest, base_storage: Path) -> ContainersBuilder:
    if shutil.which(request.param) is None:
        pytest.skip(f"{request.param} is not installed")
    return BuildahBuilder() if request.param == "buildah" else PodmanBuilder()
