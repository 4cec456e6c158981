"""The tutorial says what really happens: its files are written, its commands run, and what they print is compared.

`UPDATE_GOLDEN=1` writes the output anew. Digests, times and sizes differ from run to run, and count by their form.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from tests.machine import ROOT

TUTORIAL = ROOT / "docs" / "tutorial.md"
BLOCK = re.compile(r"(?P<fence>```(?P<kind>console|file (?P<name>\S+))\n)(?P<body>.*?)(?=```\n)", re.DOTALL)
VARIABLE = (
    (re.compile(r"sha256:[0-9a-f]{64}"), "sha256:DIGEST"),
    (re.compile(r"sha256:[0-9a-f]{12}"), "sha256:SHORT"),
    (re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?Z?"), "TIME"),
    (re.compile(r"\w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d UTC \d{4}"), "DATE"),
    (re.compile(r"\b1[6-9]\d{8}\b"), "SECONDS"),
    (re.compile(r"0x[0-9a-f]{8}"), "WORD"),
    (re.compile(r"^note: could not be removed: .*\n", re.MULTILINE), ""),
)
"""What no two runs have in common."""


def masked(text: str) -> str:
    for pattern, name in VARIABLE:
        text = pattern.sub(name, text)
    return text


def run(command: str, folder: Path, environment: Mapping[str, str]) -> str:
    done = subprocess.run(
        ["sh", "-c", command], cwd=folder, env=environment, capture_output=True, text=True, timeout=300, check=False
    )
    errors = "".join(line for line in done.stderr.splitlines(keepends=True) if line.startswith(("error:", "hint:")))
    code = "" if done.returncode == 0 else f"[exit code {done.returncode}]\n"
    return done.stdout + errors + code


def played(text: str, folder: Path, environment: Mapping[str, str]) -> Iterator[tuple[re.Match[str], str]]:
    """Write the files and run the commands in their order; give each block with what it ought to hold."""
    for block in BLOCK.finditer(text):
        if block["name"]:
            (folder / block["name"]).write_text(block["body"])
            yield block, block["body"]
        else:
            commands = [line for line in block["body"].splitlines() if line.startswith("$ ")]
            shown = [f"{line}\n{run(line.removeprefix('$ '), folder, environment)}" for line in commands]
            yield block, "".join(shown)


@pytest.mark.slow
@pytest.mark.buildkit
def test_every_command_prints_what_the_tutorial_shows(
    tmp_path: Path, builder_environment: Callable[[str, str | None], Mapping[str, str]]
) -> None:
    environment = dict(builder_environment("buildkit", None))
    environment["PATH"] = f"{Path(sys.executable).parent}:{environment.get('PATH', os.environ['PATH'])}"
    text = TUTORIAL.read_text("utf-8")
    folder = tmp_path / "tutorial"
    folder.mkdir()
    blocks = list(played(text, folder, environment))
    if os.environ.get("UPDATE_GOLDEN"):
        for block, body in reversed(blocks):
            text = text[: block.start("body")] + body + text[block.end("body") :]
        TUTORIAL.write_text(text, "utf-8")
        return
    assert len(blocks) > 5
    for block, body in blocks:
        assert masked(body) == masked(block["body"])
