"""What is installed: the package with everything that it shows."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

from tests.machine import ROOT
from verifier.reports.catalogue import render_cause


def test_a_wheel_brings_the_fixtures_that_the_pages_show(tmp_path: Path) -> None:
    source, wheels = tmp_path / "source", tmp_path / "wheels"
    source.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    for name in ("verifier", "fixtures"):
        shutil.copytree(ROOT / name, source / name, symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
    (source / "docs").mkdir()
    shutil.copy(ROOT / "docs" / "verify-build.1", source / "docs")
    pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir", wheels]
    done = subprocess.run([*pip, source], capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    wheel = next(wheels.glob("*.whl"))

    names = zipfile.ZipFile(wheel).namelist()
    labels = {f"verifier/fixtures/{path.parent.name}/fixture.toml" for path in source.glob("fixtures/*/fixture.toml")}
    assert labels
    assert labels <= set(names)

    unpacked = tmp_path / "unpacked"
    zipfile.ZipFile(wheel).extractall(unpacked)
    environment = {**os.environ, "PYTHONPATH": str(unpacked), "PYTHONSAFEPATH": "1"}
    argv = [sys.executable, "-m", "verifier.cli.main", "causes", "pyc-mtime"]
    shown = subprocess.run(argv, capture_output=True, text=True, check=True, env=environment, cwd=tmp_path)
    assert shown.stdout == render_cause("pyc-mtime")
    assert "\nBad: " in shown.stdout
