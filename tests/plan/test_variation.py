from __future__ import annotations

import os
import stat
import tarfile
from pathlib import Path

import pytest

from verifier.model.plan import BuildOptions, Plan
from verifier.model.variation import Factor
from verifier.plan import freeze
from verifier.plan.variation import SHIFT_SECONDS, vary_plan

PAST = 1_700_000_000_123_456_789


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    root = tmp_path / "project"
    (root / "deep" / "er").mkdir(parents=True)
    (root / "Dockerfile").write_text("FROM scratch\nCOPY . /\n")
    (root / "deep" / "one").write_text("1\n")
    (root / "deep" / "er" / "two").write_text("2\n")
    (root / "deep" / "link").symlink_to("one")
    (root / "key").write_text("secret\n")
    for path, mode in (("deep", 0o755), ("deep/er", 0o555), ("deep/one", 0o664), ("deep/er/two", 0o644)):
        (root / path).chmod(mode)
    (root / "key").chmod(0o600)
    for path in sorted(root.rglob("*"), reverse=True):
        os.utime(path, ns=(PAST, PAST), follow_symlinks=False)
    return frozen(root, tmp_path)


def frozen(root: Path, tmp_path: Path) -> Plan:
    workspace = tmp_path / "workspace"
    workspace.mkdir()
    return freeze(root / "Dockerfile", root, workspace, "buildkit", BuildOptions(), environment={})


def varied(plan: Plan, *factors: Factor) -> Plan:
    return vary_plan(plan, factors, plan.workspace / "varied")


def members(plan: Plan) -> dict[str, tarfile.TarInfo]:
    with tarfile.open(plan.context.archive) as archive:
        return {member.name: member for member in archive}


def modes(plan: Plan) -> dict[str, int]:
    root = plan.context.directory
    return {
        path.relative_to(root).as_posix(): stat.S_IMODE(path.lstat().st_mode)
        for path in root.rglob("*")
        if not path.is_symlink()
    }


def contents(plan: Plan) -> dict[str, bytes]:
    root = plan.context.directory
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def test_nothing_varied_is_the_plan_itself(plan: Plan) -> None:
    assert varied(plan) is plan


def test_a_folder_that_is_left_out_stays_out_of_the_archive(tmp_path: Path) -> None:
    root = tmp_path / "project"
    (root / "out" / "in").mkdir(parents=True)
    (root / "Dockerfile").write_text("FROM scratch\nCOPY . /\n")
    (root / "out" / "in" / "kept").write_text("1\n")
    (root / ".dockerignore").write_text("out\n!out/in\n")
    plan = frozen(root, tmp_path)
    other = varied(plan, "mtime", "order")
    assert set(members(plan)) == set(members(other)) == {".dockerignore", "Dockerfile", "out/in", "out/in/kept"}
    assert (plan.context.directory / "out").is_dir()
    assert (other.context.directory / "out").is_dir()


def test_mtimes_are_moved_in_archive_and_folder_alike_and_nothing_else_is(plan: Plan) -> None:
    other = varied(plan, "mtime")
    before, after = members(plan), members(other)
    assert list(before) == list(after)
    assert {before[name].mtime - after[name].mtime for name in before} == {SHIFT_SECONDS}
    assert {before[name].mode for name in before} == {after[name].mode for name in after}
    moved = {
        path.lstat().st_mtime_ns - (other.context.directory / path.relative_to(root)).lstat().st_mtime_ns
        for root in (plan.context.directory,)
        for path in root.rglob("*")
    }
    assert moved == {SHIFT_SECONDS * 1_000_000_000}
    assert modes(plan) == modes(other)
    assert contents(plan) == contents(other)
    assert plan.context.digest == other.context.digest
    assert plan.context.archive_digest != other.context.archive_digest


def test_an_mtime_of_1970_is_moved_forward(tmp_path: Path) -> None:
    root = tmp_path / "old"
    root.mkdir()
    (root / "Dockerfile").write_text("FROM scratch\nCOPY . /\n")
    os.utime(root / "Dockerfile", ns=(0, 0))
    other = varied(frozen(root, tmp_path), "mtime")
    assert members(other)["Dockerfile"].mtime == SHIFT_SECONDS


def test_modes_are_those_of_another_umask(plan: Plan) -> None:
    other = varied(plan, "mode")
    assert modes(other) == {
        "Dockerfile": 0o664,
        "deep": 0o775,
        "deep/er": 0o555,
        "deep/one": 0o644,
        "deep/er/two": 0o664,
        "key": 0o600,
    }
    assert {name: member.mode for name, member in members(other).items() if not member.issym()} == modes(other)
    assert members(plan)["deep/one"].mtime == members(other)["deep/one"].mtime


def test_a_context_of_umask_077_is_opened(tmp_path: Path) -> None:
    root = tmp_path / "private"
    root.mkdir(mode=0o700)
    for name, mode in (("Dockerfile", 0o600), ("run", 0o700)):
        (root / name).write_text("FROM scratch\nCOPY . /\n")
        (root / name).chmod(mode)
    assert modes(varied(frozen(root, tmp_path), "mode")) == {"Dockerfile": 0o644, "run": 0o755}


def test_order_is_the_other_way_round_with_folders_before_their_content(plan: Plan) -> None:
    before, after = list(members(plan)), list(members(varied(plan, "order")))
    assert before != after
    assert sorted(before) == sorted(after)
    for name in after:
        folder = name.rstrip("/").rpartition("/")[0]
        assert not folder or after.index(folder) < after.index(name)


def test_cpus_and_hostname_are_options(plan: Plan) -> None:
    options = varied(plan, "cpus", "hostname").options
    assert options.cpuset is not None
    assert int(options.cpuset) in os.sched_getaffinity(0)
    assert dict(options.build_args) == {"BUILDKIT_SANDBOX_HOSTNAME": "verify-build-varied"}


def test_every_run_gets_the_environment_and_no_line_moves(tmp_path: Path) -> None:
    root = tmp_path / "runs"
    root.mkdir()
    text = (
        "FROM busybox\n"
        "# RUN in a comment\n"
        "  run echo one\n"
        "RUN \\\n    echo two \\\n    three\n"
        'RUN ["echo", "four"]\n'
        "RUN --network=none echo five\n"
        "RUN <<EOF\nRUN not me\nEOF\n"
        "ONBUILD RUN echo six\n"
        "ENV RUN=seven\n"
    )
    (root / "Dockerfile").write_text(text)
    plan = frozen(root, tmp_path)
    other = varied(plan, "timezone", "locale")
    flags = "--mount=type=secret,id=verify-build-timezone,env=TZ --mount=type=secret,id=verify-build-locale,env=LC_ALL"
    assert other.dockerfile.copy.read_text().split("\n") == [
        "FROM busybox",
        "# RUN in a comment",
        f"  run {flags} echo one",
        f"RUN {flags} \\",
        "    echo two \\",
        "    three",
        f'RUN {flags} ["echo", "four"]',
        f"RUN {flags} --network=none echo five",
        f"RUN {flags} <<EOF",
        "RUN not me",
        "EOF",
        "ONBUILD RUN echo six",
        "ENV RUN=seven",
        "",
    ]
    assert (other.dockerfile.raw, other.dockerfile.digest) == (plan.dockerfile.raw, plan.dockerfile.digest)
    assert other.dockerfile.copy.name == plan.dockerfile.copy.name
    for secret, value in zip(other.options.secrets, ("GMT-14", "C.UTF-8"), strict=True):
        assert Path(secret.partition('"src=')[2].rstrip('"')).read_text() == value
