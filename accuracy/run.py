"""Run the tool on a case, as a user would."""

from __future__ import annotations

import contextlib
import importlib.util
import io
import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from accuracy.cases import Case
from accuracy.outcome import Outcome, judge_check, judge_report
from verifier.cli.main import main

TIMEOUT = 500
"""Seconds that both builds of a case may take."""


class RunError(Exception):
    """The tool reached no verdict; the message is what it said."""


def try_case(case: Case, environment: Mapping[str, str], scratch: Path) -> Outcome:
    """Try the case and judge what comes out; files are written below `scratch`. Raises RunError."""
    if case.tried == "check":
        return judge_check(case, _check(case))
    path = scratch / "report.json"
    if case.tried == "compare":
        names = _images(case)(scratch)
        _in_this_process("compare", *names, "--report", f"json={path}", *case.options)
    else:
        done = verify(case.dockerfile, case.builder or "auto", case.options, path, environment)
        if done.returncode not in {0, 1} or not path.is_file():
            raise RunError(done.stderr)
    return judge_report(case, json.loads(path.read_text("utf-8")))


def verify(
    dockerfile: Path, builder: str, options: tuple[str, ...], report: Path, environment: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    """Run the console script on a Dockerfile with the host's network, writing a JSON report to `report`."""
    argv = [str(Path(sys.executable).with_name("verify-build")), str(dockerfile), "--builder", builder]
    argv += ["--network", "host", "--report", f"json={report}", *options]
    return subprocess.run(argv, capture_output=True, text=True, check=False, env=dict(environment), timeout=TIMEOUT)


def _check(case: Case) -> dict[str, Any]:
    report: dict[str, Any] = json.loads(
        _in_this_process("check", str(case.dockerfile), "--format", "json", *case.options)
    )
    return report


def _in_this_process(*argv: str) -> str:
    """Run the command line where no builder is needed, and give what it prints: a process takes half a second."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        status = main(argv)
    if status not in {0, 1}:
        raise RunError(err.getvalue())
    return out.getvalue()


def _images(case: Case) -> Callable[[Path], tuple[str, str]]:
    """Give the function of the fixture's `images.py` that writes both images: `write`, or `write_remedied`."""
    path = case.folder / "images.py"
    specification = importlib.util.spec_from_file_location(f"images_of_{case.cause.replace('-', '_')}", path)
    if specification is None or specification.loader is None:
        raise RunError(f"{path} is not there")
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    writer: Callable[[Path], tuple[str, str]] = module.write_remedied if case.remedied else module.write
    return writer
