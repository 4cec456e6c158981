"""`sign-off DOCKERFILE`: verified by the settings in force, and signed in one step."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from tests.cli.tool import verify_build
from tests.sign_off.made import git
from verifier.reports.json_reader import read_report


@pytest.mark.buildkit
def test_one_step(tmp_path: Path, builder_environment: Callable[..., Mapping[str, str]]) -> None:
    environment = builder_environment("buildkit")
    folder = tmp_path / "checkout"
    folder.mkdir()
    (folder / "Dockerfile").write_text("FROM busybox:stable\nCOPY file /\n", encoding="utf-8")
    (folder / ".dockerignore").write_text(".git\n", encoding="utf-8")
    (folder / ".verify-build.toml").write_text(
        'builder = "buildkit"\nreproducible = true\nquiet = true\nno-ledger = true\n', encoding="utf-8"
    )
    (folder / "file").touch()
    git(folder, "init", "--quiet")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "one")
    options = [folder / "Dockerfile", "--out", tmp_path / "out", "--signer", "x"]
    done = verify_build("sign-off", *options, environment=environment)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("SIGNED OFF WITHOUT A KEY: level manifest holds, manifest was required\n")
    report = read_report((tmp_path / "out" / "report.json").read_bytes())
    assert report.inputs is not None
    statement = json.loads((tmp_path / "out" / "sign-off.intoto.json").read_bytes())
    assert statement["predicate"]["source"]["commit"] == git(folder, "rev-parse", "HEAD")
