"""What an explanation says: findings by cause and line, evidence, the minimal list, residue and its reasons."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.causes.sides import FIRST, SECOND, WINDOWS, at, causes, explain_contents, explain_layers
from tests.compare.layer_images import file, image, single, tar
from verifier.causes import CAUSES
from verifier.causes.cause import SideContext
from verifier.compare import compare
from verifier.compare.contents_reader import ImageSetReader
from verifier.explain import explain
from verifier.explain.likeness import MAX_LIKENED_BYTES
from verifier.model.difference import Difference
from verifier.model.instruction import Instruction, StageRef

DATE = "%Y-%m-%d %H:%M:%S\n"


def line_of(item: Difference) -> Instruction | None:
    if item.layer is None or item.layer.first is None:
        return None
    number = 2 + item.layer.first
    return Instruction(stage=StageRef(index=0), line=number, end_line=number, text=f"RUN step {number}")


def test_one_finding_for_each_cause_and_line(tmp_path: Path) -> None:
    sets = []
    for moment in (FIRST, SECOND):
        layers = [tar([file(f"f{number}", b"x", mtime=moment)]) for number in range(2)]
        sets.append(single(image(*layers)))
    explanation = explain(
        compare(sets[0], sets[1], workspace=tmp_path),
        first=WINDOWS[0],
        second=WINDOWS[1],
        contents=ImageSetReader(sets[0], sets[1]),
        instructions=line_of,
    )
    found = [(finding.cause, finding.instruction and finding.instruction.line) for finding in explanation.findings]
    assert found == [("file-mtime", 2), ("file-mtime", 3)]
    assert [finding.paths for finding in explanation.findings] == [(b"/f0",), (b"/f1",)]
    assert [finding.differences for finding in explanation.findings] == [(0,), (1,)]


def test_evidence_is_bounded_and_shows_both_sides() -> None:
    layers = (tar([file(f"f{number}", b"x", mtime=moment) for number in range(50)]) for moment in (FIRST, SECOND))
    explanation = explain_layers(*layers)
    (finding,) = explanation.findings
    assert len(finding.differences) == 50
    assert len(finding.evidence) == 5
    assert finding.evidence[0].path == "/f0"
    assert (finding.evidence[0].first, finding.evidence[0].second) == (str(FIRST), str(SECOND))
    assert finding.evidence[0].inner is None


def test_a_difference_may_have_two_causes() -> None:
    first, second = at(FIRST, DATE), at(SECOND, DATE)
    identities = (b"0b7e1b0c-9d6c-4a4e-8f5e-1d2c3b4a5f60", b"f3a0c1d2-0001-4fff-b123-000000000001")
    explanation = explain_contents(first + identities[0], second + identities[1])
    assert causes(explanation) == ["embedded-timestamp", "random-value"]
    assert [finding.differences for finding in explanation.findings] == [(0,), (0,)]
    assert [finding.confidence for finding in explanation.findings] == ["proven", "likely"]
    assert (explanation.explained, explanation.of, explanation.opaque) == (1, 1, 1)


def test_the_minimal_list_drops_what_another_cause_covers_anyway() -> None:
    log = file("var/log/dpkg.log", at(FIRST, "%Y-%m-%d %H:%M:%S status\n"), mtime=5)
    other_log = file("var/log/dpkg.log", at(SECOND, "%Y-%m-%d %H:%M:%S status\n"), mtime=5)
    alone = explain_layers(tar([log]), tar([other_log]))
    assert (causes(alone), alone.minimal) == (["apt-log"], ("apt-log",))
    date, other_date = (file("date", at(moment, DATE), mtime=5) for moment in (FIRST, SECOND))
    both = explain_layers(tar([date, log]), tar([other_date, other_log]))
    assert (causes(both), both.minimal) == (["apt-log", "embedded-timestamp"], ("embedded-timestamp",))


@pytest.mark.parametrize("slug", ["file-mtime", "embedded-timestamp"])
def test_without_a_cause_of_the_minimal_list_something_is_left_over(slug: str, tmp_path: Path) -> None:
    sets = [single(image(tar([file("date", at(moment, DATE), mtime=moment)]))) for moment in (FIRST, SECOND)]
    comparison = compare(sets[0], sets[1], workspace=tmp_path)
    results = [
        explain(
            comparison,
            first=WINDOWS[0],
            second=WINDOWS[1],
            contents=ImageSetReader(sets[0], sets[1]),
            instructions=lambda _: None,
            causes=registry,
        )
        for registry in (CAUSES, [cause for cause in CAUSES if cause.slug != slug])
    ]
    assert set(results[0].minimal) == {"file-mtime", "embedded-timestamp"}
    assert results[0].equal
    assert not results[1].equal
    assert len(results[1].residue) == 1


class Forgetful:
    """A reader that gives what it is told to, whatever is asked for."""

    def __init__(self, content: bytes | None) -> None:
        self._content = content

    def contents(self, *asked: object) -> Mapping[tuple[bytes, int], bytes]:
        wanted: list[tuple[bytes, int]] = asked[3]  # type: ignore[assignment]
        return {} if self._content is None else dict.fromkeys(wanted, self._content)

    def document(self, *_: object) -> bytes | None:
        return None


@pytest.mark.parametrize(("content", "reason"), [(None, "not read: larger"), (b"other", "no longer what was compared")])
def test_what_was_not_read_is_residue(content: bytes | None, reason: str, tmp_path: Path) -> None:
    sets = [single(image(tar([file("date", at(moment, DATE))]))) for moment in (FIRST, SECOND)]
    explanation = explain(
        compare(sets[0], sets[1], workspace=tmp_path),
        first=WINDOWS[0],
        second=WINDOWS[1],
        contents=Forgetful(content),  # type: ignore[arg-type]
        instructions=lambda _: None,
    )
    assert causes(explanation) == ["residue"]
    assert reason in explanation.residue[0].ruled_out[0]


def test_residue_says_what_it_was_tried_for() -> None:
    timed = explain_contents(b"a", b"b")
    assert "not a time within its build's window" in timed.residue[0].ruled_out
    untimed = explain_contents(b"a", b"b", sides=(SideContext(), SideContext()))
    assert "not a time within its build's window" not in untimed.residue[0].ruled_out


@pytest.mark.parametrize(
    ("first", "second", "alike"),
    [
        (b"a =  1\n", b"a  = 1\n", ("the order of words", "white space")),
        (b"v1.2\n", b"v1.3\n", ("numbers",)),
        (b"in /usr/lib\n", b"in /opt/bin\n", ("paths",)),
        (b"Hello\n", b"hello\n", ("capitals",)),
        (b"\0\1\2", b"\2\0\1", ("the order of bytes",)),
        (b"one\n", b"two\n", ()),
    ],
)
def test_residue_says_what_it_differs_by_alone(first: bytes, second: bytes, alike: tuple[str, ...]) -> None:
    left = explain_contents(first, second).residue[0]
    assert left.alike == alike
    assert not any(name in phrase for phrase in left.ruled_out for name in alike)


def test_large_contents_are_not_tried_for_more() -> None:
    (left,) = explain_contents(b"a" * (MAX_LIKENED_BYTES + 1), b"b" * (MAX_LIKENED_BYTES + 1)).residue
    assert left.alike == ()
    assert not any("alone" in phrase for phrase in left.ruled_out)


def test_explaining_twice_says_the_same() -> None:
    first, second = (tar([file("date", at(moment, DATE), mtime=moment)]) for moment in (FIRST, SECOND))
    assert explain_layers(first, second) == explain_layers(first, second)


def test_sides_exchanged_are_explained_alike() -> None:
    first, second = (tar([file("date", at(moment, DATE), mtime=moment)]) for moment in (FIRST, SECOND))
    one, two = explain_layers(first, second), explain_layers(second, first, sides=WINDOWS[::-1])
    assert causes(one) == causes(two)
    assert one.minimal == two.minimal
    assert one.counterfactual_first == two.counterfactual_first
