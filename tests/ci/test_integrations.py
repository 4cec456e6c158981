"""The integrations as their hosts run them: the action's steps by a shell, the hooks by pre-commit itself."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

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
    given_to = step.get("env", {})
    return {name: values[text.removeprefix("${{ inputs.").removesuffix(" }}")] for name, text in given_to.items()}


def run_action(
    folder: Path, environment: Mapping[str, str], *, install: bool = False, **given: str
) -> tuple[int, dict[str, str], str, str]:
    """Run the action's steps as the runner does.

    Without `install` the first is left out, and the environment that runs this test stands where it would install to.
    """
    runner = folder / "runner"
    runner.mkdir(parents=True)
    if not install:
        (runner / "verify-build").mkdir()
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
    code, annotations = 0, ""
    for step in ACTION["runs"]["steps"][0 if install else 1 :]:
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
            env={**environment, **own, **inputs_of(step, given)},
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=500,
            check=False,
        )
        code, annotations = done.returncode, annotations + done.stdout
        # a step that fails ends the job; the last one may
        assert code == 0 or step is ACTION["runs"]["steps"][-1], done.stderr
    outputs = dict(line.partition("=")[::2] for line in output.read_text().splitlines())
    return code, outputs, annotations, summary.read_text()


Said = set[tuple[str, int | None]]
"""Causes and the lines of the Dockerfile that they are at."""


def said_by_json(report: Mapping[str, Any]) -> Said:
    def line(item: Mapping[str, Any]) -> int | None:
        return item.get("line") or (item["instruction"] or {}).get("line")

    latent = [risk for risk in report["risks"] if risk["status"] == "latent"]
    return {(item["cause"], line(item)) for item in (*report["findings"], *latent)}


def said_by_annotations(text: str) -> Said:
    command = re.compile(
        r"^::(?:error|warning|notice) file=[^,]+(?:,line=(\d+),endLine=\d+)?,title=([a-z-]+)::", re.MULTILINE
    )
    return {(cause, int(line) if line else None) for line, cause in command.findall(text)}


def said_by_sarif(run: Mapping[str, Any]) -> Said:
    places = [(each["ruleId"], each["locations"][0]["physicalLocation"].get("region")) for each in run["results"]]
    return {(rule, None if region is None else region["startLine"]) for rule, region in places}


def said_by_junit(suite: ET.Element) -> Said:
    """A case a cause, and a line of text a place."""
    said: Said = set()
    for case in suite.iterfind("testcase[@classname='verify-build.cause']"):
        lines = "".join(case.itertext()).strip().splitlines()
        for line in (each for each in lines if not each.startswith("remedy: ")):
            place = re.match(r".*?Dockerfile:(\d+): ", line)
            said.add((case.attrib["name"], int(place[1]) if place else None))
    return said


def said_by_summary(text: str) -> Said:
    rows = re.findall(r"^\| <code>([a-z-]+)</code> \| ([\d, ]*) \|", text, re.MULTILINE)
    return {
        (cause, int(line) if line else None) for cause, lines in rows for line in (lines.split(", ") if lines else [""])
    }


def said_by_page(text: str) -> Said:
    """The cards with their lines, and the list of what is latent."""
    said: Said = set()
    for card in re.findall(r'<article class="finding c\d">.*?</article>', text, re.DOTALL):
        cause = re.search(r'<span class="chip c\d">([a-z-]+)</span>', card)
        assert cause is not None
        lines = re.findall(r'href="#L(\d+)"', card)
        said |= {(cause[1], int(line)) for line in lines} if lines else {(cause[1], None)}
    latent = re.findall(r'<li><span class="chip latent">([a-z-]+)</span> <a href="#L(\d+)">', text)
    return said | {(cause, int(line)) for cause, line in latent}


@pytest.mark.slow
@pytest.mark.buildah
def test_a_job_leaves_annotations_summary_and_reports_that_say_the_same(
    tmp_path: Path, builder_environment: BuilderEnvironment
) -> None:
    """Every step, the installing one included, on a fixture of our own."""
    source = tmp_path / "a b"
    shutil.copytree(ROOT / "fixtures" / "embedded-timestamp", source)
    code, outputs, annotations, summary = run_action(
        tmp_path,
        builder_environment("buildah", None),
        install=True,
        dockerfile="a b/Dockerfile",
        reproducible="false",
        arguments="--builder buildah --network 'none' --build-arg 'A=$(touch pwned) b'",
    )
    assert (code, outputs["outcome"], outputs["exit-code"]) == (1, "different", "1")
    assert not (source / "pwned").exists()
    assert not (tmp_path / "pwned").exists()
    reports = {path.suffix.removeprefix("."): path for path in (tmp_path / "verify-build-reports").iterdir()}
    assert set(reports) == {"json", "sarif", "junit", "markdown", "html"}
    report = json.loads(reports["json"].read_text("ascii"))
    sarif = json.loads(reports["sarif"].read_text("ascii"))
    jsonschema.Draft4Validator(json.loads(SARIF.read_text("utf-8"))).validate(sarif)
    junit = ET.fromstring(reports["junit"].read_text("utf-8"))[0]  # noqa: S314  # our own
    page = reports["html"].read_text("utf-8")

    said = said_by_json(report)
    assert said >= {("embedded-timestamp", 2), ("file-mtime", 2), ("config-created", None), ("unpinned-base", 1)}
    assert said_by_annotations(annotations) == said
    assert said_by_sarif(sarif["runs"][0]) == said
    assert said_by_junit(junit) == said
    assert said_by_summary(summary) == said
    assert said_by_page(page) == said

    assert (report["outcome"], report["level"]) == (outputs["outcome"], outputs["level"])
    properties = sarif["runs"][0]["properties"]
    assert (properties["outcome"], properties["level"]) == (report["outcome"], report["level"])
    assert sarif["runs"][0]["invocations"][0]["exitCode"] == 1
    levels = {case.attrib["name"] for case in junit.iterfind("testcase[@classname='verify-build.level']/failure/..")}
    assert ("manifest" in levels) is (report["level"] != "manifest")
    assert summary == reports["markdown"].read_text("utf-8")
    assert summary.startswith("### ❌ verify-build: not reproducible")
    assert f"<title>verify-build: {report['outcome']}</title>" in page
    for name in ("json", "sarif"):
        assert tmp_path / outputs[name] == reports[name]
    assert tmp_path / outputs["page"] == reports["html"]


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
