"""What an image says of itself against its tag: contradictions are seen, and nothing is made up."""

from __future__ import annotations

import pytest

from tests.images import digest
from verifier.model.pin import ImageFacts
from verifier.oci.reference import parse_reference
from verifier.pin.claims import contradictions

UBUNTU_16 = {"ID": "ubuntu", "VERSION_ID": "16.04", "VERSION_CODENAME": "xenial", "PRETTY_NAME": "Ubuntu 16.04.7 LTS"}
DEBIAN_12 = {"ID": "debian", "VERSION_ID": "12", "VERSION_CODENAME": "bookworm"}
ALPINE = {"ID": "alpine", "VERSION_ID": "3.19.1"}


def said(reference: str, release: dict[str, str], **labels: str) -> list[str]:
    facts = ImageFacts(
        digest=digest("x"),
        kind="index",
        platforms=("linux/amd64",),
        created=None,
        labels=tuple((f"org.opencontainers.image.{name}", value) for name, value in labels.items()),
        environment=(),
        os_release=tuple(release.items()),
        layers=(),
        size=0,
    )
    return list(contradictions(parse_reference(reference), facts))


@pytest.mark.parametrize(
    ("reference", "release"),
    [
        ("ubuntu:20.04", UBUNTU_16),
        ("ubuntu:focal", UBUNTU_16),
        ("ubuntu:focal-20240101", UBUNTU_16),
        ("mirror.example.org/library/ubuntu:18.04", UBUNTU_16),
        ("debian:11", DEBIAN_12),
        ("debian:bullseye-slim", DEBIAN_12),
        ("python:3.11-slim-bullseye", DEBIAN_12),
        ("alpine:3.18", ALPINE),
        ("alpine:3.19.2", ALPINE),
    ],
)
def test_a_release_under_another_ones_tag_is_seen(reference: str, release: dict[str, str]) -> None:
    assert len(said(reference, release)) == 1


@pytest.mark.parametrize(
    ("reference", "release"),
    [
        ("ubuntu:16.04", UBUNTU_16),
        ("ubuntu:latest", UBUNTU_16),
        ("ubuntu:xenial-20210804", UBUNTU_16),
        ("debian:12.5-slim", DEBIAN_12),
        ("debian:12-slim", DEBIAN_12),
        ("debian:stable-slim", DEBIAN_12),
        ("debian:bookworm-20240110", DEBIAN_12),
        ("python:3.11-slim", DEBIAN_12),
        ("python:3.11-slim-bookworm", DEBIAN_12),
        ("postgres:16", DEBIAN_12),
        ("alpine:3", ALPINE),
        ("alpine:edge", ALPINE),
        ("alpine:20240329", ALPINE),
        (f"debian@{digest('x')}", DEBIAN_12),
    ],
)
def test_what_agrees_or_says_nothing_is_no_contradiction(reference: str, release: dict[str, str]) -> None:
    assert said(reference, release) == []


def test_a_label_counts_where_it_speaks_of_this_repository() -> None:
    assert said("example/app:2.0", {}, title="app", version="1.9.0")
    assert not said("example/app:2.0", {}, title="app", version="2.0.3")
    # taken over from the base
    assert not said("example/app:2.0", {}, title="ubuntu", version="22.04")
    assert not said("example/app:2.0", {}, version="22.04")
