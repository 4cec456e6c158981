from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from verifier.clients.git import Checkout
from verifier.errors import UsageError
from verifier.plan import choose_epoch
from verifier.plan.epoch import DEFAULT_EPOCH

COMMITTED = 1_600_000_000
PATH = {"PATH": os.environ["PATH"]}

needs_git = pytest.mark.skipif(shutil.which("git") is None, reason="needs git")


def git(folder: Path, *arguments: str) -> None:
    environment = {
        **PATH,
        "HOME": str(folder),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_COMMITTER_DATE": f"{COMMITTED} +0200",
        "GIT_AUTHOR_DATE": "1500000000 +0000",
        **{f"GIT_{who}_{what}": "x@example.org" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
    }
    subprocess.run(["git", *arguments], cwd=folder, env=environment, check=True, capture_output=True, timeout=60)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    folder = tmp_path / "checkout"
    (folder / "sub").mkdir(parents=True)
    (folder / "sub" / "file").write_text("x")
    (folder / ".gitignore").write_text("ignored\n")
    git(folder, "init", "-q")
    git(folder, "add", ".")
    git(folder, "commit", "-q", "-m", "one")
    return folder


@needs_git
def test_the_commit_of_a_clean_checkout(checkout: Path) -> None:
    assert choose_epoch(None, PATH, checkout) == COMMITTED
    assert choose_epoch(None, PATH, checkout / "sub") == COMMITTED
    (checkout / "ignored").touch()
    assert choose_epoch(None, PATH, checkout) == COMMITTED


@needs_git
def test_a_changed_or_unknown_file_makes_it_unclean(checkout: Path) -> None:
    (checkout / "new").touch()
    assert choose_epoch(None, PATH, checkout) == DEFAULT_EPOCH
    assert choose_epoch("git", PATH, checkout) == COMMITTED
    (checkout / "new").unlink()
    (checkout / "sub" / "file").write_text("y")
    assert choose_epoch(None, PATH, checkout) == DEFAULT_EPOCH


@needs_git
def test_what_is_said_wins_over_git(checkout: Path) -> None:
    assert choose_epoch("7", {**PATH, "SOURCE_DATE_EPOCH": "5"}, checkout) == 7
    assert choose_epoch(None, {**PATH, "SOURCE_DATE_EPOCH": "5"}, checkout) == 5
    assert choose_epoch("git", {**PATH, "SOURCE_DATE_EPOCH": "5"}, checkout) == COMMITTED
    assert choose_epoch("0", PATH, checkout) == 0


def test_without_a_checkout(tmp_path: Path) -> None:
    alone = {**PATH, "GIT_CEILING_DIRECTORIES": str(tmp_path.parent)}
    assert choose_epoch(None, alone, tmp_path) == DEFAULT_EPOCH
    with pytest.raises(UsageError, match="git knows no commit here"):
        choose_epoch("git", alone, tmp_path)


def test_without_git(tmp_path: Path) -> None:
    assert choose_epoch(None, {"PATH": str(tmp_path)}, tmp_path) == DEFAULT_EPOCH


@needs_git
def test_a_repository_without_a_commit(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    assert choose_epoch(None, PATH, tmp_path) == DEFAULT_EPOCH


@pytest.mark.parametrize("text", ["", "-1", "1.5", "now", "٣", "1" * 20, "253402300800"])
def test_what_is_no_number_of_seconds(tmp_path: Path, text: str) -> None:
    with pytest.raises(UsageError, match="is not a number of seconds"):
        choose_epoch(text, PATH, tmp_path)
    if text:
        with pytest.raises(UsageError, match="SOURCE_DATE_EPOCH"):
            choose_epoch(None, {**PATH, "SOURCE_DATE_EPOCH": text}, tmp_path)


@needs_git
def test_a_hooks_environment_does_not_point_elsewhere(checkout: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    environment = {**PATH, "GIT_DIR": str(other), "GIT_WORK_TREE": str(other), "GIT_INDEX_FILE": "/nowhere"}
    assert choose_epoch(None, environment, checkout) == COMMITTED


@needs_git
def test_the_checkouts_own_configuration_runs_nothing(checkout: Path, tmp_path: Path) -> None:
    witness = tmp_path / "ran"
    program = tmp_path / "program"
    program.write_text(f'#!/bin/sh\necho "$0 $*" >> {witness}\ncat\n')
    program.chmod(0o755)
    (checkout / ".gitattributes").write_text("* filter=evil diff=evil\n")
    git(checkout, "add", ".")
    git(checkout, "commit", "-q", "-m", "two")
    for name in (
        "filter.evil.clean",
        "filter.evil.process",
        "filter.evil.smudge",
        "core.fsmonitor",
        "diff.evil.textconv",
    ):
        git(checkout, "config", name, str(program))
    git(checkout, "config", "filter.evil.required", "true")
    hook = checkout / ".git" / "hooks" / "post-index-change"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(program.read_text())
    hook.chmod(0o755)
    os.utime(checkout / "sub" / "file", (1, 1))
    before = (checkout / ".git" / "index").read_bytes()
    found = Checkout(checkout, PATH)
    assert found.commit_time() == COMMITTED
    assert found.is_clean()
    assert not witness.exists()
    assert (checkout / ".git" / "index").read_bytes() == before
    # The trap is a real one: git by itself runs it.
    subprocess.run(["git", "status"], cwd=checkout, env=PATH, check=False, capture_output=True, timeout=60)
    assert witness.exists()
