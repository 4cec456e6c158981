"""BuildKit on real engines, with both image stores: rebuilt in full, held to its bases, and nothing left behind."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.builders.engine_runs import Listener, build_once, build_twice, docker, make_plan, use
from verifier.builders.buildkit import buildkit_builder
from verifier.builders.protocol import BuilderSession
from verifier.clients.build_cache import from_listing
from verifier.errors import BaseNotHeldError, BuildError, BuilderUnavailableError, DockerfileError, UnsupportedError
from verifier.model.build import Build

pytestmark = pytest.mark.buildkit

CONTAINERD = ("26.1-containerd", "28.5-containerd")
OLD = ("26.1-overlay2", "28.5-overlay2")
WORKDIRS = "FROM busybox:stable\nWORKDIR /a\nRUN true\nWORKDIR /b\nCOPY f /f\n"
EPOCH = 1_700_000_000


@pytest.fixture(params=[*CONTAINERD, *OLD])
def engine(
    request: pytest.FixtureRequest, engines: Mapping[str, Mapping[str, str]], monkeypatch: pytest.MonkeyPatch
) -> str:
    use(engines[request.param], monkeypatch)
    return str(request.param)


@pytest.fixture
def cache_of_others(tmp_path: Path) -> Iterator[Path]:
    """What somebody has built on this engine with its cache on."""
    folder = tmp_path / "others"
    folder.mkdir()
    (folder / "Dockerfile").write_text(f"FROM busybox:stable\nWORKDIR /{tmp_path.name}\nRUN echo others\n", "utf-8")
    others_build(folder)
    yield folder
    identifiers = [record.id for record in records() if tmp_path.name in record.description]
    for identifier in identifiers:
        docker("buildx", "prune", "--force", "--filter", f"id={identifier}")


def others_build(folder: Path) -> str:
    """Build as anybody does, and give the progress."""
    output = "type=docker" if "overlay2" in docker("info", "--format", "{{.Driver}}") else "type=cacheonly"
    listing = folder / "progress"
    command = ["buildx", "build", "--progress=plain", f"--output={output}", "--network=none"]
    docker(*command, f"--metadata-file={listing}", str(folder))
    return listing.read_text("utf-8")


def records() -> tuple[Any, ...]:
    return from_listing(docker("buildx", "du", "--verbose"))


def file_of(build: Build, name: str) -> bytes:
    """Read a file of an export, which is a folder or an archive."""
    transport, _, path = build.location.partition(":")
    if transport == "oci":
        return (Path(path) / name).read_bytes()
    with tarfile.open(path) as archive:
        file = archive.extractfile(name)
        assert file is not None
        return file.read()


def blob_of(build: Build, digest: str) -> bytes:
    return file_of(build, f"blobs/sha256/{digest.partition(':')[2]}")


def manifest_of(build: Build) -> tuple[str, dict[str, Any], list[bytes]]:
    """Give an export's manifest with its digest, and its layers' tars."""
    digest = json.loads(file_of(build, "index.json"))["manifests"][0]["digest"]
    manifest = json.loads(blob_of(build, digest))
    if "manifests" in manifest:
        digest = manifest["manifests"][0]["digest"]
        manifest = json.loads(blob_of(build, digest))
    layers = [blob_of(build, layer["digest"]) for layer in manifest["layers"]]
    return digest, manifest, [gzip.decompress(item) if item[:2] == b"\x1f\x8b" else item for item in layers]


def mtime_of(layer: bytes, name: str) -> float:
    with tarfile.open(fileobj=io.BytesIO(layer)) as archive:
        return archive.getmember(name).mtime


def test_workdir_is_built_in_both_builds(engine: str, tmp_path: Path) -> None:
    plan = make_plan(
        tmp_path, "buildkit", "FROM busybox:stable\nWORKDIR /a\nRUN true\nWORKDIR /b\nCOPY f /f\n", {"f": ""}
    )
    first, second = build_twice(buildkit_builder(), plan, lambda _: time.sleep(2.2))
    for build in (first, second):
        assert [(step.instruction.line, step.cached) for step in build.steps if step.instruction.line > 1] == [
            (2, False), (3, False), (4, False), (5, False),
        ]  # fmt: skip
        assert build.warnings == ()
    layers = manifest_of(first)[2], manifest_of(second)[2]
    assert mtime_of(layers[0][1], "a") != mtime_of(layers[1][1], "a")
    assert mtime_of(layers[0][3], "b") != mtime_of(layers[1][3], "b")


def test_what_others_have_cached_is_neither_used_nor_lost(engine: str, tmp_path: Path, cache_of_others: Path) -> None:
    before = {record.id for record in records() if tmp_path.name in record.description}
    assert before
    dockerfile = (cache_of_others / "Dockerfile").read_text("utf-8")
    plan = make_plan(tmp_path, "buildkit", dockerfile)
    with buildkit_builder().open(plan.workspace) as session:
        session.hold(plan.references)
        for ordinal in (1, 2):
            build = session.build(plan, ordinal, Listener())
            assert not any(step.cached for step in build.steps)
    assert before <= {record.id for record in records()}
    if engine in CONTAINERD:
        assert any("left to BuildKit's own collection" in words for words in session.leftovers())
    else:
        assert session.leftovers() == ()
    known = {record.id for record in records()}
    others_build(cache_of_others)
    assert not [record for record in records() if record.id not in known and tmp_path.name in record.description]


def test_what_is_exported(engine: str, tmp_path: Path) -> None:
    plan = make_plan(tmp_path, "buildkit", "FROM busybox:stable\nENV A=1\n")
    first, second = build_twice(buildkit_builder(), plan)
    digest, manifest, _ = manifest_of(first)
    assert digest
    assert first.image_id == manifest["config"]["digest"]
    if engine in CONTAINERD:
        assert first.location.startswith("oci:")
        # what both have was sent once
        blobs = (Path(build.location.removeprefix("oci:"), "blobs", "sha256") for build in (first, second))
        one, other = (folder / manifest["layers"][0]["digest"].removeprefix("sha256:") for folder in blobs)
        assert one.samefile(other)
        assert first.manifest_source == "builder"
        assert first.builder.shows_manifest
        assert first.builder.reproducible
    else:
        assert first.location.startswith("docker-archive:")
        assert first.manifest_source == "export"
        assert not first.builder.shows_manifest
        assert not first.builder.reproducible
        assert any("type=oci" in limit for limit in first.builder.limits)


def test_the_reproducible_mode_gives_what_everybody_gets(engine: str, tmp_path: Path) -> None:
    plan = make_plan(
        tmp_path, "buildkit", "FROM busybox:stable\nWORKDIR /a\nRUN true\n", reproducible=True, epoch=EPOCH
    )
    if engine in OLD:
        with buildkit_builder().open(plan.workspace) as session, pytest.raises(UnsupportedError, match="old one"):
            session.refuse(plan)
        return
    with buildkit_builder().open(plan.workspace) as session:
        session.hold(plan.references)
        builds = [session.build(plan, ordinal, Listener()) for ordinal in (1, 2)]
    first, second = (manifest_of(build)[0] for build in builds)
    assert first == second
    everybody = tmp_path / "everybody.tar"
    docker(
        "buildx", "build", "--no-cache", "--network=none", "--provenance=false", "--sbom=false",
        f"--build-arg=SOURCE_DATE_EPOCH={EPOCH}", f"--output=type=oci,dest={everybody},rewrite-timestamp=true",
        str(tmp_path / "context"),
    )  # fmt: skip
    with tarfile.open(everybody) as archive:
        index = json.load(archive.extractfile("index.json"))  # type: ignore[arg-type]  # it is a file
    assert index["manifests"][0]["digest"] == first


def test_stages_and_cache_mounts(engine: str, tmp_path: Path) -> None:
    dockerfile = """ARG TAG=stable
FROM busybox:$TAG AS one
WORKDIR /a
RUN --mount=type=cache,target=/c echo x >>/c/x; test $(wc -l </c/x) = 1
FROM busybox:stable AS unused
RUN false
FROM one AS two
RUN <<END
date > /d
END
FROM busybox:stable
COPY --from=two /d /d
RUN ["date"]
"""
    plan = make_plan(tmp_path, "buildkit", dockerfile)
    first, second = build_twice(buildkit_builder(), plan)
    for build in (first, second):
        lines = [step.instruction.line for step in build.steps if not step.instruction.text.startswith("FROM")]
        assert lines == [3, 4, 8, 12, 13]


def test_a_failure_names_the_line(engine: str, tmp_path: Path) -> None:
    plan = make_plan(tmp_path, "buildkit", "FROM busybox:stable\nCOPY f /f\nRUN echo oops; \\\n  exit 3\n", {"f": "x"})
    with pytest.raises(BuildError) as caught:
        build_once(buildkit_builder(), plan)
    assert caught.value.message == f"build 1 failed at {plan.dockerfile.path}:3 (RUN echo oops; exit 3)"
    assert caught.value.line == 3
    assert caught.value.log[0] == "oops"
    assert caught.value.log[-1].endswith("exit code: 3")


@pytest.mark.parametrize("how", ["time limit", "ctrl-c"])
def test_a_build_that_is_cut_off_leaves_nothing(engine: str, how: str, tmp_path: Path) -> None:
    limit = 4.0 if how == "time limit" else None
    plan = make_plan(tmp_path, "buildkit", f"FROM busybox:stable\nRUN true {tmp_path}\nRUN sleep 300\n", timeout=limit)

    def interrupt(text: str) -> None:
        if how == "ctrl-c" and "sleep" in text:
            # Engine 26.1 with the old store does not end a RUN that is cancelled while it starts: give it that moment.
            time.sleep(1)
            raise KeyboardInterrupt

    began = time.monotonic()
    expected: type[BaseException] = BuildError if limit else KeyboardInterrupt
    with pytest.raises(expected):
        build_once(buildkit_builder(), plan, Listener(interrupt))
    assert time.monotonic() - began < 60


def test_a_tag_that_moves_does_no_harm(engine: str, tmp_path: Path) -> None:
    docker("tag", "busybox:stable", "moving-base:2")
    try:
        plan = make_plan(
            tmp_path, "buildkit", "FROM moving-base:2\nRUN true\nCOPY --from=moving-base:2 /bin/busybox /z\n"
        )

        def move(_: BuilderSession) -> None:
            docker("buildx", "build", "--load", "--tag=moving-base:2", "-", stdin="FROM busybox:stable\nENV MOVED=1\n")

        with buildkit_builder().open(plan.workspace) as session:
            held = session.hold(plan.references)
            first = session.build(plan, 1, Listener())
            move(session)
            second = session.build(plan, 2, Listener())
        assert "MOVED" in docker("image", "inspect", "moving-base:2")
        for build in (first, second):
            assert b"MOVED" not in blob_of(build, str(build.image_id))
        assert held[0].digest_kind == ("config" if engine in OLD else "manifest")
        assert not held[0].pinned
        assert held[0].diff_ids is not None
    finally:
        docker("image", "rm", "--force", "moving-base:2")


def test_a_stage_called_as_its_base(engine: str, tmp_path: Path) -> None:
    docker("tag", "busybox:stable", "busybox:latest")
    try:
        plan = make_plan(
            tmp_path, "buildkit", "FROM busybox AS busybox\nRUN touch /made\nFROM busybox\nRUN test -e /made\n"
        )
        build_once(buildkit_builder(), plan)
    finally:
        docker("image", "rm", "busybox:latest")


def test_a_base_that_cannot_be_had(engine: str, tmp_path: Path) -> None:
    plan = make_plan(tmp_path, "buildkit", "FROM registry.invalid/nothing:1\nRUN true\n")
    began = time.monotonic()
    with pytest.raises(BaseNotHeldError, match=r"is not in the engine, and cannot be had: .*registry\.invalid"):
        build_once(buildkit_builder(), plan)
    assert time.monotonic() - began < 60


def test_what_was_verified_can_be_loaded(engine: str, tmp_path: Path) -> None:
    plan = make_plan(tmp_path, "buildkit", "FROM busybox:stable\nRUN true\nENV A=1\n")
    with buildkit_builder().open(plan.workspace) as session:
        session.hold(plan.references)
        build = session.build(plan, 1, Listener())
        session.load(build, ["loaded-by-buildkit:1"])
    digest, manifest, _ = manifest_of(build)
    try:
        expected = digest if engine in CONTAINERD else manifest["config"]["digest"]
        assert docker("image", "inspect", "--format", "{{.Id}}", "loaded-by-buildkit:1") == expected
    finally:
        docker("image", "rm", "loaded-by-buildkit:1")


def test_options_are_shown_without_values(engine: str, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("hush", "utf-8")
    plan = make_plan(
        tmp_path,
        "buildkit",
        'FROM busybox:stable AS a\nARG TOKEN\nRUN --mount=type=secret,id=s test "$TOKEN$(cat /run/secrets/s)" = xhush\n'
        "FROM a\nRUN false\n",
        build_args=(("TOKEN", "x"),),
        secrets=(f"id=s,src={secret}",),
        target="a",
    )
    build = build_once(buildkit_builder(), plan)
    assert "--build-arg=TOKEN" in build.options
    assert "--secret" in build.options
    assert not any("TOKEN=" in option or str(tmp_path) in option for option in build.options)


class TestOldBuildKit:
    """The BuildKit inside engine 20.10, through a buildx of today."""

    @pytest.fixture(autouse=True)
    def old(self, engines: Mapping[str, Mapping[str, str]], monkeypatch: pytest.MonkeyPatch) -> None:
        use(engines["20.10"], monkeypatch)

    def test_builds_with_what_it_has(self, tmp_path: Path) -> None:
        plan = make_plan(tmp_path, "buildkit", "FROM busybox:stable\nWORKDIR /a\nRUN true\n")
        first, second = build_twice(buildkit_builder(), plan)
        assert [step.cached for step in second.steps] == [False, False, False]
        assert first.manifest_source == "export"
        assert any("named contexts" in limit for limit in first.builder.limits)

    def test_refuses_what_it_does_not_know(self, tmp_path: Path) -> None:
        plan = make_plan(tmp_path, "buildkit", "FROM busybox:stable\nRUN <<E\ntrue\nE\n")
        with buildkit_builder().open(plan.workspace) as session, pytest.raises(DockerfileError) as caught:
            session.refuse(plan)
        assert caught.value.line == 2

    def test_watches_a_base_that_it_cannot_hold(self, tmp_path: Path) -> None:
        docker("tag", "busybox:stable", "moving-base:3")
        try:
            plan = make_plan(tmp_path, "buildkit", "FROM moving-base:3\nRUN true\n")

            def move(_: BuilderSession) -> None:
                docker("build", "--tag", "moving-base:3", "-", stdin="FROM busybox:stable\nLABEL moved=1\n")

            with pytest.raises(BaseNotHeldError, match="changed during the run"):
                build_twice(buildkit_builder(), plan, move)
        finally:
            docker("image", "rm", "--force", "moving-base:3")


def test_without_buildx_the_hint_installs_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(BuilderUnavailableError) as caught:
        buildkit_builder().identify()
    assert "docker-buildx" in str(caught.value.hint)


def test_without_an_engine_the_hint_is_the_engines(
    engines: Mapping[str, Mapping[str, str]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    use(engines["28.5-containerd"], monkeypatch)
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none.sock")
    with pytest.raises(BuilderUnavailableError, match=r"none\.sock \(DOCKER_HOST\) does not answer"):
        buildkit_builder().identify()
