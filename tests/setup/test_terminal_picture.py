"""The picture of the terminal is drawn from the tutorial, and cannot grow old unnoticed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

from tests.machine import ROOT, SETUP

TUTORIAL, PICTURE = ROOT / "docs" / "tutorial.md", ROOT / "docs" / "terminal.svg"
TEXT = "{http://www.w3.org/2000/svg}text"


def draw(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, SETUP / "terminal_picture.py", *arguments]
    return subprocess.run(argv, capture_output=True, text=True, check=False, timeout=60)


def test_the_picture_shows_what_the_tutorial_shows() -> None:
    assert draw(TUTORIAL, PICTURE).returncode == 0
    root = ET.fromstring(PICTURE.read_text("utf-8"))  # noqa: S314  # our own
    shown = [text.text or "" for text in root.iter(TEXT)]
    assert shown[0] == "$ verify-build Dockerfile"
    assert shown[1].startswith("not reproducible: 4 causes explain all 11 differences")
    assert all(text in TUTORIAL.read_text("utf-8") for text in shown[1:-1])
    right = [float(text.attrib["x"]) + float(text.attrib["textLength"]) for text in root.iter(TEXT)]
    assert max(right) < float(root.attrib["width"])


def test_another_run_is_told_and_drawn_anew(tmp_path: Path) -> None:
    picture, tutorial = tmp_path / "terminal.svg", tmp_path / "tutorial.md"
    tutorial.write_text(TUTORIAL.read_text("utf-8").replace("all 11 differences", "all 12 <differences>"), "utf-8")
    picture.write_bytes(PICTURE.read_bytes())
    stale = draw(tutorial, picture)
    assert (stale.returncode, stale.stderr.splitlines()[1]) == (1, "hint: make docs")
    assert draw("--write", tutorial, picture).returncode == 0
    assert draw(tutorial, picture).returncode == 0
    assert "all 12 &lt;differences&gt;" in picture.read_text("utf-8")


def test_a_page_without_such_a_run_is_refused(tmp_path: Path) -> None:
    tutorial = tmp_path / "tutorial.md"
    tutorial.write_text("nothing\n", "utf-8")
    assert draw("--write", tutorial, tmp_path / "terminal.svg").returncode == 2
    assert draw(tutorial).returncode == 2
    assert not (tmp_path / "terminal.svg").exists()
