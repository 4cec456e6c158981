"""The classic builder on real engines: old store and containerd store, success, failure and interruption."""

from __future__ import annotations

import json
import os
import tarfile
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.builders.engine_runs import (
    Listener,
    build_once,
    build_twice,
    docker,
    freeze_plan,
    make_plan,
    use,
)
from verifier.builders.docker import docker_builder
from verifier.builders.protocol import BuilderSession
from verifier.errors import (
    BaseNotHeldError,
    BuildError,
    BuilderUnavailableError,
    DockerfileError,
    UnsupportedError,
)

pytestmark = pytest.mark.engine

STAGES = """ARG TAG=stable
FROM busybox:$TAG AS one
WORKDIR /a
RUN true
FROM one
RUN date > /d
COPY --from=one /bin/busybox /q
LABEL a=b
"""


@pytest.fixture(params=["20.10", "28.5-containerd", "28.5-overlay2"])
def engine(
    request: pytest.FixtureRequest, engines: Mapping[str, Mapping[str, str]], monkeypatch: pytest.MonkeyPatch
) -> str:
    use(engines[request.param], monkeypatch)
    return str(request.param)


@pytest.fixture
def one_engine(engines: Mapping[str, Mapping[str, str]], monkeypatch: pytest.MonkeyPatch) -> None:
    use(engines["20.10"], monkeypatch)


def test_every_step_has_its_image_and_none_stays(engine: str, tmp_path: Path) -> None:
    plan = make_plan(tmp_path, "docker", STAGES)
    listener = Listener()
    first, second = build_twice(docker_builder(), plan, listener=listener)
    assert [step.instruction.line for step in first.steps] == [1, 2, 3, 4, 5, 6, 7, 8]
    assert not any(step.cached for step in (*first.steps, *second.steps))
    assert all(step.image for step in first.steps[1:])
    assert first.steps[4].image == first.steps[3].image  # the second stage stands on the first one's last image
    assert listener.steps[:3] == ["ARG TAG=stable", "FROM busybox:$TAG AS one", "WORKDIR /a"]
    made = {step.image for build in (first, second) for step in build.steps[2:]}
    there = docker("image", "ls", "--all", "--quiet", "--no-trunc").split()
    assert not made & set(there)
    assert docker("image", "inspect", "--format", "{{.Id}}", "busybox:stable") == first.steps[1].image


def test_what_is_exported(engine: str, tmp_path: Path) -> None:
    plan = make_plan(tmp_path, "docker", "FROM busybox:stable\nENV A=1\n")
    first, second = build_twice(docker_builder(), plan)
    kind, _, path = first.location.partition(":")
    assert kind == "docker-archive"
    with tarfile.open(path) as archive:
        (image,) = json.load(archive.extractfile("manifest.json"))  # type: ignore[arg-type]  # it is a file
    config = Path(image["Config"]).stem
    if engine.endswith("containerd"):
        assert first.manifest_source == "builder"
        assert first.image_id is None
        assert first.builder.shows_manifest
    else:
        assert first.manifest_source is None
        assert first.image_id == f"sha256:{config}"
        assert not first.builder.shows_manifest
    assert first.started < first.finished <= second.started


def test_triggers_of_a_base_are_run_and_none_of_their_images_stays(
    one_engine: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_BUILDKIT", "0")
    dockerfile = "FROM busybox:stable\nONBUILD RUN true > /one\nONBUILD RUN true > /two\n"
    base = docker("build", "--quiet", "--tag", "triggers:1", "-", stdin=dockerfile)
    try:
        before = docker("image", "ls", "--all", "--quiet", "--no-trunc").split()
        plan = make_plan(tmp_path, "docker", "FROM triggers:1\nRUN true > /own\n")
        build = build_once(docker_builder(), plan)
        assert [step.instruction.line for step in build.steps] == [1, 2]
        assert build.steps[0].image not in (None, base)
        assert not set(docker("image", "ls", "--all", "--quiet", "--no-trunc").split()) - set(before)
    finally:
        docker("image", "rm", "triggers:1")


def test_a_failure_names_the_line_and_leaves_nothing(engine: str, tmp_path: Path) -> None:
    plan = make_plan(tmp_path, "docker", "FROM busybox:stable\nCOPY f /f\nRUN echo oops; \\\n  exit 3\n", {"f": "x"})
    images = docker("image", "ls", "--all", "--quiet", "--no-trunc")
    with pytest.raises(BuildError) as caught:
        build_once(docker_builder(), plan)
    assert caught.value.message == f"build 1 failed at {plan.dockerfile.path}:3 (RUN echo oops; exit 3)"
    assert caught.value.line == 3
    assert "oops" in caught.value.log
    assert "non-zero code: 3" in caught.value.log[-1]
    assert not set(docker("image", "ls", "--all", "--quiet", "--no-trunc").split()) - set(images.split())


@pytest.mark.parametrize("how", ["time limit", "ctrl-c"])
def test_a_build_that_is_cut_off_leaves_no_container(engine: str, how: str, tmp_path: Path) -> None:
    limit = 3.0 if how == "time limit" else None
    plan = make_plan(tmp_path, "docker", "FROM busybox:stable\nRUN true\nRUN sleep 300\n", timeout=limit)

    def interrupt(text: str) -> None:
        if how == "ctrl-c" and "sleep" in text:
            raise KeyboardInterrupt

    began = time.monotonic()
    expected: type[BaseException] = BuildError if limit else KeyboardInterrupt
    with pytest.raises(expected) as caught:
        build_once(docker_builder(), plan, Listener(interrupt))
    assert time.monotonic() - began < 60
    assert "sleep 300" not in docker("ps", "--all", "--no-trunc", "--format", "{{.Command}}")
    if isinstance(caught.value, BuildError):
        assert caught.value.line == 3


def test_the_image_gets_no_file_that_the_user_would_not_get(one_engine: None, tmp_path: Path) -> None:
    check = 'RUN test "$(ls -A /c | tr "\\n" -)" = .dockerignore-f- && test "$(cat /c/.dockerignore)" = Dockerfile\n'
    plan = make_plan(
        tmp_path, "docker", f"FROM busybox:stable\nCOPY . /c\n{check}", {"f": "x", ".dockerignore": "Dockerfile"}
    )
    assert plan.context.dockerfile_path is None
    build_twice(docker_builder(), plan)


def test_a_folder_that_is_left_out_is_the_engine_s_own_where_something_in_it_is_brought_back(
    engine: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, context = 1_000_000_000, tmp_path / "context"
    (context / "b" / "a").mkdir(parents=True)
    (context / "b" / "a" / "keep").write_text("x", "utf-8")
    (context / "Dockerfile").write_text(
        "FROM busybox:stable\nCOPY b /c\n"
        f"RUN test $(stat -c %Y /c) -gt {old} && test $(stat -c %a /c) = 755 && test $(stat -c %Y /c/a) = {old}\n"
    )
    (context / ".dockerignore").write_text("*\n!Dockerfile\n!b/a\n")
    (context / "b").chmod(0o750)
    for path in context.rglob("*"):
        os.utime(path, (old, old))
    monkeypatch.setenv("DOCKER_BUILDKIT", "0")
    docker("image", "rm", docker("build", "--quiet", "--no-cache", str(context)))
    build_twice(docker_builder(), freeze_plan(tmp_path, context / "Dockerfile", context, "docker"))


def test_a_dockerfile_from_outside_the_context(one_engine: None, tmp_path: Path) -> None:
    context = tmp_path / "context"
    context.mkdir()
    (context / "f").write_text("x", "utf-8")
    outside = tmp_path / "Dockerfile"
    outside.write_text('FROM busybox:stable\nCOPY . /c\nRUN test "$(ls -A /c)" = f\n', "utf-8")
    build_twice(docker_builder(), freeze_plan(tmp_path, outside, context, "docker"))


def test_a_base_that_moves_ends_the_run(one_engine: None, tmp_path: Path) -> None:
    docker("tag", "busybox:stable", "moving-base:1")
    try:
        plan = make_plan(tmp_path, "docker", "FROM moving-base:1\nRUN true\n")

        def move(_: BuilderSession) -> None:
            docker("build", "--tag", "moving-base:1", "-", stdin="FROM busybox:stable\nLABEL moved=1\n")

        with pytest.raises(BaseNotHeldError, match=r"moving-base:1 \(line 1\) changed during the run"):
            build_twice(docker_builder(), plan, move)
    finally:
        docker("image", "rm", "--force", "moving-base:1")


def test_a_base_that_cannot_be_had(one_engine: None, tmp_path: Path) -> None:
    plan = make_plan(tmp_path, "docker", "FROM registry.invalid/nothing:1\nRUN true\n")
    with (
        pytest.raises(BaseNotHeldError, match=r"is not in the engine, and cannot be had: .*registry\.invalid"),
        docker_builder().open(plan.workspace) as session,
    ):
        session.hold(plan.references)


@pytest.mark.parametrize(
    ("dockerfile", "line", "words"),
    [
        ("FROM busybox:stable\nRUN <<E\ntrue\nE\n", 2, "a heredoc"),
        ("FROM busybox:stable\n\nRUN --mount=type=cache,target=/c true\n", 3, "RUN --mount"),
        ("FROM busybox:stable\nCOPY --link f /\n", 2, "--link"),
        ("FROM busybox:stable\nCOPY --chmod=755 f /\n", 2, "--chmod"),
    ],
)
def test_what_needs_buildkit_is_refused_by_line(
    one_engine: None, tmp_path: Path, dockerfile: str, line: int, words: str
) -> None:
    plan = make_plan(tmp_path, "docker", dockerfile, {"f": "x"})
    with docker_builder().open(plan.workspace) as session, pytest.raises(DockerfileError) as caught:
        session.refuse(plan)
    assert caught.value.line == line
    assert caught.value.message.endswith(f"does not know {words}")


@pytest.mark.parametrize("option", [{"secrets": ("id=a",)}, {"ssh": ("default",)}, {"reproducible": True, "epoch": 1}])
def test_options_that_need_buildkit_are_refused(one_engine: None, tmp_path: Path, option: dict[str, object]) -> None:
    plan = make_plan(tmp_path, "docker", "FROM busybox:stable\n", **option)
    with docker_builder().open(plan.workspace) as session, pytest.raises(UnsupportedError):
        session.refuse(plan)


def test_what_was_verified_can_be_loaded(engine: str, tmp_path: Path) -> None:
    plan = make_plan(tmp_path, "docker", "FROM busybox:stable\nRUN true\nENV A=1\n")
    with docker_builder().open(plan.workspace) as session:
        session.hold(plan.references)
        build = session.build(plan, 1, Listener())
        session.load(build, ["loaded-by-classic:1"])
    try:
        assert docker("image", "inspect", "--format", "{{.Id}}", "loaded-by-classic:1") == build.steps[-1].image
    finally:
        docker("image", "rm", "loaded-by-classic:1")


def test_options_are_shown_without_values(one_engine: None, tmp_path: Path) -> None:
    plan = make_plan(
        tmp_path,
        "docker",
        'FROM busybox:stable AS a\nARG TOKEN\nRUN test "$TOKEN" = hush\nFROM a\nRUN false\n',
        build_args=(("TOKEN", "hush"),),
        target="a",
    )
    first, _ = build_twice(docker_builder(), plan)
    assert "--build-arg=TOKEN" in first.options
    assert "--target=a" in first.options
    assert "hush" not in " ".join(first.options)


def test_no_engine_gives_the_command_that_mends_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none.sock")
    with pytest.raises(BuilderUnavailableError, match="does not answer") as caught:
        docker_builder().identify()
    assert caught.value.hint
