"""What is signed for: which side's digests, of which kinds."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.images import digest
from tests.sign_off.made import make_report
from verifier.errors import UsageError
from verifier.model.report import Report
from verifier.model.sign_off import Subject
from verifier.sign_off.subjects import choose_subjects, with_manifest


def kinds(subjects: tuple[Subject, ...]) -> list[tuple[str, str]]:
    return [(item.kind, item.digest) for item in subjects]


def two_sides(*, manifests: bool = True) -> Report:
    """Report two builds that differ in index and manifest."""
    made = make_report(None)
    pair = made.platforms[0]
    assert pair.first is not None
    assert made.first is not None
    assert made.second is not None
    images = [
        replace(pair.first, manifest_digest=digest(f"m{side}") if manifests else None, config_digest=digest(f"c{side}"))
        for side in (1, 2)
    ]
    return replace(
        made,
        first=replace(made.first, index_digest=digest("i1")),
        second=replace(made.second, index_digest=digest("i2")),
        platforms=(replace(pair, first=images[0], second=images[1]),),
    )


def test_the_first_build_is_meant_unless_a_digest_says_otherwise() -> None:
    report = two_sides()
    first = [("index", digest("i1")), ("manifest", digest("m1"))]
    second = [("index", digest("i2")), ("manifest", digest("m2"))]
    assert kinds(choose_subjects(report, "app", None)) == first
    for name in ("i2", "m2"):
        assert kinds(choose_subjects(report, "app", digest(name))) == second
    with pytest.raises(UsageError, match="is no image of this report"):
        choose_subjects(report, "app", digest("another"))


def test_a_single_manifest_is_no_index() -> None:
    report = two_sides()
    assert report.first is not None
    report = replace(report, first=replace(report.first, index_digest=digest("m1")))
    assert kinds(choose_subjects(report, "app", None)) == [("manifest", digest("m1"))]


def test_the_side_that_was_only_expected_has_no_image() -> None:
    report = two_sides()
    pair = replace(report.platforms[0], first=None)
    assert kinds(choose_subjects(replace(report, platforms=(pair,)), "app", None))[1] == ("manifest", digest("m2"))


def test_a_config_digest_makes_way_for_the_pushed_manifest() -> None:
    report = two_sides(manifests=False)
    assert report.first is not None
    report = replace(report, first=replace(report.first, index_digest=None))
    subjects = choose_subjects(report, "app", digest("c1"))
    assert kinds(subjects) == [("config", digest("c1"))]
    assert kinds(with_manifest(subjects, digest("c1"), digest("pushed"))) == [("manifest", digest("pushed"))]
    assert kinds(with_manifest(subjects, digest("another"), digest("pushed"))) == [("config", digest("c1"))]
