from __future__ import annotations

from dataclasses import replace

import pytest

from verifier.causes import CAUSES
from verifier.errors import BuildError
from verifier.model.difference import Difference, LayerPair
from verifier.model.finding import Confidence, Explanation, Finding
from verifier.model.report import Report
from verifier.model.verdict import Verdict
from verifier.oci.digest import digest_bytes
from verifier.pipeline.confirm import REMEDIED, confirm
from verifier.pipeline.variation import Key, key_of

PAIR = LayerPair(first=1, second=1)
MTIME = Difference(platform=None, part="layer", layer=PAIR, path=b"/a", field="mtime", first="1", second="2")
PYC = Difference(platform=None, part="layer", layer=PAIR, path=b"/a.pyc", field="content", first="1", second="2")
CREATED = Difference(platform=None, part="config", field="/history/3/created", first="1", second="2")
UUID = Difference(platform=None, part="layer", layer=PAIR, path=b"/id", field="content", first="1", second="2")
ALL = (MTIME, PYC, CREATED, UUID)


def finding(cause: str, number: int, confidence: Confidence = "proven") -> Finding:
    return Finding(
        cause=cause,
        title="",
        severity="warning",
        confidence=confidence,
        opaque=False,
        instruction=None,
        differences=(number,),
        paths=(),
        evidence=(),
        remedy="",
    )


def report(*findings: Finding) -> Report:
    digest = digest_bytes(b"")
    return Report(
        tool_version="1",
        verdict=Verdict(outcome="different", level="none", required="manifest"),
        differences=ALL,
        explanation=Explanation(
            findings=findings,
            residue=(),
            of=len(ALL),
            opaque=0,
            counterfactual_first=digest,
            counterfactual_second=digest,
            minimal=(),
        ),
    )


FINDINGS = (
    finding("file-mtime", 0),
    finding("pyc-mtime", 1, "likely"),
    finding("config-created", 2),
    finding("random-value", 3, "likely"),
)


def confidences(*left: Difference, findings: tuple[Finding, ...] = FINDINGS) -> list[str]:
    keys = frozenset(map(key_of, left))
    told, _ = confirm(report(*findings), lambda: keys)
    assert told.explanation is not None
    return [item.confidence for item in told.explanation.findings]


def test_what_is_gone_is_confirmed_where_the_remedy_is_one_that_was_tried() -> None:
    assert confidences() == ["confirmed", "confirmed", "confirmed", "likely"]


def test_what_is_left_is_not_confirmed() -> None:
    assert confidences(PYC, UUID) == ["confirmed", "likely", "confirmed", "likely"]


def test_numbers_of_layers_and_history_entries_are_no_way_out() -> None:
    moved = replace(MTIME, layer=LayerPair(first=2, second=2)), replace(CREATED, field="/history/4/created")
    assert confidences(*moved) == ["proven", "confirmed", "proven", "likely"]


def test_what_is_only_possible_stays_so() -> None:
    assert confidences(findings=(finding("file-mtime", 0), finding("pyc-mtime", 1, "possible"))) == [
        "confirmed",
        "possible",
    ]


def test_without_a_finding_to_confirm_nothing_is_built() -> None:
    def build() -> frozenset[Key]:
        pytest.fail("built")

    _, told = confirm(report(finding("random-value", 3)), build)
    assert told.startswith("nothing to confirm")


def test_a_remedied_build_that_fails_confirms_nothing_and_says_so() -> None:
    def build() -> frozenset[Key]:
        raise BuildError("build 3 failed at Dockerfile:2")

    told, sentence = confirm(report(*FINDINGS), build)
    assert told == report(*FINDINGS)
    assert sentence == "nothing was confirmed: build 3 failed at Dockerfile:2"


def test_the_causes_are_of_the_catalogue_and_their_remedies_are_those() -> None:
    remedies = {cause.slug: cause.remedy + cause.page for cause in CAUSES}
    assert set(remedies) >= REMEDIED
    for slug in REMEDIED:
        assert any(word in remedies[slug] for word in ("SOURCE_DATE_EPOCH", "rewrite-timestamp", "--timestamp")), slug
