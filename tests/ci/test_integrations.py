"""The integrations as their hosts run them: the action's steps by a shell, the hooks by pre-commit itself."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from tests.machine import ROOT

SARIF = ROOT / "tests" / "reports" / "schemas" / "sarif-schema-2.1.0.json"
ACTION: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text("utf-8"))
BuilderEnvironment = Callable[[str, str | None], Mapping[str, str]]


def inputs_of(step: Mapping[str, Any], given: Mapping[str, str]) -> dict[str, str]:
    """Fill in a step's environment as the runner does."""
    values = {name: each.get("default", "") for name, each in ACTION["inputs"].items()} | dict(given)
    return {name: values[text.removeprefix("${{ inputs.").removesuffix(" }}")] for name, text in step["env"].items()}


def run_action(folder: Path, environment: Mapping[str, str], **given: str) -> tuple[int, dict[str, str], str, str]:
    """Run the verifying step; the installing one is replaced by the environment that runs this test."""
    step = ACTION["runs"]["steps"][1]
    runner = folder / "runner"
    (runner / "verify-build").mkdir(parents=True)
    (runner / "verify-build" / "bin").symlink_to(Path(sys.executable).parent)
    output, summary = folder / "output", folder / "summary"
    for file in (output, summary):
        file.touch()
    own = {
        "GITHUB_ACTION_PATH": str(ROOT),
        "GITHUB_OUTPUT": str(output),
        "GITHUB_STEP_SUMMARY": str(summary),
        "RUNNER_TEMP": str(runner),
    }
    done = subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
        env={**environment, **own, **inputs_of(step, given)},
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    outputs = dict(line.partition("=")[::2] for line in output.read_text().splitlines())
    return done.returncode, outputs, done.stdout, summary.read_text()


@pytest.mark.buildah
def test_the_action_leaves_annotations_summary_and_reports(
    tmp_path: Path, builder_environment: BuilderEnvironment
) -> None:
    source = tmp_path / "a b"
    source.mkdir()
    (source / "Dockerfile").write_text("FROM busybox:stable\nRUN date >/built\n")
    environment = builder_environment("buildah", None)
    code, outputs, annotations, summary = run_action(
        tmp_path,
        environment,
        dockerfile="a b/Dockerfile",
        arguments="--builder buildah --network 'none' --build-arg 'A=$(touch pwned) b'",
    )
    assert (code, outputs["outcome"], outputs["exit-code"]) == (1, "different", "1")
    assert "::warning file=a b/Dockerfile,line=2,endLine=2,title=embedded-timestamp::" in annotations
    assert summary.startswith("### ❌ verify-build: not reproducible")
    assert not (source / "pwned").exists()
    assert not (tmp_path / "pwned").exists()
    sarif = json.loads((tmp_path / outputs["sarif"]).read_text())
    jsonschema.Draft4Validator(json.loads(SARIF.read_text("utf-8"))).validate(sarif)
    assert (tmp_path / outputs["page"]).read_text().startswith("<!doctype html>")
    assert json.loads((tmp_path / outputs["json"]).read_text())["level"] == outputs["level"]
    assert (tmp_path / "verify-build-reports" / "verify-build.junit").is_file()


def test_the_action_does_not_let_pass_what_could_not_be_decided(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text("FROM scratch\n")
    environment = {**os.environ, "PATH": "/usr/bin:/bin", "DOCKER_HOST": "unix:///nonexistent/docker.sock"}
    code, outputs, _, _ = run_action(tmp_path, environment, fail="false", arguments="--builder docker")
    assert (code, outputs["outcome"]) == (3, "no-verdict")
    code, outputs, _, _ = run_action(tmp_path / "again", environment, fail="false", dockerfile="none")
    assert code == 2


def test_every_input_of_the_action_is_passed_on() -> None:
    (step,) = (each for each in ACTION["runs"]["steps"] if each.get("id") == "verify")
    assert {f"${{{{ inputs.{name} }}}}" for name in ACTION["inputs"]} == set(step["env"].values())
    # never as text of a script: that is how a pull request's title would come to run
    assert "${{" not in step["run"]


def test_the_gitlab_job_writes_what_it_declares() -> None:
    job = yaml.safe_load((ROOT / "ci" / "gitlab.yml").read_text("utf-8"))[".verify-build"]
    (command,) = (line for line in job["script"] if line.startswith("verify-build "))
    written = {word.partition("=")[2] for word in command.split() if "=verify-build-reports/" in word}
    assert set(job["artifacts"]["reports"].values()) <= written


@pytest.mark.slow
def test_the_hooks_run_through_pre_commit(tmp_path: Path) -> None:
    pre_commit = shutil.which("pre-commit", path=str(Path(sys.executable).parent))
    assert pre_commit is not None
    project = tmp_path / "project"
    project.mkdir()
    (project / "Dockerfile").write_text("FROM debian:12\n")
    (project / "app.Dockerfile").write_text("FROM scratch\nCOPY a /a\n")
    environment = {**os.environ, "PRE_COMMIT_HOME": str(tmp_path / "cache"), "GIT_CONFIG_GLOBAL": "/dev/null"}

    def git(*words: str) -> None:
        identity = ["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "safe.directory=*"]
        subprocess.run(["git", *identity, *words], cwd=project, env=environment, check=True, capture_output=True)

    git("init", "--quiet")
    git("add", ".")
    done = subprocess.run(
        [pre_commit, "try-repo", str(ROOT), "verify-build-check", "--all-files", "--verbose"],
        cwd=project,
        env=environment,
        capture_output=True,
        text=True,
        timeout=500,
        check=False,
    )
    assert done.returncode == 1, done.stdout + done.stderr
    assert "unpinned-base" in done.stdout
    assert "NOTHING TO MEND  app.Dockerfile" in done.stdout
