"""The main job through the command line, on a real Buildah: first sides that exist, kept and loaded images, reports."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest

from tests.cli.tool import TOOL, error_lines, verify_build

Holds = Callable[[Mapping[str, str]], AbstractContextManager[None]]

pytestmark = pytest.mark.buildah

STABLE = ("--builder", "buildah", "--reproducible", "--source-date-epoch", "1700000000", "--quiet")


@pytest.fixture
def dockerfile(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "file").write_text("content\n")
    path = folder / "Dockerfile"
    path.write_text("FROM busybox:stable\nCOPY file /srv/file\nRUN wc -c /srv/file > /srv/size\n")
    return path


def report_of(environment: Mapping[str, str], *arguments: str | Path) -> tuple[int, Any]:
    done = verify_build(*arguments, "--format", "json", environment=environment)
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode, json.loads(done.stdout)


def test_every_difference_of_a_default_build_is_explained_with_its_line(
    dockerfile: Path, containers: Mapping[str, str], leaves_nothing: Holds
) -> None:
    with leaves_nothing(containers):
        status, report = report_of(containers, dockerfile, "--builder", "buildah", "--quiet")
    assert (status, report["level"]) == (1, "files")
    assert report["residue"] == []
    assert report["explained"]["counterfactual"]["equal"]
    lines = {finding["instruction"]["line"] for finding in report["findings"] if finding["instruction"]}
    assert lines == {2, 3}
    assert {"config-created", "file-mtime"} <= set(report["explained"]["minimal"])


def test_a_kept_image_can_be_the_first_side(
    dockerfile: Path, tmp_path: Path, containers: Mapping[str, str], leaves_nothing: Holds
) -> None:
    kept = tmp_path / "kept"
    with leaves_nothing(containers):
        status, report = report_of(containers, dockerfile, *STABLE, "--keep", kept)
        assert (status, report["level"]) == (0, "manifest")
        digest = report["builds"]["first"]["manifest_digest"]
        again = report_of(containers, dockerfile, *STABLE, "--against", f"oci:{kept / 'first'}")
        expected = report_of(containers, dockerfile, *STABLE, "--expect", digest)
        compared = report_of(containers, "compare", f"oci:{kept / 'first'}", f"oci:{kept / 'second'}")
    assert (again[0], again[1]["level"], again[1]["inputs"]["builds_run"]) == (0, "manifest", 1)
    assert again[1]["builds"]["first"]["builder"] is None
    assert (expected[0], expected[1]["level"]) == (0, "manifest")
    assert expected[1]["builds"]["first"]["expected"] == digest
    assert (compared[0], compared[1]["inputs"]) == (0, None)


def test_another_digest_than_expected_is_different(dockerfile: Path, containers: Mapping[str, str]) -> None:
    wrong = "sha256:" + "0" * 64
    status, report = report_of(containers, dockerfile, *STABLE, "--expect", wrong)
    assert (status, report["outcome"], report["level"]) == (1, "different", "none")
    (difference,) = report["differences"]
    assert (difference["field"], difference["first"]) == ("digest", wrong)


def test_a_changed_source_is_different_from_what_was_kept(
    dockerfile: Path, tmp_path: Path, containers: Mapping[str, str]
) -> None:
    kept = tmp_path / "kept"
    assert report_of(containers, dockerfile, *STABLE, "--keep", kept)[0] == 0
    (dockerfile.parent / "file").write_text("changed\n")
    status, report = report_of(containers, dockerfile, *STABLE, "--against", f"oci:{kept / 'first'}")
    assert (status, report["level"]) == (1, "none")
    changed = {item["path"] for item in report["differences"] if item["field"] == "content"}
    assert changed == {"/srv/file"}


def test_a_docker_config_without_logins_does_not_stop_buildah(
    dockerfile: Path, tmp_path: Path, containers: Mapping[str, str]
) -> None:
    environment = {**containers, "DOCKER_CONFIG": str(tmp_path / "nowhere")}
    assert report_of(environment, dockerfile, *STABLE)[0] == 0


def test_three_builds_are_compared(dockerfile: Path, containers: Mapping[str, str]) -> None:
    status, report = report_of(containers, dockerfile, *STABLE, "--builds", "3")
    assert (status, report["inputs"]["builds_run"]) == (0, 3)


def test_a_tag_names_what_was_verified(dockerfile: Path, containers: Mapping[str, str], leaves_nothing: Holds) -> None:
    tag = "localhost/verified:1"
    with leaves_nothing(containers):
        status, report = report_of(containers, dockerfile, *STABLE, "--tag", tag)
        assert status == 0
        inspected = subprocess.run(
            ["buildah", "inspect", "--type", "image", "--format", "{{.FromImageDigest}} {{.FromImageID}}", tag],
            capture_output=True,
            text=True,
            check=True,
            env=dict(containers),
        )
        subprocess.run(["buildah", "rmi", tag], check=True, capture_output=True, env=dict(containers))
    assert report["builds"]["first"]["config_digest"].removeprefix("sha256:") in inspected.stdout


def test_what_is_not_reproducible_is_not_shipped(
    dockerfile: Path, containers: Mapping[str, str], leaves_nothing: Holds
) -> None:
    with leaves_nothing(containers):
        status, report = report_of(
            containers, dockerfile, "--builder", "buildah", "--quiet", "--tag", "localhost/not:1"
        )
    assert status == 1
    assert any("not loaded" in note for note in report["notes"])


def test_a_context_that_changes_after_it_was_frozen_does_no_harm(
    dockerfile: Path, containers: Mapping[str, str]
) -> None:
    process = subprocess.Popen(
        [*TOOL, str(dockerfile), *STABLE[:-1], "--format", "json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        text=True,
        env=dict(containers),
    )
    assert process.stderr is not None
    for line in process.stderr:
        if "[build 1 of 2]" in line:
            (dockerfile.parent / "file").write_text("changed meanwhile\n")
            break
    out, err = process.communicate(timeout=120)
    report = json.loads(out)
    assert process.returncode == 0, err
    assert report["inputs"]["unchanged"] is False
    assert any("changed while the builds ran" in note for note in report["notes"])


def test_a_level_that_cannot_be_shown_is_no_verdict(dockerfile: Path, containers: Mapping[str, str]) -> None:
    done = verify_build(dockerfile, *STABLE, "--require", "index", environment=containers)
    assert done.returncode == 3
    assert "index" in error_lines(done)[0]


def test_a_report_is_the_same_bytes_under_another_locale_zone_and_hash_seed(
    dockerfile: Path, tmp_path: Path, containers: Mapping[str, str]
) -> None:
    kept = tmp_path / "kept"
    assert report_of(containers, dockerfile, "--builder", "buildah", "--quiet", "--keep", kept)[0] == 1
    facts = report_of(containers, "compare", f"oci:{kept / 'first'}", f"oci:{kept / 'second'}", "--no-explain")[1]
    assert facts["findings"] == []
    assert facts["residue"] == list(range(len(facts["differences"])))
    outputs = set()
    for seed, zone, locale in (("0", "UTC", "C"), ("1", "Pacific/Apia", "C.UTF-8"), ("2", "Asia/Kolkata", "POSIX")):
        environment = {**containers, "PYTHONHASHSEED": seed, "TZ": zone, "LC_ALL": locale, "PYTHONUTF8": "1"}
        for form in ("text", "json"):
            done = verify_build(
                "compare", f"oci:{kept / 'first'}", f"oci:{kept / 'second'}", "--format", form, environment=environment
            )
            outputs.add((form, done.stdout))
    assert len(outputs) == 2
