"""What both contents have alike is set aside, and nothing else."""

from __future__ import annotations

from pathlib import Path

from tests.causes.sides import FIRST, SECOND, at, causes, explain_contents
from tests.compare.layer_images import file, tar
from tests.formats.artefacts import cpio, package_database
from tests.formats.test_sqlite import fields
from verifier.causes.equal_parts import without_equal_parts
from verifier.formats.unfold import unfold

MOMENT = 1_795_000_000


def test_only_what_differs_is_left(tmp_path: Path) -> None:
    first, second = (unfold(package_database(tmp_path / "d", moment)) for moment in (MOMENT, MOMENT + 100))
    left, right = without_equal_parts(first, second)
    assert len(list(fields(left))) < len(list(fields(first))) / 2
    named = [[(field.name, field.value) for field in fields(side)] for side in (left, right)]
    assert [name for name, _ in named[0]] == [name for name, _ in named[1]]
    changed = {name for (name, value), (_, other) in zip(*named, strict=True) if value != other}
    assert changed == {"INSTALLTIME", "INSTALLTID", "Installtid 1: key", "Installtid_key_idx: key"}


def test_equal_contents_become_equal_and_unequal_ones_never(tmp_path: Path) -> None:
    data = package_database(tmp_path / "d", MOMENT)
    first, second = without_equal_parts(unfold(data), unfold(data))
    assert first == second
    for position in range(0, len(data), 997):
        changed = bytearray(data)
        changed[position] ^= 1
        first, second = without_equal_parts(unfold(data), unfold(bytes(changed)))
        assert first != second, position


def test_parts_that_are_not_one_for_one_stay() -> None:
    first, second = unfold(cpio([("a", b"x", 1, 1)])), unfold(cpio([("a", b"x", 1, 1), ("b", b"x", 1, 2)]))
    assert without_equal_parts(first, second) == (first, second)
    text = unfold(b"one"), unfold(b"two")
    assert without_equal_parts(*text) == text
    formats = frozenset({"another"})
    assert without_equal_parts(unfold(b"one"), unfold(b"one"), formats) == (unfold(b"one"), unfold(b"one"))


def test_what_is_equal_and_reads_as_a_time_of_one_build_is_left_alone() -> None:
    fixed = file("fixed", at(FIRST + 4, "%Y-%m-%dT%H:%M:%SZ"))
    first, second = (tar([fixed, file("date", at(moment + 4, "%c"))]) for moment in (FIRST, SECOND))
    explanation = explain_contents(first, second)
    assert causes(explanation) == ["embedded-timestamp"]
    assert [evidence.inner for evidence in explanation.findings[0].evidence] == ["date"]
