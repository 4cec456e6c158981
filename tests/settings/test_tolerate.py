"""Tolerances change the outcome and nothing else, and never cover what they do not name."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from tests.images import digest
from tests.reports.hostile import finding
from tests.reports.test_text import RUN, report
from verifier.model.difference import Difference, LayerPair
from verifier.model.finding import Explanation, Residue
from verifier.model.report import Report
from verifier.model.tolerance import Tolerance
from verifier.model.verdict import Verdict
from verifier.tolerate import tolerate

TODAY = date(2026, 6, 1)
PAIR = LayerPair(first=1, second=1)


def difference(path: bytes | None, field: str, first: str = "1", second: str = "2", **more: object) -> Difference:
    made = Difference(platform=None, part="layer", layer=PAIR, path=path, field=field, first=first, second=second)
    return replace(made, **more)  # type: ignore[arg-type]


def tolerance(**keys: object) -> Tolerance:
    given = {"cause": None, "path": None, "field": None, "reason": "because", "expires": None, "place": "here"}
    return Tolerance(**{**given, **keys})  # type: ignore[arg-type]


def with_causes(made: Report, *causes: tuple[str, tuple[int, ...]], residue: tuple[int, ...] = ()) -> Report:
    explanation = Explanation(
        findings=tuple(finding(cause, numbers, (), RUN) for cause, numbers in causes),
        residue=tuple(Residue(difference=number, ruled_out=()) for number in residue),
        of=len(made.differences),
        opaque=0,
        counterfactual_first=digest("a"),
        counterfactual_second=digest("b"),
        minimal=(),
    )
    return replace(made, explanation=explanation)


def outcome(made: Report, *tolerances: Tolerance) -> str:
    return tolerate(made, tolerances, TODAY).verdict.outcome


def test_a_cause_covers_what_is_put_down_to_it() -> None:
    made = with_causes(report(difference(b"/a", "mtime"), difference(b"/b", "mtime")), ("file-mtime", (0, 1)))
    changed = tolerate(made, [tolerance(cause="file-mtime")], TODAY)
    assert changed.verdict == replace(made.verdict, outcome="tolerated")
    assert changed.verdict.exit_code == 0
    assert changed.tolerated == (0, 1)
    assert [(each.status, each.differences) for each in changed.tolerances] == [("used", (0, 1))]


def test_every_cause_of_a_difference_must_be_named() -> None:
    made = with_causes(report(difference(b"/a", "content")), ("embedded-timestamp", (0,)), ("random-value", (0,)))
    assert outcome(made, tolerance(cause="embedded-timestamp")) == "different"
    assert outcome(made, tolerance(cause="embedded-timestamp"), tolerance(cause="random-value")) == "tolerated"


def test_a_cause_does_not_cover_what_is_left_unexplained() -> None:
    made = with_causes(report(difference(b"/a", "content")), ("embedded-timestamp", (0,)), residue=(0,))
    assert outcome(made, tolerance(cause="embedded-timestamp")) == "different"
    assert outcome(made, tolerance(path="/a")) == "tolerated"


@pytest.mark.parametrize(
    ("pattern", "path", "covered"),
    [
        ("/var/log/**", b"/var/log/a/b", True),
        ("/var/log/*", b"/var/log/a/b", False),
        ("/var/log/*", b"/var/log/a", True),
        ("/a?", b"/ab", True),
        ("/a?", b"/a/", False),
        ("/a.b", b"/axb", False),
        ("/**", b"/\xff\n", True),
        ("var/log/**", b"/var/log/a", False),
    ],
)
def test_patterns_of_paths(pattern: str, path: bytes, covered: bool) -> None:
    assert (outcome(report(difference(path, "mtime")), tolerance(path=pattern)) == "tolerated") is covered


NAMED = [
    (difference(b"/a", "mode", "0644", "0600"), "mode"),
    (difference(b"/a", "mode", "4755", "0755"), "setuid"),
    (difference(b"/a", "mode", "0755", "1755"), "setuid"),
    (difference(b"/a", "uid"), "uid"),
    (difference(b"/a", "gid"), "gid"),
    (difference(b"/a", "xattr:security.capability"), "xattr:security.capability"),
    (difference(b"/a", "whiteout"), "whiteout"),
    (difference(b"/d/.wh.a", "entry"), "whiteout"),
]


@pytest.mark.parametrize(("item", "name"), NAMED)
def test_what_a_process_may_do_is_tolerated_by_its_name_alone(item: Difference, name: str) -> None:
    made = with_causes(report(item), ("owner-drift", (0,)))
    assert outcome(made, tolerance(path="/**")) == "different"
    assert outcome(made, tolerance(cause="owner-drift")) == "different"
    others = [tolerance(path="/**", field=other) for _, other in NAMED if other != name]
    assert outcome(made, *others) == "different"
    assert outcome(made, tolerance(path="/**", field=name)) == "tolerated"


def test_an_expired_tolerance_counts_no_longer_and_is_reported() -> None:
    made = report(difference(b"/a", "mtime"))
    last = tolerance(path="/a", expires=TODAY)
    assert outcome(made, last) == "tolerated"
    changed = tolerate(made, [replace(last, expires=date(2026, 5, 31)), tolerance(path="/b")], TODAY)
    assert changed.verdict.outcome == "different"
    assert [each.status for each in changed.tolerances] == ["expired", "unused"]
    assert [note.rpartition(" ")[2] for note in changed.notes] == ["expired", "unused"]


@pytest.mark.parametrize(
    ("required", "item", "expected"),
    [
        ("manifest", Difference(platform=None, part="config", field="/created", first="1", second="2"), "different"),
        ("layers", Difference(platform=None, part="config", field="/created", first="1", second="2"), "tolerated"),
        ("config", Difference(platform=None, part="manifest", field="/annotations/a", first=1, second=2), "tolerated"),
        ("files", difference(b"/b", "mtime"), "tolerated"),
        ("layers", difference(b"/b", "mtime"), "different"),
        ("files", difference(b"/b", "content"), "different"),
        ("manifest", Difference(platform=None, part="attestation", field="/x", first=1, second=2), "tolerated"),
        ("index", Difference(platform=None, part="index", field="/annotations/a", first=1, second=2), "different"),
    ],
)
def test_what_does_not_stand_before_the_required_level_needs_no_tolerance(
    required: str, item: Difference, expected: str
) -> None:
    verdict = Verdict(outcome="different", level="none", required=required)  # type: ignore[arg-type]  # a level's word
    made = replace(report(difference(b"/a", "content"), item), verdict=verdict)
    assert outcome(made, tolerance(path="/a")) == expected


def test_a_level_that_holds_stays_reproducible() -> None:
    made = replace(
        report(difference(b"/a", "mtime")), verdict=Verdict(outcome="reproducible", level="files", required="files")
    )
    assert outcome(made, tolerance(path="/a")) == "reproducible"


def test_without_tolerances_nothing_changes() -> None:
    made = report(difference(b"/a", "mtime"))
    assert tolerate(made, (), TODAY) is made
