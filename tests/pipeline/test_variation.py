"""Which variation matters: found by halves, on what simulated builds show."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from verifier.errors import BuildError, UnsupportedError
from verifier.model.build import BuilderIdentity, BuilderName
from verifier.model.difference import Difference, LayerPair
from verifier.model.plan import BuildOptions, FrozenContext, FrozenDockerfile, Plan
from verifier.model.variation import FACTORS, Factor, Variation
from verifier.oci.digest import digest_bytes
from verifier.pipeline.variation import MAX_FURTHER_BUILDS, Key, choose_factors, find_what_matters, key_of

Needs = Mapping[str, frozenset[Factor]]
"""The factors that each path needs in order to differ; none for what differs anyway."""


def difference(path: str) -> Difference:
    pair, name = LayerPair(first=1, second=1), path.encode()
    return Difference(platform=None, part="layer", layer=pair, path=name, field="content", first="a", second="b")


def simulated(needs: Needs, builds: list[tuple[Factor, ...]]) -> Callable[[tuple[Factor, ...]], frozenset[Key]]:
    def build(factors: tuple[Factor, ...]) -> frozenset[Key]:
        builds.append(factors)
        return frozenset(key_of(difference(path)) for path, needed in needs.items() if needed <= set(factors))

    return build


def search(needs: Needs, factors: tuple[Factor, ...] = FACTORS) -> tuple[Variation, list[tuple[Factor, ...]]]:
    builds: list[tuple[Factor, ...]] = []
    found = find_what_matters([difference(path) for path in needs], factors, (), simulated(needs, builds))
    assert found.further_builds == len(builds) <= MAX_FURTHER_BUILDS
    return found, builds


def effects(found: Variation) -> dict[Factor, tuple[int, ...]]:
    return {effect.factor: effect.differences for effect in found.effects}


def test_equal_sides_need_no_further_build() -> None:
    found, builds = search({})
    assert (found.settled, found.effects, builds) == (True, (), [])


def test_what_differs_anyway_is_put_down_to_nothing_by_one_control_build() -> None:
    found, builds = search({"a": frozenset()})
    assert (found.unvaried, found.effects, builds) == ((0,), (), [()])


def test_one_factor_needs_the_control_build_alone() -> None:
    found, builds = search({"a": frozenset(), "b": frozenset({"mode"})}, ("mode",))
    assert (effects(found), found.unvaried, builds) == ({"mode": (1,)}, (0,), [()])


def test_two_factors_that_matter_are_both_found() -> None:
    found, _ = search({"a": frozenset({"mtime"}), "b": frozenset({"locale"}), "c": frozenset({"mtime"})})
    assert effects(found) == {"mtime": (0, 2), "locale": (1,)}
    assert found.unsettled == ()


def test_what_two_factors_bring_about_together_is_not_put_down_to_either() -> None:
    found, _ = search({"a": frozenset({"mtime", "locale"}), "b": frozenset({"mtime"})})
    assert effects(found) == {"mtime": (1,)}
    assert found.unsettled == (0,)


def test_a_failing_build_leaves_the_rest_unsettled_and_says_so() -> None:
    def fails(factors: tuple[Factor, ...]) -> frozenset[Key]:
        if factors:
            raise BuildError("build 4 failed")
        return frozenset()

    found = find_what_matters([difference("a")], ("mtime", "mode"), (), fails)
    assert (found.settled, found.unsettled, found.effects) == (False, (0,), ())


@given(st.dictionaries(st.sampled_from("abcdefgh"), st.frozensets(st.sampled_from(FACTORS), max_size=2)))
def test_a_factor_is_blamed_only_for_what_it_alone_brings_about(needs: Needs) -> None:
    found, _ = search(needs)
    paths = list(needs)
    for factor, numbers in effects(found).items():
        assert all(needs[paths[number]] == {factor} for number in numbers)
    assert {paths[number] for number in found.unvaried} == {path for path, needed in needs.items() if not needed}
    told = [*found.unvaried, *found.unsettled, *(number for numbers in effects(found).values() for number in numbers)]
    assert sorted(told) == list(range(len(paths)))


def identity(name: BuilderName, *varies: Factor) -> BuilderIdentity:
    return BuilderIdentity(name=name, version="1", reproducible=True, shows_manifest=True, varies=varies)


def plan(syntax: str | None = None) -> Plan:
    nowhere = Path("nowhere")
    digest = digest_bytes(b"")
    return Plan(
        workspace=nowhere,
        dockerfile=FrozenDockerfile(path="Dockerfile", copy=nowhere, raw=b"", digest=digest, syntax=syntax),
        context=FrozenContext(
            path=".", archive=nowhere, directory=nowhere, digest=digest, archive_digest=digest, files=0, bytes=0
        ),
        options=BuildOptions(),
        references=(),
        instructions=(),
    )


def test_all_is_what_the_builder_can_and_the_rest_is_said() -> None:
    chosen, left_out = choose_factors(("all",), identity("buildah", "cpus"), plan(), cpus=2)
    assert chosen == ("mtime", "mode", "order", "cpus")
    assert {item.factor for item in left_out} == {"hostname", "timezone", "locale"}
    assert all(item.reason.startswith("buildah ") for item in left_out)


def test_named_factors_are_taken_in_one_order_and_nothing_is_left_out() -> None:
    assert choose_factors(("mode", "mtime"), identity("docker"), plan(), cpus=2) == (("mtime", "mode"), ())


@pytest.mark.parametrize(
    ("factor", "builder", "syntax", "cpus"),
    [
        ("hostname", identity("docker", "cpus"), None, 2),
        ("cpus", identity("buildkit", "hostname"), None, 2),
        ("cpus", identity("docker", "cpus"), None, 1),
        ("timezone", identity("buildkit", "hostname", "timezone"), "docker/dockerfile:1.4", 2),
    ],
)
def test_a_named_factor_that_cannot_be_varied_is_refused(
    factor: str, builder: BuilderIdentity, syntax: str | None, cpus: int
) -> None:
    with pytest.raises(UnsupportedError, match=f"--vary {factor} cannot be done"):
        choose_factors((factor,), builder, plan(syntax), cpus)
