"""Every cause on real builders: found in its fixture, at its line, and gone from the remedied form."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.machine import ROOT, Engines, unavailable

FIXTURES = ROOT / "fixtures"
ENGINES = {"docker": "20.10", "buildkit": "28.5-containerd"}
MARKS = {
    "docker": pytest.mark.engine,
    "buildkit": pytest.mark.buildkit,
    "buildah": pytest.mark.buildah,
    "podman": pytest.mark.podman,
}
EVERY_BUILDER = bool(os.environ.get("EVERY_BUILDER"))
"""The whole matrix takes half an hour; two builders that share no code tell nearly all of it, a remedy one of them."""

AMBIENT = {
    "buildkit": {"config-created", "mount-point-entry", "index-created-annotation", "attestation-manifest"},
    "docker": {"config-created", "builder-identity"},
    "buildah": {"config-created", "builder-identity", "mount-point-entry", "directory-mtime", "file-mtime"},
    "podman": {"config-created", "builder-identity", "mount-point-entry", "directory-mtime", "file-mtime"},
}
"""What every build with a builder brings along, whatever the Dockerfile says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One fixture with one builder. `line` is where the cause must be found (0: nowhere in the Dockerfile)."""

    cause: str
    builder: str
    options: tuple[str, ...]
    remedied: bool
    line: int
    along: frozenset[str]
    level: str | None

    @property
    def name(self) -> str:
        """What a person calls it."""
        return "-".join([self.cause, self.builder, *(["remedied"] if self.remedied else [])])

    @property
    def dockerfile(self) -> Path:
        """The form to build: an option may be the whole remedy."""
        remedied = FIXTURES / self.cause / "Dockerfile.remedied"
        return remedied if self.remedied and remedied.is_file() else FIXTURES / self.cause / "Dockerfile"


def chosen_builders(table: Mapping[str, Any]) -> list[str]:
    if EVERY_BUILDER:
        return list(table["builders"])
    chosen = {"buildkit"} if table.get("remedied") else {"buildkit", "buildah"}
    return sorted(chosen & set(table["builders"])) or list(table["builders"])[:1]


def read_cases() -> Iterator[Case]:
    for path in sorted(FIXTURES.glob("*/fixture.toml")):
        for table in tomllib.loads(path.read_text("utf-8"))["case"]:
            for builder in chosen_builders(table):
                yield Case(
                    cause=path.parent.name,
                    builder=builder,
                    options=tuple(table.get("options", ())),
                    remedied=table.get("remedied", False),
                    line=table.get("line", 0),
                    along=frozenset(table.get("along", ())),
                    level=table.get("level"),
                )


CASES = tuple(read_cases())


@pytest.fixture
def environment(request: pytest.FixtureRequest, case: Case, tmp_path: Path) -> Mapping[str, str]:
    """The environment in which the case's builder is at hand; temporary files are the test's own."""
    if case.builder in ENGINES:
        engines: Engines = request.getfixturevalue("engines")
        chosen = engines[ENGINES[case.builder]]
    else:
        if shutil.which(case.builder) is None:
            unavailable(f"{case.builder} is not installed")
        chosen = request.getfixturevalue("containers")
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    return {**chosen, "TMPDIR": str(scratch)}


@pytest.mark.slow
@pytest.mark.parametrize("case", [pytest.param(case, id=case.name, marks=MARKS[case.builder]) for case in CASES])
def test_a_cause_on_a_real_builder(case: Case, environment: Mapping[str, str], tmp_path: Path) -> None:
    report = verify(case, environment, tmp_path / "report.json")
    left = [report["differences"][number] for number in report["residue"]]
    assert not left, left
    assert report["explained"]["counterfactual"]["equal"]
    assert report["explained"]["differences"] == len(report["differences"])
    found = {finding["cause"] for finding in report["findings"]}
    assert found - {case.cause} <= case.along | AMBIENT[case.builder]
    assert (case.cause in found) is not case.remedied
    assert case.level in (None, report["level"])
    check_findings(case, [finding for finding in report["findings"] if finding["cause"] == case.cause])


def check_findings(case: Case, findings: list[dict[str, Any]]) -> None:
    """The cause is found at its line, and proven wherever its claim is not opaque."""
    lines = {finding["instruction"]["line"] if finding["instruction"] else 0 for finding in findings}
    assert case.remedied or case.line in lines
    for finding in findings:
        assert finding["confidence"] == ("likely" if finding["opaque"] else "proven")
        assert finding["differences"]
        assert finding["evidence"]


def verify(case: Case, environment: Mapping[str, str], report: Path) -> dict[str, Any]:
    """Build twice as a user would."""
    argv = [str(Path(sys.executable).with_name("verify-build")), str(case.dockerfile)]
    argv += ["--builder", case.builder, "--network", "host", "--report", f"json={report}", *case.options]
    done = subprocess.run(argv, capture_output=True, text=True, check=False, env=dict(environment), timeout=500)
    assert done.returncode in {0, 1}, done.stderr
    value: dict[str, Any] = json.loads(report.read_text("utf-8"))
    return value
