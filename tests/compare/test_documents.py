"""Configs, manifests, indexes and attestations, as JSON pointers."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.compare.layer_images import Blobs, digest_of, file, image, indexed, single, tar
from verifier.compare import compare
from verifier.compare.alignment import align
from verifier.compare.documents import value_differences
from verifier.model.difference import Difference
from verifier.oci.image import Attestation
from verifier.oci.manifest import Manifest, parse_manifest_or_index

LAYER = tar([file("x")])


def of_part(differences: tuple[Difference, ...], part: str) -> list[tuple[str, Any, Any]]:
    return [(item.field, item.first, item.second) for item in differences if item.part == part]


def config_facts(first: dict[str, Any], second: dict[str, Any], workspace: Path) -> list[tuple[str, Any, Any]]:
    found = compare(single(image(LAYER, config=first)), single(image(LAYER, config=second)), workspace=workspace)
    return of_part(found.all_differences, "config")


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ({"created": "1"}, {"created": "2"}, [("/created", "1", "2")]),
        ({"author": "me"}, {}, [("/author", "me", None)]),
        ({"config": {"Env": ["A=1", "B=2"]}}, {"config": {"Env": ["A=1", "B=3"]}}, [("/config/Env/1", "B=2", "B=3")]),
        ({"config": {"Env": ["B=2"]}}, {"config": {"Env": ["A=1", "B=2"]}}, [("/config/Env/0", None, "A=1")]),
        (
            {"config": {"Labels": {"a/b~c": "1"}}},
            {"config": {"Labels": {"a/b~c": "2"}}},
            [("/config/Labels/a~1b~0c", "1", "2")],
        ),
        (
            {"config": {"Labels": {"__x": "1"}}},
            {"config": {"Labels": {"__x": "2"}}},
            [("/config/Labels/__x", "1", "2")],
        ),
        ({"config": {"User": ""}}, {"config": {}}, [("/config/User", "", None)]),
        ({"config": {"Cmd": None}}, {"config": {}}, [("/config/Cmd", "null", None)]),
        ({"config": {"Cmd": None}}, {"config": {"Cmd": ["sh"]}}, [("/config/Cmd", None, ["sh"])]),
        ({"config": {"a": 1}}, {"config": {"a": True}}, [("/config/a", 1, True)]),
        ({"config": {"a": 1}}, {"config": {"a": 1.0}}, [("/config/a", 1, 1.0)]),
    ],
)
def test_config_leaves(tmp_path: Path, first: Any, second: Any, expected: list[tuple[str, Any, Any]]) -> None:
    assert config_facts(first, second, tmp_path) == expected


def test_every_leaf_is_reported_however_many_differ(tmp_path: Path) -> None:
    first = {"config": {f"key{number}": number for number in range(50)}}
    second = {"config": {f"key{number}": -number - 1 for number in range(50)}}
    assert len(config_facts(first, second, tmp_path)) == 50


def history(*texts: str, created: str = "1", empty: int = 0) -> dict[str, Any]:
    items: list[dict[str, Any]] = [{"created": created, "created_by": text} for text in texts]
    for item in items[1:]:
        item["empty_layer"] = True
    return {"history": items}


def test_inserted_history_entry_does_not_make_later_ones_differ(tmp_path: Path) -> None:
    first = history("FROM", "ENV a", "ENV b", "CMD")
    second = history("FROM", "LABEL new", "ENV a", "ENV b", "CMD")
    assert config_facts(first, second, tmp_path) == [("/history/1", None, second["history"][1])]


def test_history_times(tmp_path: Path) -> None:
    assert config_facts(history("A", "B"), history("A", "B", created="2"), tmp_path) == [
        ("/history/0/created", "1", "2"),
        ("/history/1/created", "1", "2"),
    ]


def test_diff_ids_are_no_difference_of_their_own(tmp_path: Path) -> None:
    comparison = compare(single(image(LAYER)), single(image(tar([file("y")]))), workspace=tmp_path)
    assert {item.part for item in comparison.all_differences} == {"layer"}


def test_encoding_of_equal_values(tmp_path: Path) -> None:
    first = image(LAYER)
    assert first.manifest is not None
    spaced = parse_manifest_or_index(json.dumps(json.loads(first.manifest.raw), indent=1).encode())
    assert isinstance(spaced, Manifest)
    second = image(LAYER, blobs=first.blobs)  # type: ignore[arg-type]
    object.__setattr__(second, "manifest", spaced)
    comparison = compare(single(first), single(second), workspace=tmp_path)
    ((part, name),) = [(item.part, item.field) for item in comparison.all_differences]
    assert (part, name) == ("manifest", "encoding")


def test_manifest_annotations_and_media_types(tmp_path: Path) -> None:
    blobs = Blobs()
    first = image(LAYER, blobs=blobs, manifest={"annotations": {"org.x/y": "1"}})
    second = image(LAYER, blobs=blobs, manifest={"annotations": {"org.x/y": "2"}}, media_type="application/x")
    found = compare(single(first), single(second), workspace=tmp_path).all_differences
    assert of_part(found, "manifest") == [
        ("/annotations/org.x~1y", "1", "2"),
        ("/layers/0/mediaType", "application/vnd.oci.image.layer.v1.tar+gzip", "application/x"),
    ]


def test_platform_on_one_side_only(tmp_path: Path) -> None:
    amd, arm = image(LAYER), image(LAYER, architecture="arm64")
    assert arm.manifest is not None
    comparison = compare(indexed(amd, arm), indexed(amd), workspace=tmp_path)
    assert comparison.index_equal is False
    assert [
        (str(item.platform), item.part, item.field, item.first, item.second) for item in comparison.differences
    ] == [("linux/arm64", "index", "entry", arm.manifest.digest, None)]
    assert [str(item.platform) for item in comparison.images] == ["linux/amd64"]


def test_index_of_its_own(tmp_path: Path) -> None:
    amd, arm = image(LAYER), image(LAYER, architecture="arm64")
    comparison = compare(
        indexed(amd, arm, more={"annotations": {"a": "1"}}),
        indexed(amd, arm, more={"annotations": {"a": "2"}}),
        workspace=tmp_path,
    )
    assert [(item.part, item.field) for item in comparison.all_differences] == [("index", "/annotations/a")]
    assert comparison.index_equal is False
    assert compare(indexed(amd, arm), indexed(amd, arm), workspace=tmp_path).index_equal is True
    assert compare(single(amd), single(amd), workspace=tmp_path).index_equal is None


def attestation(blobs: Blobs, statement: dict[str, Any], subject: str, **more: Any) -> Attestation:
    raw, config = json.dumps(statement).encode(), json.dumps({"architecture": "unknown", **more}).encode()
    manifest = {
        "schemaVersion": 2,
        "config": {
            "mediaType": "application/vnd.oci.image.config.v1+json",
            "digest": blobs.put(config),
            "size": len(config),
        },
        "layers": [
            {
                "mediaType": "application/vnd.in-toto+json",
                "digest": blobs.put(raw),
                "size": len(raw),
                "annotations": {"in-toto.io/predicate-type": "https://slsa.dev/provenance/v0.2"},
            }
        ],
    }
    parsed = parse_manifest_or_index(json.dumps(manifest).encode())
    assert isinstance(parsed, Manifest)
    return Attestation(subject=subject, manifest=parsed, blobs=blobs)  # type: ignore[arg-type]


def test_attestations_are_compared_to_the_leaf(tmp_path: Path) -> None:
    blobs = Blobs()
    made, other = image(LAYER), image(tar([file("y")]))
    assert made.manifest is not None
    assert other.manifest is not None

    def statement(when: str, digest: str) -> dict[str, Any]:
        return {"subject": [{"name": "_", "digest": {"sha256": digest}}], "predicate": {"buildFinishedOn": when}}

    first = indexed(made, attestations=[attestation(blobs, statement("1", "x"), made.manifest.digest)])
    second = indexed(other, attestations=[attestation(blobs, statement("2", "y"), other.manifest.digest)])
    comparison = compare(first, second, workspace=tmp_path)
    assert [
        (str(item.platform), item.part, item.field, item.first, item.second) for item in comparison.differences
    ] == [("linux/amd64", "attestation", "/layers/0/statement/predicate/buildFinishedOn", "1", "2")]
    gone = compare(first, indexed(other), workspace=tmp_path).differences
    assert [(item.part, item.field, item.second) for item in gone] == [("attestation", "entry", None)]


def test_statement_that_is_no_json_or_differs_too_much(tmp_path: Path) -> None:
    blobs = Blobs()
    made = image(LAYER)
    assert made.manifest is not None
    sides = [
        indexed(
            made,
            attestations=[attestation(blobs, {str(n): n + at for n in range(2000)}, made.manifest.digest)],
            more={"annotations": {"at": str(at)}},
        )
        for at in (0, 1)
    ]
    ((name, first, second),) = of_part(compare(sides[0], sides[1], workspace=tmp_path).differences, "attestation")
    assert name == "/layers/0/statement"
    assert first != second


json_values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-5, 5), st.text("ab=/~_", max_size=4)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=5), st.dictionaries(st.text("ab/~_", max_size=3), inner, max_size=4)
    ),
    max_leaves=12,
)


@settings(max_examples=250, deadline=None)
@given(json_values, json_values)
def test_values_differ_exactly_when_something_is_reported(first: Any, second: Any) -> None:
    first, second = {"v": first}, {"v": second}
    found = value_differences(first, second)
    assert bool(found) == (json.dumps(first, sort_keys=True) != json.dumps(second, sort_keys=True))
    back = value_differences(second, first)
    assert len(found) == len(back)
    json.dumps(found)


@given(st.lists(st.sampled_from("abc"), max_size=12), st.lists(st.sampled_from("abc"), max_size=12))
def test_alignment_takes_every_element_once_and_in_order(first: list[str], second: list[str]) -> None:
    pairs = align(first, second)
    assert [number for number, _ in pairs if number is not None] == list(range(len(first)))
    assert [number for _, number in pairs if number is not None] == list(range(len(second)))


def test_long_lists_are_aligned_in_bounded_time() -> None:
    first, second = ["a", "b"] * 40_000, ["b", "c"] * 40_000
    started = time.monotonic()
    align(first, second)
    assert time.monotonic() - started < 5


def test_unequal_config_digest_is_refused(tmp_path: Path) -> None:
    made = image(LAYER)
    other = image(LAYER, config={"author": "someone else"})
    object.__setattr__(made, "config", other.config)
    with pytest.raises(Exception, match="the manifest names the config"):
        compare(single(made), single(image(tar([file("z")]))), workspace=tmp_path)
    assert digest_of(b"")
