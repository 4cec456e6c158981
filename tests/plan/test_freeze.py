from __future__ import annotations

import hashlib
import os
import shutil
import socket
import stat
import subprocess
import sys
import tarfile
import threading
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from verifier.errors import DockerfileError, InputsChangedError, ResourceError, UsageError
from verifier.model.build import BuilderName
from verifier.model.plan import BuildOptions, Plan
from verifier.plan import freeze, unchanged
from verifier.plan import frozen_copy as copying
from verifier.plan.ignore import IgnoreRules, load_ignore_rules
from verifier.plan.walk import Walk

NO_RULES = IgnoreRules(source=None)
PAST = 1_000_000_000_123_456_789


@pytest.fixture
def context(tmp_path: Path) -> Path:
    """A small context with one of each, modes and times of its own."""
    root = tmp_path / "context"
    (root / "src" / "deep").mkdir(parents=True)
    (root / "Dockerfile").write_text("FROM scratch\nCOPY . /\n")
    (root / "src" / "main.c").write_text("int main;\n")
    (root / "src" / "run").write_text("#!/bin/sh\n")
    (root / "src" / "run").chmod(0o4755)
    (root / "src" / "deep" / "empty").touch()
    (root / "src" / "link").symlink_to("../nowhere")
    (root / "src-more").write_text("x")
    (root / "src" / "deep").chmod(0o555)
    for path in [*sorted(root.rglob("*"), reverse=True)]:
        os.utime(path, ns=(PAST, PAST), follow_symlinks=False)
    return root


def frozen(context: Path, workspace: Path, builder: BuilderName = "buildkit", dockerfile: Path | None = None) -> Plan:
    workspace.mkdir(exist_ok=True)
    return freeze(dockerfile or context / "Dockerfile", context, workspace, builder, BuildOptions(), environment={})


def members(plan: Plan) -> dict[str, tarfile.TarInfo]:
    with tarfile.open(plan.context.archive) as archive:
        return {member.name: member for member in archive}


def remove(folder: Path) -> None:
    for path in folder.rglob("*"):
        if path.is_dir() and not path.is_symlink():
            path.chmod(0o700)
    shutil.rmtree(folder)


def test_the_archive_is_sorted_by_bytes_with_modes_and_times(context: Path, tmp_path: Path) -> None:
    plan = frozen(context, tmp_path / "w")
    found = members(plan)
    assert list(found) == [
        "Dockerfile",
        "src",
        "src-more",
        "src/deep",
        "src/deep/empty",
        "src/link",
        "src/main.c",
        "src/run",
    ]
    assert {(item.uid, item.gid, item.uname, item.gname, item.mtime) for item in found.values()} == {
        (0, 0, "", "", PAST // 10**9)
    }
    assert found["src/run"].mode == 0o4755
    assert found["src/deep"].mode == 0o555
    assert found["src/link"].linkname == "../nowhere"
    assert hashlib.sha256(plan.context.archive.read_bytes()).hexdigest() in plan.context.archive_digest
    assert (plan.context.files, plan.context.bytes) == (5, 22 + 10 + 10 + 0 + 1)


def test_the_folder_holds_the_same_with_nanoseconds(context: Path, tmp_path: Path) -> None:
    plan = frozen(context, tmp_path / "w")
    for original in context.rglob("*"):
        copy = plan.context.directory / original.relative_to(context)
        before, after = original.lstat(), copy.lstat()
        assert (after.st_mode, after.st_mtime_ns) == (before.st_mode, before.st_mtime_ns), original
        assert after.st_ino != before.st_ino
        if stat.S_ISREG(before.st_mode):
            assert copy.read_bytes() == original.read_bytes()
    assert len(list(plan.context.directory.rglob("*"))) == len(list(context.rglob("*")))


def test_a_later_change_does_no_harm_and_is_seen(context: Path, tmp_path: Path) -> None:
    plan = frozen(context, tmp_path / "w")
    assert unchanged(plan, context / "Dockerfile", context)
    (context / "src" / "main.c").write_text("int changed;\n")
    assert not unchanged(plan, context / "Dockerfile", context)
    assert (plan.context.directory / "src" / "main.c").read_text() == "int main;\n"


def _touch(context: Path) -> None:
    os.utime(context / "src" / "main.c")


def _mode(context: Path) -> None:
    (context / "src" / "main.c").chmod(0o600)


def _new_file(context: Path) -> None:
    (context / "new").touch()


def _removed(context: Path) -> None:
    (context / "src-more").unlink()


def _same_bytes_and_time_in_a_new_file(context: Path) -> None:
    shutil.copy2(context / "src-more", context / "other")
    (context / "other").rename(context / "src-more")


def _dockerfile(context: Path) -> None:
    (context / "Dockerfile").write_text("FROM scratch\n")


def _no_context(context: Path) -> None:
    context.rename(context.with_name("moved"))


@pytest.mark.parametrize(
    "change",
    [_touch, _mode, _new_file, _removed, _same_bytes_and_time_in_a_new_file, _dockerfile, _no_context],
)
def test_every_later_change_is_seen(context: Path, tmp_path: Path, change: object) -> None:
    plan = frozen(context, tmp_path / "w")
    shutil.rmtree(plan.workspace, ignore_errors=True)
    assert unchanged(plan, context / "Dockerfile", context)
    change(context)  # type: ignore[operator]
    assert not unchanged(plan, context / "Dockerfile", context)


def test_a_change_of_the_ignore_file_is_seen_and_of_what_it_leaves_out_is_not(context: Path, tmp_path: Path) -> None:
    (context / ".dockerignore").write_text("*.log\nlogs\n.dockerignore\n")
    (context / "logs").mkdir()
    plan = frozen(context, tmp_path / "w")
    (context / "build.log").write_text("x")
    (context / "logs" / "x").write_text("x")
    assert unchanged(plan, context / "Dockerfile", context)
    (context / ".dockerignore").write_text("logs\n")
    assert not unchanged(plan, context / "Dockerfile", context)


def test_twice_gives_the_same_digests(context: Path, tmp_path: Path) -> None:
    first, second = frozen(context, tmp_path / "one"), frozen(context, tmp_path / "two")
    assert first.context.archive.read_bytes() == second.context.archive.read_bytes()
    assert first.context.digest == second.context.digest
    assert first.context.signature == second.context.signature


def test_times_are_in_the_archives_digest_alone(context: Path, tmp_path: Path) -> None:
    first = frozen(context, tmp_path / "one")
    os.utime(context / "src" / "main.c", (1, 1))
    second = frozen(context, tmp_path / "two")
    assert first.context.digest == second.context.digest
    assert first.context.archive_digest != second.context.archive_digest


@pytest.mark.parametrize("change", [_mode, _removed, _new_file, _dockerfile])
def test_all_else_is_in_both_digests(context: Path, tmp_path: Path, change: object) -> None:
    first = frozen(context, tmp_path / "one")
    change(context)  # type: ignore[operator]
    second = frozen(context, tmp_path / "two")
    assert first.context.digest != second.context.digest
    assert first.context.archive_digest != second.context.archive_digest


def test_the_dockerfiles_copy_and_its_ignore_file(context: Path, tmp_path: Path) -> None:
    (context / ".dockerignore").write_text("src\n")
    plan = frozen(context, tmp_path / "w")
    folder = plan.workspace / "dockerfile"
    assert plan.dockerfile.copy == folder / "Dockerfile"
    assert plan.dockerfile.copy.read_bytes() == plan.dockerfile.raw
    content = (folder / "Dockerfile.dockerignore").read_text()
    assert content.startswith("#")
    assert content.count("\n") == 1
    assert plan.context.ignore_copy is not None
    assert plan.context.ignore_copy.read_text() == "src\n"
    assert plan.context.ignore_file == str(context / ".dockerignore")
    assert plan.context.ignore_patterns == ("src",)
    assert list(members(plan)) == [".dockerignore", "Dockerfile", "src-more"]


def test_where_the_dockerfile_is_in_the_context(context: Path, tmp_path: Path) -> None:
    assert frozen(context, tmp_path / "1").context.dockerfile_path == "Dockerfile"
    inner = context / "src" / "Other.Dockerfile"
    inner.write_text("FROM scratch\n")
    assert frozen(context, tmp_path / "2", dockerfile=inner).context.dockerfile_path == "src/Other.Dockerfile"
    outside = tmp_path / "Dockerfile"
    outside.write_text("FROM scratch\n")
    plan = frozen(context, tmp_path / "3", dockerfile=outside)
    assert plan.context.dockerfile_path is None
    assert plan.dockerfile.raw == b"FROM scratch\n"
    (context / ".dockerignore").write_text("Dockerfile\n")
    plan = frozen(context, tmp_path / "4")
    assert plan.context.dockerfile_path is None
    assert "Dockerfile" not in members(plan)


def test_the_classic_engine_needs_the_bases_of_every_stage(context: Path, tmp_path: Path) -> None:
    (context / "Dockerfile").write_text("FROM one AS unused\nFROM two\n")
    for builder, expected in (("docker", ["one", "two"]), ("buildkit", ["two"]), ("buildah", ["two"])):
        plan = frozen(context, tmp_path / builder, builder)  # type: ignore[arg-type]
        assert [item.reference for item in plan.references] == expected
        assert [item.line for item in plan.instructions] == [1, 2]


def test_what_is_brought_back_keeps_its_parents_in_the_folder(context: Path, tmp_path: Path) -> None:
    (context / ".dockerignore").write_text("*\n!src/deep/empty\n")
    plan = frozen(context, tmp_path / "w")
    assert list(members(plan)) == ["src/deep/empty"]
    assert stat.S_IMODE((plan.context.directory / "src" / "deep").stat().st_mode) == 0o555
    (context / ".dockerignore").write_text("*\n!nothing/**\n")
    assert list(members(frozen(context, tmp_path / "w2"))) == []


def test_an_empty_context(tmp_path: Path) -> None:
    (tmp_path / "context").mkdir()
    (tmp_path / "Dockerfile").write_text("FROM scratch\n")
    plan = frozen(tmp_path / "context", tmp_path / "w", dockerfile=tmp_path / "Dockerfile")
    assert plan.context.archive.read_bytes() == bytes(1024)
    assert (plan.context.files, plan.context.bytes) == (0, 0)


def test_the_workspace_inside_the_context_is_not_part_of_it(context: Path) -> None:
    plan = frozen(context, context / "workspace")
    assert not any("workspace" in name for name in members(plan))
    assert unchanged(plan, context / "Dockerfile", context)


def test_names_of_any_bytes_and_any_length(context: Path, tmp_path: Path) -> None:
    odd = [b"\xff\xfe", "é".encode(), b"new\nline", b" ", b"-rf", b"back\\slash", b"n" * 255]
    for name in odd:
        (context / os.fsdecode(name)).write_bytes(name)
    deep = context / "/".join(["d" * 100] * 5)
    deep.mkdir(parents=True)
    (deep / "file").write_text("deep")
    (context / "long-link").symlink_to("t" * 300)
    plan = frozen(context, tmp_path / "w")
    with tarfile.open(plan.context.archive, encoding="utf-8", errors="surrogateescape") as archive:
        found = {os.fsencode(member.name): member for member in archive}
        assert list(found) == sorted(found)
        for name in odd:
            content = archive.extractfile(found[name])
            assert content is not None
            assert content.read() == name
        assert found[b"long-link"].linkname == "t" * 300
    assert (plan.context.directory / deep.relative_to(context) / "file").read_text() == "deep"
    listing = subprocess.run(["tar", "tf", plan.context.archive], capture_output=True, check=True).stdout
    assert b"n" * 255 in listing


@pytest.mark.parametrize("seconds", [-5, 0, 8**11 - 1, 8**11])
def test_times_that_do_not_fit_octal(context: Path, tmp_path: Path, seconds: int) -> None:
    try:
        os.utime(context / "src-more", ns=(seconds * 10**9, seconds * 10**9))
    except OSError:
        pytest.skip("this file system cannot keep such a time")
    if (context / "src-more").stat().st_mtime_ns != seconds * 10**9:
        pytest.skip("this file system cannot keep such a time")
    plan = frozen(context, tmp_path / "w")
    assert members(plan)["src-more"].mtime == seconds


def test_a_socket_is_left_out_and_told_and_a_fifo_is_kept(context: Path, tmp_path: Path) -> None:
    os.mkfifo(context / "fifo", 0o640)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(context / "socket"))
        plan = frozen(context, tmp_path / "w")
        assert unchanged(plan, context / "Dockerfile", context)
    assert plan.warnings == (f"{context / 'socket'} is a socket and was left out of the context",)
    found = members(plan)
    assert found["fifo"].isfifo()
    assert "socket" not in found
    assert stat.S_ISFIFO((plan.context.directory / "fifo").lstat().st_mode)


def test_hardlinks_become_files_of_their_own(context: Path, tmp_path: Path) -> None:
    (context / "second").hardlink_to(context / "src-more")
    plan = frozen(context, tmp_path / "w")
    assert members(plan)["second"].isreg()
    copy = plan.context.directory
    assert (copy / "second").stat().st_ino != (copy / "src-more").stat().st_ino


def test_a_symlink_out_of_the_context_is_not_followed(context: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.mkdir()
    (secret / "key").write_text("key")
    (context / "out").symlink_to(secret)
    (context / "root").symlink_to("/etc/passwd")
    (context / "round").symlink_to(".")
    found = members(frozen(context, tmp_path / "w"))
    assert found["out"].issym()
    assert found["root"].linkname == "/etc/passwd"
    assert not any(name.startswith(("out/", "round/")) for name in found)


def test_a_dockerfile_that_is_a_symlink(context: Path, tmp_path: Path) -> None:
    (context / "Dockerfile").rename(context / "real")
    (context / "Dockerfile").symlink_to("real")
    plan = frozen(context, tmp_path / "w")
    assert plan.dockerfile.raw == (context / "real").read_bytes()
    assert plan.context.dockerfile_path is None


@pytest.mark.parametrize(("name", "words"), [("nothing", "no such context"), ("file", "not a directory")])
def test_a_context_that_is_none(tmp_path: Path, name: str, words: str) -> None:
    (tmp_path / "Dockerfile").write_text("FROM scratch\n")
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match=words):
        frozen(tmp_path / name, tmp_path / "w", dockerfile=tmp_path / "Dockerfile")


def test_a_bad_dockerfile_or_target_is_said_before_anything_is_copied(context: Path, tmp_path: Path) -> None:
    (context / "Dockerfile").write_text("FROM scratch\nRUNN\n")
    with pytest.raises(DockerfileError):
        frozen(context, tmp_path / "w")
    assert list((tmp_path / "w").iterdir()) == []
    (context / "Dockerfile").write_text("FROM scratch\n")
    with pytest.raises(UsageError, match="no stage 'x'"):
        freeze(context / "Dockerfile", context, tmp_path / "w", "buildkit", BuildOptions(target="x"))


FREEZE_AS_NOBODY = """
import sys
from pathlib import Path
from verifier.errors import VerifyBuildError
from verifier.model.plan import BuildOptions
from verifier.plan import freeze
try:
    freeze(Path(sys.argv[1]) / "Dockerfile", Path(sys.argv[1]), Path(sys.argv[2]), "buildkit", BuildOptions())
except VerifyBuildError as error:
    print(type(error).__name__, error.exit_code, error.message, error.hint, sep="|")
"""


@pytest.mark.parametrize("what", ["file", "directory"])
def test_what_cannot_be_read_is_named(context: Path, tmp_path: Path, what: str) -> None:
    closed = context / "src" / "main.c" if what == "file" else context / "src" / "deep"
    closed.chmod(0)
    workspace = tmp_path / "w"
    workspace.mkdir()
    workspace.chmod(0o777)
    for folder in [tmp_path, *tmp_path.parents][:-2]:
        if not folder.stat().st_mode & 0o001:
            folder.chmod(folder.stat().st_mode | 0o011)
    command = [sys.executable, "-c", FREEZE_AS_NOBODY, str(context), str(workspace)]
    if os.geteuid() == 0:
        setpriv = shutil.which("setpriv")
        if setpriv is None:
            pytest.skip("root reads everything, and setpriv is not here")
        command = [setpriv, "--reuid", "65534", "--regid", "65534", "--clear-groups", *command]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    if done.returncode:
        pytest.skip(f"another user cannot run this Python: {done.stderr.strip().splitlines()[-1]}")
    kind, code, message, hint = done.stdout.strip().split("|")
    assert (kind, code) == ("UsageError", "2")
    assert message == f"{closed} cannot be read: Permission denied"
    assert ".dockerignore" in hint


def _copy(context: Path, tmp_path: Path, after_copy: object = None) -> None:
    walk = Walk(root=os.fsencode(context), rules=NO_RULES)
    options = {} if after_copy is None else {"after_copy": after_copy}
    copying.copy_context(walk, tmp_path / "a.tar", tmp_path / "copy", tmp_path / "records", **options)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (_touch, "src/main.c"),
        (_mode, "src/main.c"),
        (_new_file, "new"),
        (_removed, "src-more"),
        (_same_bytes_and_time_in_a_new_file, "src-more"),
    ],
)
def test_a_change_while_freezing_names_the_path(context: Path, tmp_path: Path, change: object, named: str) -> None:
    with pytest.raises(InputsChangedError) as caught:
        _copy(context, tmp_path, lambda: change(context))  # type: ignore[operator]
    assert caught.value.message == f"{context / named} changed while the context was being frozen"
    assert caught.value.exit_code == 3


def test_the_last_file_vanishing_while_freezing(context: Path, tmp_path: Path) -> None:
    (context / "zz").touch()
    with pytest.raises(InputsChangedError, match="zz"):
        _copy(context, tmp_path, (context / "zz").unlink)


@pytest.mark.parametrize("what", ["grows", "shrinks", "vanishes", "becomes a symlink", "becomes a directory"])
def test_a_file_that_moves_between_the_look_and_the_read(
    context: Path, tmp_path: Path, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    victim = context / "src" / "main.c"
    original = Walk.__iter__

    def change() -> None:
        content = victim.read_bytes()
        victim.unlink()
        if what == "grows":
            victim.write_bytes(content + b"more")
        elif what == "shrinks":
            victim.write_bytes(b"")
        elif what == "becomes a symlink":
            victim.symlink_to("/etc/passwd")
        elif what == "becomes a directory":
            victim.mkdir()

    def interfering(walk: Walk) -> object:
        for found in original(walk):
            if found.path == b"src/main.c":
                change()
            yield found

    monkeypatch.setattr(Walk, "__iter__", interfering)
    with pytest.raises(InputsChangedError, match=r"main\.c"):
        _copy(context, tmp_path)


def test_a_file_that_is_written_to_all_the_time(context: Path, tmp_path: Path) -> None:
    stop = threading.Event()
    log = context / "build.log"
    log.write_bytes(b"x" * 3_000_000)
    began = threading.Event()

    def write() -> None:
        with log.open("ab", buffering=0) as file:
            while not stop.is_set():
                file.write(b"x")
                began.set()

    writer = threading.Thread(target=write)
    writer.start()
    try:
        began.wait(10)
        with pytest.raises(InputsChangedError, match=r"build\.log changed") as caught:
            freeze_often(context, tmp_path)
        assert caught.value.hint is not None
        assert ".dockerignore" in caught.value.hint
    finally:
        stop.set()
        writer.join()


def freeze_often(context: Path, folder: Path) -> None:
    """Freeze until that fails: on a busy machine the writer may get no turn in one copy."""
    for attempt in range(50):
        frozen(context, folder / f"w{attempt}")


def test_a_disk_that_fills(context: Path, tmp_path: Path) -> None:
    limit = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096)); import signal; "
    limit += "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
    (context / "big").write_bytes(bytes(100_000))
    (tmp_path / "w").mkdir()
    done = subprocess.run(
        [sys.executable, "-c", limit + FREEZE_AS_NOBODY, str(context), str(tmp_path / "w")],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout.startswith("ResourceError|3|the frozen copy of the context cannot be written")


def test_a_workspace_that_cannot_be_written(context: Path, tmp_path: Path) -> None:
    (tmp_path / "w").mkdir()
    (tmp_path / "w" / "context.tar").touch()
    with pytest.raises(ResourceError):
        frozen(context, tmp_path / "w")
    (tmp_path / "w2").mkdir()
    (tmp_path / "w2" / "dockerfile").touch()
    with pytest.raises(ResourceError):
        frozen(context, tmp_path / "w2")


def test_a_large_file_is_copied_in_pieces(context: Path, tmp_path: Path) -> None:
    with (context / "large").open("wb") as file:
        file.truncate(3 * copying.CHUNK + 7)
    plan = frozen(context, tmp_path / "w")
    assert members(plan)["large"].size == 3 * copying.CHUNK + 7
    assert (plan.context.directory / "large").stat().st_size == 3 * copying.CHUNK + 7


TREES = st.dictionaries(
    st.lists(st.sampled_from(["a", "b", "a-b", "a.b", "A"]), min_size=1, max_size=3).map("/".join),
    st.binary(max_size=20),
    max_size=8,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40, deadline=None)
@given(TREES, st.lists(st.sampled_from(["a", "*", "**/b", "!a/b", "!a-b", "a/*", "!**/a.b"]), max_size=3))
def test_the_archive_the_folder_and_the_rules_agree(
    tmp_path: Path, tree: dict[str, bytes], patterns: list[str]
) -> None:
    case = tmp_path / "case"
    if case.exists():
        remove(case)
    context = case / "context"
    context.mkdir(parents=True)
    (case / "Dockerfile").write_text("FROM scratch\n")
    (case / "Dockerfile.dockerignore").write_text("\n".join(patterns))
    for name, content in tree.items():
        path = context / name
        if any(parent.is_file() for parent in path.parents) or path.is_dir():
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    plan = frozen(context, case / "w", dockerfile=case / "Dockerfile")
    in_archive = list(members(plan))
    in_folder = [str(path.relative_to(plan.context.directory)) for path in plan.context.directory.rglob("*")]
    assert in_archive == sorted(in_archive)
    rules = load_ignore_rules("buildkit", case / "Dockerfile", context)
    every = [path.relative_to(context) for path in context.rglob("*")]
    kept = {path for path in every if not rules.excludes(os.fsencode(path))}
    implied = {parent for path in kept for parent in path.parents if parent != Path()}
    assert set(in_folder) == {str(path) for path in kept | implied}
    assert set(in_archive) == {str(path) for path in kept}
