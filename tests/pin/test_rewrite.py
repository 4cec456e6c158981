"""Digests are written where they mean what they should, and nothing else of the Dockerfile moves."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from tests.images import digest
from verifier.dockerfile import parse_dockerfile
from verifier.errors import UnreachableError
from verifier.model.pin import ImageFacts, Pin
from verifier.oci.digest import Digest
from verifier.oci.platform import Platform
from verifier.oci.reference import Reference
from verifier.pin import Lock, audit, lock_of, read_lock, render_lock, rewrite, uses_of

ONE, TWO = digest("one"), digest("two")
COMMIT = "0123456789abcdef0123456789abcdef01234567"


@dataclass
class Registry:
    """What is known of the world, as plain data."""

    tags: dict[str, Digest] = field(default_factory=dict)
    silent: bool = False

    def digest_of(self, reference: Reference) -> Digest | None:
        if self.silent:
            raise UnreachableError("no answer")
        if reference.digest is not None:
            known = {value for name, value in self.tags.items() if name.startswith(f"{reference.name}:")}
            return reference.digest if reference.digest in known else None
        return self.tags.get(reference.canonical)

    def facts(self, reference: Reference, digest: Digest, platform: Platform | None) -> ImageFacts:
        return ImageFacts(
            digest=digest,
            kind="index",
            platforms=(str(platform), reference.name),
            created="2024-01-01T00:00:00Z",
            labels=(),
            environment=(),
            os_release=(),
            layers=(),
            size=0,
        )

    def download_digest(self, url: str) -> Digest | None:
        return None if url.endswith("/gone") else ONE

    def commit_of(self, url: str, name: str | None) -> str | None:
        assert url.startswith("https://")
        return None if name == "gone" else COMMIT


def library(name: str) -> str:
    return f"docker.io/library/{name}"


WORLD = Registry(tags={library("debian:12"): ONE, library("golang:1.22"): TWO, "docker.io/docker/dockerfile:1": TWO})


def written(text: str, *, update: bool = False, world: Registry = WORLD, **args: str) -> tuple[str, tuple[Pin, ...]]:
    raw = text.encode()
    dockerfile = parse_dockerfile(raw, "Dockerfile")
    given = tuple(args.items())
    uses = uses_of(dockerfile, given)
    pins = audit(uses, world, update=update)
    result = rewrite(raw, dockerfile, uses, pins, given)
    return result.raw.decode(), tuple(pins[number] for number in result.problems)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("FROM debian:12\n", f"FROM debian:12@{ONE}\n"),
        ("FROM debian:12", f"FROM debian:12@{ONE}"),
        ("# debian:12\nFROM  debian:12   AS  build\n", f"# debian:12\nFROM  debian:12@{ONE}   AS  build\n"),
        (
            "from --platform=linux/amd64 \\\n  debian:12 \\\n  as build\n",
            f"from --platform=linux/amd64 \\\n  debian:12@{ONE} \\\n  as build\n",
        ),
        ("FROM debian:12\r\nRUN true\r\n", f"FROM debian:12@{ONE}\r\nRUN true\r\n"),
        ("FROM debian:12 AS a\nRUN echo caf\u00e9\n", f"FROM debian:12@{ONE} AS a\nRUN echo caf\u00e9\n"),
        (
            "FROM golang:1.22 AS build\nFROM build\nFROM debian:12\nCOPY --from=build /a /a\n",
            f"FROM golang:1.22@{TWO} AS build\nFROM build\nFROM debian:12@{ONE}\nCOPY --from=build /a /a\n",
        ),
        (
            "FROM scratch\nCOPY --from=debian:12 /debian:12 /x\n",
            f"FROM scratch\nCOPY --from=debian:12@{ONE} /debian:12 /x\n",
        ),
        (
            "FROM scratch\nRUN --mount=from=debian:12,target=/m \\\n  --mount=type=cache,target=/c ls\n",
            f"FROM scratch\nRUN --mount=from=debian:12@{ONE},target=/m \\\n  --mount=type=cache,target=/c ls\n",
        ),
        ("# syntax=docker/dockerfile:1\nFROM scratch\n", f"# syntax=docker/dockerfile:1@{TWO}\nFROM scratch\n"),
        ("ARG BASE=debian:12\nFROM ${BASE}\n", f"ARG BASE=debian:12@{ONE}\nFROM ${{BASE}}\n"),
        ('ARG BASE="debian:12"\nFROM $BASE\n', f'ARG BASE="debian:12@{ONE}"\nFROM $BASE\n'),
        ("ARG V=12\nFROM debian:$V\n", f"ARG V=12@{ONE}\nFROM debian:$V\n"),
        (
            "FROM scratch\nADD https://example.org/x.tar /x\n",
            f"FROM scratch\nADD --checksum={ONE} https://example.org/x.tar /x\n",
        ),
        (
            "FROM scratch\nADD --chmod=755 \\\n  https://example.org/x /x\n",
            f"FROM scratch\nADD --checksum={ONE} --chmod=755 \\\n  https://example.org/x /x\n",
        ),
        (
            "FROM scratch\nADD https://example.org/r.git#v1:sub /x\n",
            f"FROM scratch\nADD https://example.org/r.git#{COMMIT}:sub /x\n",
        ),
    ],
)
def test_a_digest_is_written_in_its_place(before: str, after: str) -> None:
    assert written(before) == (after, ())


@pytest.mark.parametrize(
    "text",
    [
        "ARG V=12\nFROM debian:${V}\nFROM golang:1.${V}\n",  # one ARG, two images
        "ARG NAME=debian\nFROM ${NAME}:12\n",  # no place after the variable
        "ARG V=1\nARG TAG=${V}2\nFROM debian:$TAG\n",  # the default is no text of its own
        "FROM scratch\nADD https://example.org/x https://example.org/y /d/\n",  # a checksum is one source's
    ],
)
def test_what_has_no_place_is_left_alone_and_said(text: str) -> None:
    after, refused = written(text)
    assert after == text
    assert refused


def test_a_build_argument_decides_and_is_not_written() -> None:
    text = "ARG BASE=golang:1.22\nFROM ${BASE}\n"
    after, refused = written(text, BASE="debian:12")
    assert (after, len(refused)) == (text, 1)


def test_a_pin_that_is_true_is_left_alone() -> None:
    text = f"FROM debian:12@{ONE}\nFROM scratch\nADD --checksum={ONE} https://example.org/x /x\n"
    assert written(text) == (text, ())
    assert written(text, update=True) == (text, ())


def test_a_pin_whose_tag_moved_is_moved_on_request_alone() -> None:
    text = f"FROM debian:12@{TWO}\n"
    world = Registry(tags={library("debian:12"): ONE, library("debian:11"): TWO})
    assert written(text, world=world)[0] == text
    assert written(text, world=world, update=True)[0] == f"FROM debian:12@{ONE}\n"


def judged(text: str, world: Registry = WORLD) -> Pin:
    dockerfile = parse_dockerfile(text.encode(), "Dockerfile")
    (pin,) = audit(uses_of(dockerfile), world)
    return pin


def codes(text: str, world: Registry = WORLD) -> set[str]:
    return {remark.code for remark in judged(text, world).remarks}


def test_a_digest_of_another_repository_is_none_of_this_one() -> None:
    assert codes(f"FROM debian:12@{TWO}\n") == {"digest-absent"}


def test_a_tag_that_never_existed_is_seen_beside_a_digest_that_does() -> None:
    assert codes(f"FROM debian:13@{ONE}\n") == {"tag-absent"}


def test_what_could_not_be_looked_at_is_unknown_and_not_true() -> None:
    silent = Registry(silent=True)
    assert judged(f"FROM debian:12@{ONE}\n", silent).status == "unknown"
    assert judged(f"FROM debian@{ONE}\n", silent).status == "unknown"
    # that it is not pinned is certain all the same
    assert judged("FROM debian:12\n", silent).status == "to-mend"


def test_an_argument_without_a_value_is_to_mend() -> None:
    assert codes("ARG BASE\nFROM ${BASE}\n") == {"not-expanded"}


def test_a_checksum_that_is_no_longer_that_of_the_download_is_seen() -> None:
    assert codes(f"FROM scratch\nADD --checksum={TWO} https://example.org/x /x\n") == {"checksum-differs"}


def test_a_short_commit_is_no_pin() -> None:
    assert codes("FROM scratch\nADD https://example.org/r.git#0123456 /x\n") == {"not-pinned"}
    assert codes(f"FROM scratch\nADD https://example.org/r.git#{COMMIT} /x\n") == set()


def test_a_lock_holds_what_tags_give_now_and_reads_back() -> None:
    text = f"FROM debian:12\nFROM golang:1.22@{TWO}\nADD https://example.org/x /x\n"
    pins = audit(uses_of(parse_dockerfile(text.encode(), "Dockerfile")), WORLD)
    lock = read_lock(render_lock(lock_of(pins)).encode(), "lock")
    assert lock == Lock(
        images={library("debian:12"): ONE, f"{library('golang:1.22')}@{TWO}": TWO},
        downloads={"https://example.org/x": ONE},
        commits={},
    )
    assert lock.digest_of("debian:12") == ONE
    assert lock.digest_of("debian:11") is None
