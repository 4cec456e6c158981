"""The tool as its users run it: a process with arguments, an exit code and two streams."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

TOOL = (sys.executable, "-m", "verifier.cli.main")


def verify_build(
    *arguments: str | Path, environment: Mapping[str, str] | None = None, timeout: float = 300, cwd: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """Run the tool to its end; output that is not UTF-8 fails the test."""
    return subprocess.run(
        [*TOOL, *map(str, arguments)],
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
        env=None if environment is None else dict(environment),
        timeout=timeout,
        cwd=cwd,
        stdin=subprocess.DEVNULL,
    )


def error_lines(done: subprocess.CompletedProcess[str]) -> list[str]:
    """Give the `error:` and `hint:` lines that end stderr; a traceback fails the test."""
    assert "Traceback" not in done.stderr, done.stderr
    lines = done.stderr.splitlines()
    starts = [number for number, line in enumerate(lines) if line.startswith("error: ")]
    assert len(starts) == 1, done.stderr
    told = lines[starts[0] :]
    assert len(told) == 1 or (len(told) == 2 and told[1].startswith("hint: ")), done.stderr
    return told
