from __future__ import annotations

import pytest

from verifier.dockerfile import Dockerfile, external_images, find_target, needed_stages, parse_dockerfile
from verifier.dockerfile.arguments import host_platform
from verifier.dockerfile.features import features
from verifier.errors import DockerfileError, UsageError
from verifier.model.plan import BaseReference
from verifier.oci.platform import Platform

ARM = Platform(os="linux", architecture="arm64", variant="v8")


def parse(text: str) -> Dockerfile:
    return parse_dockerfile(text.encode(), "Dockerfile")


def images(
    text: str,
    target: str | None = None,
    args: tuple[tuple[str, str | None], ...] = (),
    platform: Platform | None = None,
    every_stage: bool = False,
) -> tuple[BaseReference, ...]:
    return external_images(parse(text), target, args, platform, environment={"E": "env"}, every_stage=every_stage)


def names(text: str, *args: object, **options: object) -> list[tuple[str, bool]]:
    return [(item.reference, item.final) for item in images(text, *args, **options)]  # type: ignore[arg-type]


MANY = """\
FROM golang:1.22 AS build
RUN go build
FROM node:20 AS assets
FROM debian:12 AS base
FROM base AS middle
COPY --from=build /a /a
COPY --from=busybox:1.36 /bin/sh /sh
RUN --mount=type=bind,from=alpine:3,target=/x --mount=type=tmpfs,target=/t,from=nope true
FROM middle AS last
COPY --from=0 /b /b
FROM scratch AS empty
"""


def test_only_what_the_target_needs() -> None:
    assert names(MANY) == []
    assert names(MANY, "assets") == [("node:20", True)]
    assert names(MANY, "last") == [
        ("golang:1.22", False),
        ("debian:12", True),
        ("busybox:1.36", False),
        ("alpine:3", False),
    ]
    assert names(MANY, "LAST") == names(MANY, "last") == names(MANY, "4")
    assert [item.instruction.line for item in images(MANY, "last")] == [1, 4, 7, 8]
    assert [stage.index for stage in needed_stages(parse(MANY), "last", (), None)] == [0, 2, 3, 4]


def test_every_stage_up_to_the_target_for_the_classic_engine() -> None:
    assert ("node:20", False) in names(MANY, "last", every_stage=True)
    assert names(MANY, "build", every_stage=True) == [("golang:1.22", True)]


def test_an_unknown_target_names_the_stages() -> None:
    with pytest.raises(UsageError, match="there is no stage 'nope'") as caught:
        find_target(parse(MANY), "nope")
    assert caught.value.hint == "its stages are: build, assets, base, middle, last, empty"
    with pytest.raises(UsageError):
        find_target(parse(MANY), "99")


def test_arguments_are_expanded() -> None:
    text = (
        "ARG VERSION=12\nARG FULL=${VERSION}-slim\nARG REGISTRY\nFROM ${REGISTRY:-docker.io}/debian:$FULL AS a\n"
        "FROM ${REGISTRY:+x-}alpine:${VERSION}\n"
    )
    assert names(text, "a") == [("docker.io/debian:12-slim", True)]
    assert names(text, "a", (("VERSION", "11"), ("VERSION", "10"))) == [("docker.io/debian:10-slim", True)]
    assert names(text, None, (("REGISTRY", "r"),)) == [("x-alpine:12", True)]
    assert names(text, "a", (("FULL", "f"), ("REGISTRY", "r:5000"))) == [("r:5000/debian:f", True)]
    assert names("ARG E=default\nFROM a:$E\n", None, (("E", None),)) == [("a:env", True)]
    assert names("ARG F=default\nFROM a:$F\n", None, (("F", None),)) == [("a:default", True)]


def test_an_argument_that_is_not_declared_before_from_has_no_value() -> None:
    with pytest.raises(DockerfileError, match=r"Dockerfile:1: .*names no image") as caught:
        images("FROM debian:$TAG\nARG TAG=1\n", None, (("TAG", "12"),))
    assert caught.value.hint == "give a value: --build-arg TAG=…"
    assert caught.value.line == 1


def test_platforms() -> None:
    text = "FROM --platform=$BUILDPLATFORM a AS build\nFROM b-$TARGETARCH$TARGETVARIANT\nCOPY --from=build x y\n"
    first, second = images(text, platform=ARM)
    assert first.platform == host_platform()
    assert (second.reference, second.platform) == ("b-arm64v8", ARM)
    assert images("FROM a\n")[0].platform is None
    with pytest.raises(DockerfileError, match="Dockerfile:1: platform 'x' is not"):
        images("FROM --platform=x a\n")


def test_a_stage_named_like_an_image_is_the_stage_from_then_on() -> None:
    assert names("FROM debian AS debian\nFROM debian\n") == [("debian", True)]
    assert [item.instruction.line for item in images("FROM a AS x\nFROM b AS x\nFROM x\n")] == [2]


def test_variables_in_from_flags_are_those_in_scope() -> None:
    text = "ARG V=1\nFROM scratch\nARG V\nENV N=busybox\nCOPY --from=${N}:$V a b\n"
    assert names(text) == [("busybox:1", False)]
    assert names(text, None, (("V", "2"),)) == [("busybox:2", False)]


@pytest.mark.parametrize(
    "text",
    [
        "FROM scratch AS a\nCOPY --from=b x y\nFROM scratch AS b\nCOPY --from=a x y\n",
        "FROM scratch AS a\nCOPY --from=a x y\n",
    ],
)
def test_a_circle_is_refused(text: str) -> None:
    with pytest.raises(DockerfileError, match="in a circle") as caught:
        images(text)
    assert caught.value.line is not None


def test_a_stage_number_that_is_not_there() -> None:
    with pytest.raises(DockerfileError, match="Dockerfile:2: there is no stage 7"):
        images("FROM scratch\nCOPY --from=7 a b\n")


def test_a_malformed_expression_names_its_line() -> None:
    with pytest.raises(DockerfileError, match=r"Dockerfile:2: "):
        images("\nFROM a:${X\n")
    with pytest.raises(DockerfileError, match=r"Dockerfile:1: .*X: needed"):
        images("FROM a:${X:?needed}\n")


def test_a_diamond_of_many_stages_takes_linear_time() -> None:
    lines = ["FROM base:1 AS s0"]
    for number in range(1, 300):
        lines.append(f"FROM s{number - 1} AS s{number}")
        lines += [f"COPY --from=s{number - 1} a b"] * 2
    assert names("\n".join(lines)) == [("base:1", True)]


def test_features_by_name_and_line() -> None:
    text = """\
# syntax=docker/dockerfile:1
FROM --platform=linux/amd64 scratch AS a
RUN --mount=type=cache,target=/x --network=none --security=insecure true
RUN <<EOF
true
EOF
COPY --link --chmod=1 --parents --exclude=x a b
COPY --from=busybox a b
COPY --from=a a b
COPY --from=$X a b
ADD --checksum=sha256:0 --keep-git-dir=true https://github.com/moby/buildkit.git#v1 /src
ADD git@github.com:moby/buildkit.git /src
ADD https://example.com/file.tar.gz /src
ONBUILD RUN --mount=type=secret,id=x true
HEALTHCHECK --start-interval=1s CMD true
"""
    found: dict[int, list[str]] = {}
    for feature in features(parse(text)):
        found.setdefault(feature.instruction.line, []).append(feature.name)
    assert found == {
        2: ["syntax-directive", "from-platform"],
        3: ["run-mount", "run-network", "run-security"],
        4: ["heredoc"],
        7: ["copy-link", "copy-chmod", "copy-parents", "copy-exclude"],
        8: ["copy-from-image"],
        10: ["copy-from-variable"],
        11: ["add-checksum", "add-keep-git-dir", "add-git"],
        12: ["add-git"],
        14: ["onbuild", "run-mount"],
        15: ["healthcheck-start-interval"],
    }


def test_an_old_dockerfile_uses_no_feature() -> None:
    assert features(parse("FROM debian:12 AS a\nRUN x\nFROM scratch\nCOPY --from=a --chown=1 /a /b\n")) == ()
