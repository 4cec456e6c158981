"""`pin --lock FILE`, then `verify --lock FILE`: what is built is what was locked, wherever the tag points by then."""

from __future__ import annotations

import json
import os
import subprocess
import tarfile
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.cli.tool import error_lines, verify_build
from tests.machine import MARKS
from tests.pin.published_images import publish
from tests.stores.store_images import digest_of, tar_of
from verifier.oci.digest import Digest

pytestmark = pytest.mark.registry

Holds = Callable[[Mapping[str, str]], AbstractContextManager[None]]
Environments = Callable[[str, str | None], Mapping[str, str]]

BUILDERS = ("buildkit", "docker", "buildah")
"""Podman holds its bases as Buildah does."""

ONE_BUILD = ("--expect", "sha256:" + "0" * 64, "--format", "json", "--quiet", "--no-ledger")
"""Build once: what it was held to is in the report, whatever comes out."""


@dataclass(frozen=True, kw_only=True)
class Locked:
    """A Dockerfile with its lock and source policy; the tag has moved since."""

    dockerfile: Path
    lock: Path
    policy: Path
    base: str
    digest: Digest


@pytest.fixture
def locked(registry: str, tmp_path: Path) -> Locked:
    base = f"{registry}/{os.urandom(4).hex()}/base:1"
    digest = publish(base, {"which": b"locked"})
    context = tmp_path / "context"
    context.mkdir()
    dockerfile = context / "Dockerfile"
    dockerfile.write_text(f"FROM {base} AS first\nFROM {base}\nCOPY --from=first /which /seen\n", encoding="utf-8")
    lock, policy = tmp_path / "verify-build.lock", tmp_path / "policy.json"
    done = verify_build("pin", dockerfile, "--lock", lock, "--source-policy", policy)
    assert done.returncode == 0, done.stdout + done.stderr
    assert publish(base, {"which": b"moved"}) != digest
    return Locked(dockerfile=dockerfile, lock=lock, policy=policy, base=base, digest=digest)


@pytest.mark.parametrize("builder", [pytest.param(name, marks=MARKS[name]) for name in BUILDERS])
def test_a_tag_that_moved(
    locked: Locked, tmp_path: Path, builder_environment: Environments, leaves_nothing: Holds, builder: str
) -> None:
    conf = tmp_path / "registries.conf"
    conf.write_text(f'[[registry]]\nlocation = "{locked.base.partition("/")[0]}"\ninsecure = true\n', encoding="utf-8")
    environment = {**builder_environment(builder, None), "CONTAINERS_REGISTRIES_CONF": str(conf)}
    options = ["--builder", builder, *ONE_BUILD, "--lock", locked.lock]
    with leaves_nothing(environment):
        done = verify_build(locked.dockerfile, *options, environment=environment)
    assert done.returncode == 1, done.stderr
    report = json.loads(done.stdout)
    bases = report["inputs"]["bases"]
    assert {base["digest"] for base in bases} == {locked.digest}
    assert not any(base["pinned"] for base in bases)  # the Dockerfile says nothing of a digest
    told = f"base {locked.base} (line 2) is held to {locked.digest} by {locked.lock}"
    assert told in report["notes"]
    assert report["builds"]["second"]["layers"][0]["diff_id"] == digest_of(tar_of({"which": b"locked"}))


@pytest.mark.engine
def test_a_name_that_another_image_has_stays_there(locked: Locked, builder_environment: Environments) -> None:
    """The classic builder takes no other image for a name, and nobody's tag is moved."""
    environment = dict(builder_environment("docker", None))
    subprocess.run(["docker", "pull", "--quiet", locked.base], env=environment, check=True, capture_output=True)
    try:
        options = ["--builder", "docker", *ONE_BUILD, "--lock", locked.lock]
        done = verify_build(locked.dockerfile, *options, environment=environment)
    finally:
        subprocess.run(["docker", "rmi", locked.base], env=environment, check=True, capture_output=True)
    assert done.returncode == 3
    said = f"error: base image {locked.base} (line 1) is locked to {locked.digest[:19]}, and this builder takes"
    assert error_lines(done)[0].startswith(said)


def test_a_lock_is_of_one_dockerfile(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).write_text("FROM scratch\nCOPY one /\n", encoding="utf-8")
    done = verify_build("pin", tmp_path / "one", tmp_path / "two", "--lock", tmp_path / "lock")
    assert done.returncode == 2
    assert error_lines(done)[1] == "hint: name them one by one"
    assert not (tmp_path / "lock").exists()


@pytest.mark.buildkit
def test_what_is_not_in_the_lock_is_not_built(
    locked: Locked, tmp_path: Path, builder_environment: Environments
) -> None:
    environment = builder_environment("buildkit", None)
    lock = tmp_path / "other.lock"
    lock.write_text('{"version": 1, "images": {}}', encoding="utf-8")
    done = verify_build(locked.dockerfile, *ONE_BUILD, "--lock", lock, environment=environment)
    assert done.returncode == 3
    assert error_lines(done) == [
        f"error: base {locked.base} (line 1) is not in {lock}, and has no digest of its own",
        f"hint: verify-build pin {locked.dockerfile} --lock {lock}",
    ]


@pytest.mark.parametrize("content", [None, b"{", b'{"version": 2}', b'{"version": 1, "images": {"x": "sha256:1"}}'])
def test_what_is_no_lock_is_refused(tmp_path: Path, content: bytes | None) -> None:
    (tmp_path / "Dockerfile").write_text("FROM scratch\nCOPY Dockerfile /\n", encoding="utf-8")
    if content is not None:
        (tmp_path / "lock").write_bytes(content)
    done = verify_build(tmp_path / "Dockerfile", "--lock", tmp_path / "lock")
    assert done.returncode == 2
    assert "lock" in error_lines(done)[0]


@pytest.mark.buildkit
def test_source_policy_holds_any_buildkit_build(
    locked: Locked, tmp_path: Path, builder_environment: Environments
) -> None:
    """BuildKit itself goes by the policy; without it the tag has moved."""
    environment = builder_environment("buildkit", None)
    seen = []
    for policy in ({"EXPERIMENTAL_BUILDKIT_SOURCE_POLICY": str(locked.policy)}, {}):
        target = tmp_path / "files.tar"
        argv = ["docker", "buildx", "build", "--quiet", f"--output=type=tar,dest={target}", locked.dockerfile.parent]
        subprocess.run(argv, env={**environment, **policy}, check=True, capture_output=True, timeout=200)
        with tarfile.open(target) as archive:
            file = archive.extractfile("seen")
            assert file is not None
            seen.append(file.read())
    assert seen == [b"locked", b"moved"]
