"""Provenance as BuildKit writes it, cut to what is read, and what nobody ought to write."""

from __future__ import annotations

import json
from typing import Any

import pytest

from verifier.errors import MalformedImageError
from verifier.oci.provenance import MAX_PROVENANCE_BYTES, read_provenance

ONE, TWO = "1" * 64, "2" * 64
ARGUMENTS = {
    "build-arg:VERSION": "7",
    "build-arg:SOURCE_DATE_EPOCH": "1700000000",
    "label:org.opencontainers.image.source": "https://example.com/x",
    "target": "app",
    "force-network-mode": "host",
}
MATERIALS: list[Any] = [
    {"uri": "pkg:docker/busybox@stable?platform=linux%2Famd64", "digest": {"sha256": ONE}},
    {"uri": "pkg:docker/127.0.0.1%3A5000/x/base@1?platform=linux%2Famd64", "digest": {"sha256": TWO}},
    {"uri": "pkg:docker/two/faces@1?platform=linux%2Famd64", "digest": {"sha256": ONE}},
    {"uri": "pkg:docker/two/faces@1?platform=linux%2Farm64", "digest": {"sha256": TWO}},
    {"uri": f"pkg:docker/debian@sha256%3A{ONE}", "digest": {"sha256": ONE}},
    {"uri": "https://example.com/file", "digest": {"sha256": ONE}},
    {"uri": "pkg:docker/UPPER@1", "digest": {"sha256": ONE}},
    {"uri": "pkg:docker/short@1", "digest": {"sha256": "1"}},
    {"uri": 7, "digest": {}},
    "nothing",
]


def v02(**more: Any) -> dict[str, Any]:
    predicate = {
        "invocation": {"parameters": {"frontend": "dockerfile.v0", "args": ARGUMENTS}},
        "materials": MATERIALS,
        "metadata": {"completeness": {"parameters": True, "environment": True, "materials": False}},
        **more,
    }
    return {"predicateType": "https://slsa.dev/provenance/v0.2", "predicate": predicate}


def v1() -> dict[str, Any]:
    predicate = {
        "buildDefinition": {
            "externalParameters": {"request": {"frontend": "dockerfile.v0", "args": ARGUMENTS}},
            "resolvedDependencies": MATERIALS,
        },
        "runDetails": {"metadata": {"buildkit_completeness": {"request": True, "resolvedDependencies": False}}},
    }
    return {"predicateType": "https://slsa.dev/provenance/v1", "predicate": predicate}


@pytest.mark.parametrize("statement", [v02(), v1()])
def test_both_versions_say_the_same(statement: dict[str, Any]) -> None:
    found = read_provenance(json.dumps(statement).encode())
    assert dict(found.build_args) == {"VERSION": "7", "SOURCE_DATE_EPOCH": "1700000000"}
    assert dict(found.labels) == {"org.opencontainers.image.source": "https://example.com/x"}
    assert (found.target, found.complete) == ("app", True)
    assert dict(found.images) == {
        "docker.io/library/busybox:stable": f"sha256:{ONE}",
        "127.0.0.1:5000/x/base:1": f"sha256:{TWO}",
    }


def test_of_mode_min_the_bases_are_told() -> None:
    statement = v02(invocation={"parameters": {"args": {}}}, metadata={"completeness": {"parameters": False}})
    found = read_provenance(json.dumps(statement).encode())
    assert (found.build_args, found.complete) == ((), False)
    assert len(found.images) == 2


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"[]",
        b"{}",
        json.dumps({**v02(), "predicateType": "https://example.com/else"}).encode(),
        json.dumps(v02(invocation=[])).encode(),
        json.dumps(v02(metadata={"completeness": "yes"})).encode(),
        b'{"predicate": ' + b"[" * 10_000,
        b" " * (MAX_PROVENANCE_BYTES + 1),
    ],
)
def test_what_is_none_is_malformed(raw: bytes) -> None:
    with pytest.raises(MalformedImageError):
        read_provenance(raw)
