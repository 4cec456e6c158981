"""Labels: how a fixture's `fixture.toml` is read."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from accuracy.cases import BUILDERS, LabelError, lean, read_cases


def write(folder: Path, label: str, cause: str = "file-mtime") -> Path:
    fixture = folder / cause
    fixture.mkdir(exist_ok=True)
    (fixture / "fixture.toml").write_text(label, "utf-8")
    return folder


def test_a_case_is_read_once_for_each_builder(tmp_path: Path) -> None:
    label = '[[case]]\nbuilders = ["docker", "podman"]\nline = 2\nalong = ["whiteout"]\noptions = ["--target=a"]\n'
    first, second = read_cases(write(tmp_path, label))
    assert (first.builder, second.builder) == ("docker", "podman")
    assert (first.tried, first.line, first.options, first.heavy) == ("verify", 2, ("--target=a",), False)
    assert {"whiteout", "config-created", "builder-identity"} <= first.expected
    assert first.name == "file-mtime-docker"


def test_the_remedied_form_of_a_text_needs_no_label(tmp_path: Path) -> None:
    bad, good = read_cases(write(tmp_path, '[[case]]\ntried = "check"\nline = 2\n'))
    assert (bad.remedied, good.remedied) == (False, True)
    assert good.name == "file-mtime-check-remedied"


def test_a_label_of_the_remedied_form_stands_for_itself(tmp_path: Path) -> None:
    label = '[[case]]\ntried = "check"\nline = 2\n[[case]]\ntried = "check"\nremedied = true\nleaves = "note"\n'
    assert [case.leaves for case in read_cases(write(tmp_path, label))] == [None, "note"]


@pytest.mark.parametrize(
    ("label", "says"),
    [
        ('[[case]]\nbuilders = ["docker"]\nlines = 2\n', "unknown lines"),
        ("[[case]]\nline = 2\n", "a case that is built names builders"),
        ('[[case]]\ntried = "check"\nbuilders = ["docker"]\n', "no other case names builders"),
        ('[[case]]\nbuilders = ["kaniko"]\n', "nothing is tried by verify with kaniko"),
        ('[[case]]\ntried = "guess"\n', "nothing is tried by guess with None"),
    ],
)
def test_a_label_that_cannot_be_meant_is_refused(label: str, says: str, tmp_path: Path) -> None:
    with pytest.raises(LabelError, match=says):
        read_cases(write(tmp_path, label))


def test_the_short_run_tries_each_form_with_one_builder() -> None:
    share = Counter((case.cause, case.remedied) for case in read_cases() if case.builder and lean(case))
    assert share
    forms = Counter(
        (case.cause, case.remedied, case.options, case.line, case.level)
        for case in read_cases()
        if case.builder and lean(case)
    )
    assert set(forms.values()) == {1}


def test_the_short_run_leaves_out_what_is_heavy(tmp_path: Path) -> None:
    label = '[[case]]\nbuilders = ["docker"]\nheavy = true\n[[case]]\nbuilders = ["docker"]\nline = 1\n'
    assert [lean(case) for case in read_cases(write(tmp_path, label))] == [False, True]


def test_every_builder_that_is_named_is_known() -> None:
    assert {case.builder for case in read_cases()} <= {*BUILDERS, None}
