from __future__ import annotations

import pytest

from tests.images import AMD64, ARM64, compared, comparison, side
from verifier.errors import NoVerdictError
from verifier.judge import judge, level_of
from verifier.model.difference import Difference, SideDigests

LADDER = [
    (side(), "manifest"),
    (side(manifest="other"), "config"),
    (side(manifest="other", config="other"), "layers"),
    (side(manifest="other", config="other", layers="other"), "files"),
    (side(manifest="other", config="other", layers="other", files="other"), "none"),
]


@pytest.mark.parametrize(("second", "level"), LADDER, ids=[level for _, level in LADDER])
def test_the_strictest_equal_level_is_named(second: SideDigests, level: str) -> None:
    assert level_of(compared(side(), second)) == level


@pytest.mark.parametrize(("second", "level"), LADDER, ids=[level for _, level in LADDER])
@pytest.mark.parametrize("required", ["manifest", "config", "layers", "files", "none"])
def test_a_weaker_level_than_required_is_different(second: SideDigests, level: str, required: str) -> None:
    order = ["manifest", "config", "layers", "files", "none"]
    verdict = judge(comparison(compared(side(), second)), required)  # type: ignore[arg-type]  # the five words
    assert verdict.level == level
    assert verdict.exit_code == (0 if order.index(level) <= order.index(required) else 1)


def test_files_that_were_not_computed_are_not_equal() -> None:
    first = side(manifest="1", config="1", layers="1", files=None)
    assert level_of(compared(first, side(manifest="2", config="2", layers="2", files=None))) == "none"


def test_without_a_manifest_digest_config_is_required() -> None:
    pair = compared(side(manifest=None), side(manifest=None))
    verdict = judge(comparison(pair), None)
    assert (verdict.level, verdict.required, verdict.exit_code) == ("config", "config", 0)


def test_a_level_that_cannot_be_shown_is_no_verdict() -> None:
    with pytest.raises(NoVerdictError, match="manifest cannot be shown"):
        judge(comparison(compared(side(manifest=None), side())), "manifest")


def test_an_index_is_as_good_as_its_weakest_platform() -> None:
    weak = side(manifest="other", config="other")
    verdict = judge(comparison(compared(side(), side()), compared(side(), weak, ARM64), index_equal=False), None)
    assert (verdict.level, verdict.exit_code) == ("layers", 1)


def test_a_platform_on_one_side_only_is_level_none() -> None:
    lacking = Difference(platform=ARM64, part="index", field="entry", first="sha256:…", second=None)
    verdict = judge(comparison(compared(side(), side()), index_equal=False, differences=(lacking,)), None)
    assert verdict.level == "none"


def test_requiring_the_index_demands_equal_index_digests() -> None:
    equal = compared(side(), side(), AMD64)
    assert judge(comparison(equal, index_equal=True), "index").exit_code == 0
    assert judge(comparison(equal, index_equal=False), "index").exit_code == 1
    with pytest.raises(NoVerdictError, match="neither side has an index"):
        judge(comparison(equal, index_equal=None), "index")


def test_what_came_from_a_cache_cannot_count_as_reproduced() -> None:
    with pytest.raises(NoVerdictError, match="line 3"):
        judge(comparison(compared(side(), side())), None, ["line 3 (WORKDIR /a)"])


def test_a_cached_layer_does_not_hide_that_the_rest_differs() -> None:
    verdict = judge(comparison(compared(side(), side(config="other", manifest="other"))), None, ["line 3"])
    assert verdict.outcome == "different"


def test_nothing_compared_is_never_equal() -> None:
    assert judge(comparison(), "manifest").level == "none"
