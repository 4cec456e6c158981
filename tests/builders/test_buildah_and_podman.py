"""Both builders without a daemon, on the real programs: what they build, hold, refuse and leave behind."""

from __future__ import annotations

import contextlib
import os
import signal
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from tests.builders.containers import BASE, Recorder, buildah, make_base, mounts, processes_in, read_layout, write_plan
from verifier.builders.buildah import BuildahBuilder
from verifier.builders.containers_builder import ContainersBuilder
from verifier.builders.containers_refusals import refuse_options
from verifier.builders.podman import PodmanBuilder
from verifier.clients.containers import ContainersCli, PrivateStorage, export_from_storage
from verifier.errors import BaseNotHeldError, BuildError, DockerfileError, StoreError, UnsupportedError
from verifier.model.build import Build
from verifier.model.plan import BuildOptions

EPOCH = 315532800
EXAMPLE = """\
ARG VERSION=1
FROM tiny:${VERSION} AS made
RUN echo made > /made
FROM tiny:1 AS unused
RUN echo unused > /unused
FROM tiny:1
RUN echo one > /one; rm /marker
COPY file /a/b/file
COPY --from=made /made /made
WORKDIR /srv/app
RUN mkdir /d && ln /one /d/two && ln -s /one /d/three
ENV A=1
"""


def build_twice(
    builder: ContainersBuilder, folder: Path, dockerfile: str, apart: float = 0, **options: object
) -> list[Build]:
    plan = write_plan(folder, dockerfile, {"file": "text"}, **options)
    builds = []
    with builder.open(folder) as session:
        session.refuse(plan)
        session.hold(plan.references)
        for ordinal in (1, 2):
            builds.append(session.build(plan, ordinal, Recorder()))
            time.sleep(apart if ordinal == 1 else 0)
    assert session.leftovers() == ()
    return builds


def test_a_build_is_exported_and_its_steps_are_attributed(builder: ContainersBuilder, tmp_path: Path) -> None:
    plan = write_plan(tmp_path, EXAMPLE, {"file": "text"})
    heard = Recorder()
    with builder.open(tmp_path) as session:
        session.hold(plan.references)
        build = session.build(plan, 1, heard)
    _, manifest, config = read_layout(build.location)
    assert build.image_id == manifest["config"]["digest"]
    assert build.manifest_source == "export"
    assert build.started < build.finished
    assert [(step.instruction.line, step.cached) for step in build.steps] == [
        (line, False) for line in (2, 3, 6, 7, 8, 9, 10, 11, 12)
    ]
    assert heard.steps[-1] == (11, 11, "ENV A=1")
    assert [len(config["rootfs"]["diff_ids"]), len(manifest["layers"])] == [5, 5]
    assert manifest["layers"][0]["mediaType"] == "application/vnd.oci.image.layer.v1.tar+gzip"
    assert "--no-cache" in build.options
    assert "--layers" in build.options


def test_the_reproducible_mode_gives_one_manifest(builder: ContainersBuilder, tmp_path: Path) -> None:
    first, second = build_twice(builder, tmp_path, EXAMPLE, apart=1.1, reproducible=True, epoch=EPOCH)
    assert builder.identify().reproducible
    assert read_layout(first.location)[0] == read_layout(second.location)[0]
    assert read_layout(first.location)[2]["created"] == "1980-01-01T00:00:00Z"
    assert not [warning for warning in first.warnings if "SOURCE_DATE_EPOCH" in warning]


def test_the_default_mode_does_not(builder: ContainersBuilder, tmp_path: Path) -> None:
    first, second = build_twice(builder, tmp_path, EXAMPLE, apart=1.1)
    assert read_layout(first.location)[0] != read_layout(second.location)[0]


def test_the_epoch_reaches_a_run_that_declares_it(builder: ContainersBuilder, tmp_path: Path) -> None:
    dockerfile = 'FROM tiny:1\nARG SOURCE_DATE_EPOCH\nRUN echo "epoch $SOURCE_DATE_EPOCH"\n'
    plan = write_plan(tmp_path, dockerfile, reproducible=True, epoch=EPOCH)
    heard = Recorder()
    with builder.open(tmp_path) as session:
        session.hold(plan.references)
        session.build(plan, 1, heard)
    assert f"epoch {EPOCH}" in heard.lines


@pytest.mark.buildah
@pytest.mark.podman
@pytest.mark.parametrize("make", [BuildahBuilder, PodmanBuilder])
def test_the_docker_format(make: type[BuildahBuilder | PodmanBuilder], base_storage: Path, tmp_path: Path) -> None:
    builder = make("docker")
    dockerfile = EXAMPLE + "HEALTHCHECK CMD true\n"
    builds = build_twice(builder, tmp_path, dockerfile, apart=1.1, reproducible=True, epoch=EPOCH)
    (_, manifest, config), (_, second_manifest, second_config) = (read_layout(build.location) for build in builds)
    assert manifest["mediaType"] == "application/vnd.docker.distribution.manifest.v2+json"
    assert config["config"]["Healthcheck"]
    assert builds[0].image_id == manifest["config"]["digest"]
    assert manifest["layers"] == second_manifest["layers"]
    if any("by chance" in limit for limit in builder.identify().limits):
        assert config["container"] != second_config["container"]
    else:
        assert config == second_config


def test_a_cache_mount_is_the_build_s_own(builder: ContainersBuilder, tmp_path: Path) -> None:
    dockerfile = "FROM tiny:1\nRUN --mount=type=cache,id=tests,target=/cache echo x >> /cache/x; wc -l < /cache/x\n"
    plan = write_plan(tmp_path, dockerfile)
    before = set(Path("/var/tmp").glob("buildah-cache*/*"))
    with builder.open(tmp_path) as session:
        session.hold(plan.references)
        for ordinal in (1, 2):
            heard = Recorder()
            session.build(plan, ordinal, heard)
            assert "1" in heard.lines
    assert set(Path("/var/tmp").glob("buildah-cache*/*")) == before


@pytest.fixture
def short_folder(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where run roots go: the workspaces of tests have long paths."""
    with tempfile.TemporaryDirectory(prefix="vb", dir="/tmp") as folder:
        monkeypatch.setattr("verifier.clients.containers.SHORT_FOLDER", Path(folder))
        monkeypatch.setenv("TMPDIR", folder)
        yield Path(folder)


def test_nothing_is_left_and_the_user_s_storage_is_untouched(
    builder: ContainersBuilder, base_storage: Path, short_folder: Path, tmp_path: Path
) -> None:
    before = stored()
    build_twice(builder, tmp_path, EXAMPLE)
    assert stored() == before
    assert_nothing_left(short_folder, tmp_path)


def test_an_interrupted_build_leaves_nothing(
    builder: ContainersBuilder, base_storage: Path, short_folder: Path, tmp_path: Path
) -> None:
    plan = write_plan(tmp_path, "FROM tiny:1\nRUN echo begun; sleep 600\n")
    before = stored()
    with builder.open(tmp_path) as session:
        session.hold(plan.references)
        with pytest.raises(KeyboardInterrupt):
            session.build(plan, 1, Recorder(interrupt_at="begun"))
    assert session.leftovers() == ()
    assert stored() == before
    assert_nothing_left(short_folder, tmp_path)


def test_a_container_that_outlives_its_killed_build_is_ended(
    builder: ContainersBuilder, base_storage: Path, short_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    really_build = ContainersCli.build

    def build_and_be_killed(
        cli: ContainersCli,
        argv: Sequence[str],
        on_line: Callable[[str, bytes], None],
        storage: PrivateStorage,
        timeout: float | None,
    ) -> int:
        def kill_at_begun(stream: str, line: bytes) -> None:
            on_line(stream, line)
            if line == b"begun":
                outlives.extend(processes_in(tmp_path))
                kill_builds(tmp_path)

        return really_build(cli, argv, kill_at_begun, storage, timeout)

    outlives: list[int] = []
    monkeypatch.setattr(ContainersCli, "build", build_and_be_killed)
    plan = write_plan(tmp_path, "FROM tiny:1\nRUN echo begun; exec sleep 600\n")
    with builder.open(tmp_path) as session:
        session.hold(plan.references)
        with pytest.raises(BuildError):
            session.build(plan, 1, Recorder())
    assert outlives
    assert session.leftovers() == ()
    assert_nothing_left(short_folder, tmp_path)


def kill_builds(folder: Path) -> None:
    """Kill the builds that have `folder` on their command line, as an out-of-memory killer does."""
    for line in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            program, *words = line.read_bytes().split(b"\0")
            if program in (b"buildah", b"podman") and any(word.startswith(os.fsencode(folder)) for word in words):
                os.kill(int(line.parent.name), signal.SIGKILL)


def stored() -> tuple[str, str]:
    """What the user's storage has."""
    images = buildah("images", "--all", "--no-trunc", "--digests", "--format", "{{.ID}} {{.Name}}:{{.Tag}} {{.Digest}}")
    return images, buildah("containers", "--all")


def assert_nothing_left(short_folder: Path, workspace: Path) -> None:
    assert not list((workspace / "storage").iterdir())
    assert not list(short_folder.iterdir())
    assert not processes_in(workspace)
    assert not [mount for mount in mounts() if Path(mount).is_relative_to(workspace)]
    assert not [mount for mount in mounts() if Path(mount).is_relative_to(short_folder)]


def test_a_failing_run_is_named_by_its_line(builder: ContainersBuilder, tmp_path: Path) -> None:
    plan = write_plan(tmp_path, "FROM tiny:1\n\nRUN echo fine\nRUN echo about to fail \\\n  && sh -c 'exit 7'\n")
    with builder.open(tmp_path) as session:
        session.hold(plan.references)
        with pytest.raises(BuildError) as caught:
            session.build(plan, 2, Recorder())
    assert caught.value.message == "build 2 failed at Dockerfile:4 (RUN echo about to fail && sh -c 'exit 7')"
    assert caught.value.line == 4
    assert "about to fail" in caught.value.log
    assert len(caught.value.log) <= 20
    assert caught.value.hint is None


def test_a_failing_copy_in_a_later_stage_is_named_by_its_line(builder: ContainersBuilder, tmp_path: Path) -> None:
    plan = write_plan(tmp_path, "FROM tiny:1 AS one\nRUN echo > /x\nFROM one\nCOPY missing /x\n")
    with builder.open(tmp_path) as session:
        session.hold(plan.references)
        with pytest.raises(BuildError, match=r"build 1 failed at Dockerfile:4 \(COPY missing /x\)"):
            session.build(plan, 1, Recorder())
    assert session.leftovers() == ()


def test_a_time_limit_ends_a_build(builder: ContainersBuilder, tmp_path: Path) -> None:
    plan = write_plan(tmp_path, "FROM tiny:1\nRUN sleep 600\n", timeout=3.0)
    with builder.open(tmp_path) as session:
        session.hold(plan.references)
        with pytest.raises(BuildError, match=r"build 1 was ended after 3 seconds at Dockerfile:2 \(RUN sleep 600\)"):
            session.build(plan, 1, Recorder())
    assert session.leftovers() == ()


def test_a_base_is_held_when_its_tag_moves(builder: ContainersBuilder, tmp_path: Path) -> None:
    name = f"localhost/moving-{builder.name}:1"
    first_id = make_base(name, marker="first")
    plan = write_plan(
        tmp_path,
        f"FROM {name}\nRUN cat /marker\nCOPY --from={name} /marker /copied\n"
        f"RUN --mount=type=bind,from={name},target=/other cat /other/marker\n",
    )
    with builder.open(tmp_path) as session:
        held = session.hold(plan.references)
        heard = [Recorder(), Recorder()]
        session.build(plan, 1, heard[0])
        assert make_base(name, marker="second") != first_id
        session.build(plan, 2, heard[1])
    assert {base.holder for base in held} == {first_id}
    assert [line for line in heard[1].lines if line in ("first", "second")] == ["first", "first"]


def test_held_bases_are_described(builder: ContainersBuilder, tmp_path: Path) -> None:
    image = buildah("inspect", "--type", "image", "--format", "{{.FromImageID}} {{.FromImageDigest}}", BASE)
    image_id, digest = image.split()
    plan = write_plan(tmp_path, f"FROM tiny:1 AS a\nFROM tiny@{digest}\nCOPY --from=a /marker /m\n")
    with builder.open(tmp_path) as session:
        by_tag, by_digest = session.hold(plan.references)
        session.build(plan, 1, Recorder())
    assert (by_tag.digest, by_tag.digest_kind, by_tag.pinned, by_tag.holder) == (digest, "manifest", False, image_id)
    assert (by_digest.digest, by_digest.digest_kind, by_digest.pinned) == (digest, "manifest", True)
    assert by_tag.diff_ids == by_digest.diff_ids
    assert by_tag.diff_ids
    assert by_tag.base.instruction.line == 1


def test_a_missing_base_of_an_unreachable_registry(builder: ContainersBuilder, tmp_path: Path) -> None:
    plan = write_plan(tmp_path, "FROM 127.0.0.1:9/none:1\n")
    with builder.open(tmp_path) as session, pytest.raises(BaseNotHeldError) as caught:
        session.hold(plan.references)
    assert caught.value.message.startswith("base 127.0.0.1:9/none:1 (line 1) could not be held: ")
    assert caught.value.hint is not None
    assert builder.name in caught.value.hint


def test_the_base_s_triggers_are_steps_of_from(builder: ContainersBuilder, tmp_path: Path) -> None:
    name = f"localhost/onbuild-{builder.name}:1"
    make_base(name, onbuild=("RUN echo triggered", "COPY file /triggered"))
    plan = write_plan(tmp_path, f"FROM {name}\nRUN echo own\nENV A=1\n", {"file": "text"})
    with builder.open(tmp_path) as session:
        session.hold(plan.references)
        build = session.build(plan, 1, Recorder())
    assert [step.instruction.line for step in build.steps] == [1, 1, 1, 2, 3]


def test_options_reach_the_builder(builder: ContainersBuilder, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("hidden\n", encoding="utf-8")
    plan = write_plan(
        tmp_path,
        "FROM tiny:1 AS wanted\nARG A\nARG B=default\nRUN echo A=$A B=$B\n"
        "RUN --mount=type=secret,id=s wc -c < /run/secrets/s\nFROM tiny:1\nRUN echo not reached\n",
        target="wanted",
        build_args=(("A", "given"), ("B", None)),
        secrets=(f"id=s,src={secret}",),
        network="host",
    )
    heard = Recorder()
    with builder.open(tmp_path) as session, pytest.MonkeyPatch.context() as patch:
        patch.setenv("B", "inherited")
        session.refuse(plan)
        session.hold(plan.references)
        build = session.build(plan, 1, heard)
    assert "A=given B=inherited" in heard.lines
    assert "7" in heard.lines
    assert "not reached" not in heard.lines
    assert "--target wanted" in build.options
    assert "--network host" in build.options
    assert not [option for option in build.options if "given" in option or "secret" in option]


def test_the_context_s_own_ignore_files_are_not_applied_again(builder: ContainersBuilder, tmp_path: Path) -> None:
    plan = write_plan(
        tmp_path, "FROM scratch\nCOPY . /\n", {".dockerignore": "*", ".containerignore": "*", "kept": "x"}
    )
    with builder.open(tmp_path) as session:
        session.hold(plan.references)
        build = session.build(plan, 1, Recorder())
    assert build.steps[-1].instruction.line == 2
    assert (Path(build.location.removeprefix("oci:")) / "index.json").is_file()
    history = read_layout(build.location)[2]["history"]
    assert not history[-1].get("empty_layer")


def test_a_heredoc_is_refused_by_name_and_line(builder: ContainersBuilder, tmp_path: Path) -> None:
    if not any("here-documents" in limit for limit in builder.identify().limits):
        pytest.skip("this version knows here-documents")
    plan = write_plan(tmp_path, "FROM tiny:1\nRUN echo one\nRUN <<EOF\necho two\nEOF\n")
    with (
        builder.open(tmp_path) as session,
        pytest.raises(DockerfileError, match=r"Dockerfile:3: .*here-documents") as caught,
    ):
        session.refuse(plan)
    assert caught.value.line == 3
    assert caught.value.hint


def test_flags_that_1_28_lacks_are_refused(builder: ContainersBuilder, tmp_path: Path) -> None:
    if not any("here-documents" in limit for limit in builder.identify().limits):
        pytest.skip("this version knows them")
    for number, line in enumerate(("COPY --link f /f", "ADD --checksum=sha256:00 f /f", "RUN --network=none true")):
        plan = write_plan(tmp_path / str(number), f"FROM tiny:1\n{line}\n")
        with builder.open(tmp_path) as session, pytest.raises(DockerfileError, match="Dockerfile:2: "):
            session.refuse(plan)


def test_what_was_built_is_loaded_under_the_tags(builder: ContainersBuilder, tmp_path: Path) -> None:
    plan = write_plan(tmp_path, "FROM tiny:1\nRUN echo loaded > /loaded\n", {})
    with builder.open(tmp_path) as session:
        session.hold(plan.references)
        build = session.build(plan, 1, Recorder())
        session.load(build, (f"localhost/loaded-{builder.name}:1", f"localhost/loaded-{builder.name}:2"))
    listed = buildah("images", "--no-trunc", "--format", "{{.ID}} {{.Name}}:{{.Tag}}").splitlines()
    assert build.image_id
    mine = [line.split()[1] for line in listed if line.startswith(build.image_id)]
    assert sorted(mine) == [f"localhost/loaded-{builder.name}:1", f"localhost/loaded-{builder.name}:2"]


def test_what_was_built_is_loaded_without_a_tag(builder: ContainersBuilder, tmp_path: Path) -> None:
    plan = write_plan(tmp_path, "FROM tiny:1\nRUN echo untagged > /loaded\n", {})
    with builder.open(tmp_path) as session:
        session.hold(plan.references)
        build = session.build(plan, 1, Recorder())
        session.load(build, ())
    assert build.image_id
    name = f"localhost/verify-build-{build.image_id.removeprefix('sha256:')[:12]}:latest"
    assert name in buildah("images", "--format", "{{.Name}}:{{.Tag}}").splitlines()


def test_another_isolation_is_taken_and_told_when_the_runtime_cannot_make_containers(
    builder: ContainersBuilder, tmp_path: Path
) -> None:
    broken = tmp_path / "crun"
    broken.write_text("#!/bin/sh\necho 'no such cgroup' >&2\nexit 1\n", encoding="utf-8")
    broken.chmod(0o755)
    conf = tmp_path / "containers.conf"
    known = os.environ.get("CONTAINERS_CONF")
    own = Path(known).read_text("utf-8") if known else '[engine]\nruntime = "crun"\n'
    conf.write_text(f'{own}\n[engine.runtimes]\ncrun = ["{broken}"]\n', encoding="utf-8")
    plan = write_plan(tmp_path / "plan", "FROM tiny:1\nRUN echo ran\n")
    heard = Recorder()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CONTAINERS_CONF", str(conf))
        with builder.open(tmp_path) as session:
            session.hold(plan.references)
            build = session.build(plan, 1, heard)
    assert "ran" in heard.lines
    assert [warning for warning in build.warnings if warning.startswith("RUN was isolated by --")]
    assert build.options[0].startswith(("--runtime ", "--isolation chroot"))


def test_an_option_that_build_lacks_is_refused(builder: ContainersBuilder, tmp_path: Path) -> None:
    with pytest.raises(UnsupportedError, match="has no --ssh"):
        refuse_options(BuildOptions(ssh=("default",)), builder.name, frozenset({"timestamp"}))
    with pytest.raises(UnsupportedError, match="no reproducible mode"):
        refuse_options(BuildOptions(reproducible=True, epoch=0), builder.name, frozenset({"target"}))


def test_the_docker_format_is_loaded_as_it_is(base_storage: Path, tmp_path: Path) -> None:
    plan = write_plan(tmp_path, "FROM tiny:1\nRUN echo docker > /loaded\n")
    with BuildahBuilder("docker").open(tmp_path) as session:
        session.hold(plan.references)
        build = session.build(plan, 1, Recorder())
        session.load(build, ("localhost/loaded-docker:1",))
    assert build.image_id == "sha256:" + buildah(
        "inspect", "--type", "image", "--format", "{{.FromImageID}}", "localhost/loaded-docker:1"
    )


@pytest.mark.buildah
def test_an_image_of_the_user_s_storage_is_exported_as_it_is(base_storage: Path, tmp_path: Path) -> None:
    for name in (BASE, make_base("localhost/of-docker:1", onbuild=("RUN echo",))):
        layout = tmp_path / name.rpartition("/")[2].partition(":")[0]
        export_from_storage(name, layout)
        _, manifest, config = read_layout(f"oci:{layout}")
        wanted = buildah("inspect", "--type", "image", "--format", "{{.FromImageID}}", name)
        assert manifest["config"]["digest"] == f"sha256:{wanted}"
        assert len(manifest["layers"]) == len(config["rootfs"]["diff_ids"])
    with pytest.raises(StoreError, match="containers-storage has no image localhost/none:1"):
        export_from_storage("localhost/none:1", tmp_path / "none")


@pytest.mark.registry
def test_a_missing_base_is_pulled_into_the_session_s_storage_alone(
    builder: ContainersBuilder, base_storage: Path, registry: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = f"{registry}/pulled-{builder.name}"
    buildah("push", "--quiet", "--tls-verify=false", BASE, f"docker://{name}:1")
    buildah("manifest", "create", f"{name}:many")
    buildah("manifest", "add", "--tls-verify=false", f"{name}:many", f"docker://{name}:1")
    digest_file = tmp_path / "digest"
    push = ("manifest", "push", "--all", "--quiet", "--tls-verify=false", "--digestfile", str(digest_file))
    buildah(*push, f"{name}:many", f"docker://{name}:many")
    index = digest_file.read_text("ascii").strip()
    buildah("manifest", "rm", f"{name}:many")
    registries = tmp_path / "registries.conf"
    registries.write_text(f'[[registry]]\nlocation = "{registry}"\ninsecure = true\n', encoding="utf-8")
    monkeypatch.setenv("CONTAINERS_REGISTRIES_CONF", str(registries))
    before = stored()

    held = []
    for tag in ("1", "many"):
        plan = write_plan(tmp_path / tag, f"FROM {name}:{tag}\nRUN echo built\n")
        with builder.open(tmp_path / tag) as session:
            held += session.hold(plan.references)
            session.build(plan, 1, Recorder())
    single, many = held
    # Newer versions tell the platform's manifest, older ones the index that it came out of.
    assert (many.digest, many.digest_kind) in ((index, "index"), (single.digest, "manifest"))
    assert single.digest_kind == "manifest"
    assert single.diff_ids == many.diff_ids

    pinned = write_plan(tmp_path / "pin", f"FROM {name}@{index}\nRUN echo built\n")
    with builder.open(tmp_path / "pin") as session:
        (base,) = session.hold(pinned.references)
        session.build(pinned, 1, Recorder())
    assert (base.digest, base.digest_kind, base.pinned, base.diff_ids) == (index, "index", True, many.diff_ids)
    assert stored() == before

    with builder.open(tmp_path / "none") as session, pytest.raises(BaseNotHeldError, match="none:1"):
        session.hold(write_plan(tmp_path / "none", f"FROM {name}-none:1\n").references)


def test_a_workspace_that_the_driver_cannot_stand_on_is_told(
    builder: ContainersBuilder, base_storage: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    really_opens = ContainersCli.opens

    # No file system that this kernel mounts is refused: the complaint is an older one's.
    def opens(cli: ContainersCli, storage: PrivateStorage) -> str | None:
        complains = storage.home.is_relative_to(tmp_path)
        return "'overlay' is not supported over overlayfs" if complains else really_opens(cli, storage)

    monkeypatch.setattr(ContainersCli, "opens", opens)
    plan = write_plan(tmp_path, "FROM tiny:1\nRUN echo built\n")
    beside = set(base_storage.iterdir())
    with builder.open(tmp_path) as session:
        session.hold(plan.references)
        build = session.build(plan, 1, Recorder())
    assert any("the workspace will not do: 'overlay' is not" in warning for warning in build.warnings)
    assert set(base_storage.iterdir()) == beside
    assert session.leftovers() == ()
