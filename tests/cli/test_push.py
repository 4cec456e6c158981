"""`--push`: the registry's own digests are compared, and only what was verified gets the name."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.cli.tool import error_lines, verify_build
from verifier.oci.reference import parse_reference
from verifier.stores.registry import Repository


@pytest.fixture
def target(registry: str) -> str:
    """A repository of this test's own; the registry may have run before."""
    return f"{registry}/push/{os.urandom(4).hex()}"


@pytest.fixture
def dockerfile(tmp_path: Path) -> Path:
    context = tmp_path / "context"
    context.mkdir()
    (context / "file").write_text("hello", encoding="utf-8")
    (context / "Dockerfile").write_text("FROM busybox:stable\nCOPY file /\n", encoding="utf-8")
    return context / "Dockerfile"


def run(dockerfile: Path, environment: Mapping[str, str], *options: str, code: int) -> dict[str, Any]:
    done = verify_build(dockerfile, "--format", "json", "--quiet", "--no-ledger", *options, environment=environment)
    assert done.returncode == code, done.stderr
    report: dict[str, Any] = json.loads(done.stdout)
    return report


@pytest.mark.engine
def test_classic_engine(dockerfile: Path, target: str, builder_environment: Callable[..., Mapping[str, str]]) -> None:
    """The engine compresses while it pushes: only now there are manifests to compare."""
    environment = builder_environment("docker", "20.10")
    options = ["--builder", "docker", "--no-explain", "--push", f"{target}:one"]
    report = run(dockerfile, environment, *options, "--require", "files", code=0)
    builds = [report["builds"][side] for side in ("first", "second")]
    assert [build["manifest_source"] for build in builds] == ["registry"] * 2
    with Repository(parse_reference(f"{target}:one")) as repository:
        found = repository.resolve()
        assert found is not None
        assert found.digest == builds[0]["manifest_digest"]
        assert repository.resolve(builds[1]["manifest_digest"]) is not None
    # by default the strictest level is asked for, and times differ: nothing gets the name
    report = run(dockerfile, environment, *options[:-1], f"{target}:two", code=1)
    assert report["required"] == "manifest"
    with Repository(parse_reference(f"{target}:two")) as repository:
        assert repository.resolve() is None


@pytest.mark.buildkit
def test_buildkit(dockerfile: Path, target: str, builder_environment: Callable[..., Mapping[str, str]]) -> None:
    environment = builder_environment("buildkit", "28.5-containerd")
    options = ["--builder", "buildkit", "--reproducible", "--push", target]
    report = run(dockerfile, environment, *options, code=0)
    assert report["level"] == "manifest"
    assert report["builds"]["second"]["manifest_source"] == "registry"
    with Repository(parse_reference(target)) as repository:
        assert repository.tags() == ("latest",)
        found = repository.resolve()
    first = report["builds"]["first"]
    assert found is not None
    assert found.digest == (first["index_digest"] or first["manifest_digest"])


@pytest.mark.buildkit
def test_nothing_is_built_for_a_registry_that_refuses(
    dockerfile: Path, builder_environment: Callable[..., Mapping[str, str]]
) -> None:
    environment = builder_environment("buildkit", "28.5-containerd")
    options = ["--builder", "buildkit", "--quiet", "--no-ledger", "--push", "127.0.0.1:1/x"]
    done = verify_build(dockerfile, *options, environment=environment)
    assert done.returncode == 3
    assert error_lines(done) == ["error: the registry 127.0.0.1:1 refuses the connection"]
    assert "build 1" not in done.stderr


def test_a_digest_is_no_name(dockerfile: Path) -> None:
    done = verify_build(dockerfile, "--push", "127.0.0.1:1/x@sha256:" + "0" * 64)
    assert done.returncode == 2
    assert error_lines(done)[1] == "hint: name the tag; the digest is what the build gives"
