"""file-mtime, directory-mtime, whiteout, mount-point-entry: the times in tar headers."""

from __future__ import annotations

import dataclasses
import tarfile

import pytest

from tests.causes.sides import FIRST, SECOND, causes, explain_layers
from tests.compare.layer_images import Entry, file, folder, hardlink, symlink, tar
from verifier.causes.cause import SideContext

NO_WINDOWS = (SideContext(), SideContext())


def both(entry: Entry, first: float = FIRST + 5, second: float = SECOND + 5) -> tuple[bytes, bytes]:
    sides = (dataclasses.replace(entry, mtime=moment) for moment in (first, second))
    one, two = (tar([item]) for item in sides)
    return one, two


@pytest.mark.parametrize(
    ("entry", "cause"),
    [
        (file("etc/x", b"1"), "file-mtime"),
        (symlink("l", "x"), "file-mtime"),
        (hardlink("h", "x"), "file-mtime"),
        (folder("srv"), "directory-mtime"),
        (file("usr/share/.wh.doc"), "whiteout"),
        (file("usr/share/.wh..wh..opq"), "whiteout"),
        (folder("proc"), "mount-point-entry"),
        (file("etc/hosts"), "mount-point-entry"),
    ],
    ids=lambda value: value if isinstance(value, str) else value.name,
)
def test_a_time_within_its_own_builds_window_is_explained(entry: Entry, cause: str) -> None:
    explanation = explain_layers(*both(entry))
    assert causes(explanation) == [cause]
    assert explanation.minimal == (cause,)
    assert explanation.findings[0].confidence == "proven"


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (FIRST - 2, SECOND + 5),
        (FIRST + 61, SECOND + 5),
        (FIRST + 5, SECOND + 61),
        (SECOND + 5, FIRST + 5),
        (FIRST + 5, FIRST + 6),
        (0, SECOND + 5),
    ],
)
def test_a_time_outside_of_its_own_builds_window_is_residue(first: float, second: float) -> None:
    assert causes(explain_layers(*both(file("x", b"1"), first, second))) == ["residue"]


@pytest.mark.parametrize("moment", [FIRST - 1, FIRST, FIRST + 60])
def test_the_windows_ends_belong_to_it(moment: float) -> None:
    assert causes(explain_layers(*both(file("x", b"1"), moment, SECOND))) == ["file-mtime"]


def test_fractions_of_seconds_are_times_too() -> None:
    assert causes(explain_layers(*both(file("x", b"1"), FIRST + 5.25, SECOND + 5.75))) == ["file-mtime"]


def test_without_windows_a_time_is_likely_at_most() -> None:
    explanation = explain_layers(*both(file("x", b"1")), sides=NO_WINDOWS)
    assert causes(explanation) == ["file-mtime"]
    assert explanation.findings[0].confidence == "likely"


@pytest.mark.parametrize(
    "change",
    [
        {"mode": 0o755},
        {"mode": 0o4644},
        {"mode": 0o640},
        {"type": tarfile.FIFOTYPE, "content": None},
        {"content": b"2"},
    ],
)
def test_nothing_else_goes_with_a_time(change: dict[str, object]) -> None:
    entry = file("x", b"1")
    first, second = dataclasses.replace(entry, mtime=FIRST + 1), dataclasses.replace(entry, mtime=SECOND + 1, **change)
    explanation = explain_layers(tar([first]), tar([second]))
    assert "residue" in causes(explanation)
    assert {finding.confidence for finding in explanation.findings} <= {"likely"}
    assert change.keys() & {"mode", "type", "content"}


def test_a_capability_is_residue() -> None:
    entry = file("x", b"1", mtime=FIRST)
    other = file("x", b"1", mtime=SECOND, pax=(("SCHILY.xattr.security.capability", "AAAA"),))
    explanation = explain_layers(tar([entry]), tar([other]))
    assert "residue" in causes(explanation)
    assert explanation.residue[0].difference in range(explanation.of)


def test_a_whiteout_on_one_side_only_is_residue() -> None:
    explanation = explain_layers(tar([file("a/.wh.x", mtime=FIRST)]), tar([file("a/.wh.y", mtime=SECOND)]))
    assert causes(explanation) == ["residue"]
    assert explanation.residue[0].ruled_out == ("on one side only",)


def test_equal_images_need_no_cause() -> None:
    explanation = explain_layers(*both(file("x", b"1"), FIRST, FIRST))
    assert causes(explanation) == []
    assert explanation.of == 0
    assert explanation.minimal == ()
