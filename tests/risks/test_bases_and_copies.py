"""Bases, frontends and what is copied from the context."""

from __future__ import annotations

import pytest

from tests.risks.dockerfiles import DIGEST, Case, fits, risks_of

CASES = {
    "tag": Case("FROM debian:12", fires=("unpinned-base",), whole=True, says="`debian:12` has no digest"),
    "no tag": Case("FROM debian", fires=("unpinned-base",), whole=True, says="without a tag"),
    "latest": Case("FROM debian:latest", fires=("unpinned-base",), whole=True, says="the moving tag"),
    "digest": Case(f"FROM debian:12@{DIGEST}", whole=True),
    "scratch": Case("FROM scratch\nCOPY a /", whole=True),
    "an argument decides": Case("ARG B\nFROM $B", fires=("unpinned-base",), whole=True, says="argument B decides"),
    "an argument with a digest": Case(f"ARG B=debian@{DIGEST}\nFROM $B", whole=True),
    "an argument in the tag": Case(
        "ARG V=12\nFROM debian:$V",
        fires=("unpinned-base",),
        whole=True,
        says="`debian:12` has no digest: the tag can be moved; the",
    ),
    "a stage is no image": Case(f"FROM debian@{DIGEST} AS a\nFROM a\nCOPY --from=a /x /", whole=True),
    "copied from an image": Case("COPY --from=composer:2 /usr/bin/composer /", fires=("unpinned-base",)),
    "copied from a digest": Case(f"COPY --from=composer@{DIGEST} /usr/bin/composer /"),
    "mounted from an image": Case("RUN --mount=type=bind,from=tools:1,target=/t true", fires=("unpinned-base",)),
    "an argument with a value beside it": Case(
        "ARG B\nFROM ${B:-debian:12}", fires=("unpinned-base",), says="`debian:12`", whole=True
    ),
    "an argument with a stage beside it": Case(
        f"ARG B\nFROM a@{DIGEST} AS base\nRUN pip install x\nFROM ${{B:-base}}", fires=("unpinned-pip",), whole=True
    ),
    "an argument with neither": Case("ARG B\nFROM ${B}", fires=("unpinned-base",), says="no default", whole=True),
    "ONBUILD with another image": Case("ONBUILD COPY --from=tools:1 /t /", notes=("unpinned-base",)),
    "ONBUILD with an address": Case("ONBUILD ADD https://x.org/f /", notes=("remote-add",)),
    "ONBUILD with a context": Case("ONBUILD COPY . /\nONBUILD ADD f.tar /", context={".git/HEAD": ""}),
    "a stage that nobody needs": Case(
        f"FROM debian AS a\nRUN apt-get install x\nFROM debian@{DIGEST}\nRUN true", whole=True
    ),
    "frontend": Case(f"# syntax=docker/dockerfile:1\nFROM a@{DIGEST}", notes=("unpinned-syntax",), whole=True),
    "frontend by digest": Case(f"# syntax=docker/dockerfile:1@{DIGEST}\nFROM a@{DIGEST}", whole=True),
    "the builder's platform": Case(
        f"FROM --platform=$BUILDPLATFORM a@{DIGEST}\nRUN true", fires=("platform-ambiguity",), whole=True
    ),
    "the builder's platform to compile": Case(
        f"FROM --platform=$BUILDPLATFORM a@{DIGEST} AS b\nRUN true\nFROM a@{DIGEST}\nCOPY --from=b /x /", whole=True
    ),
    "leak": Case(
        "COPY . /app", fires=("context-leak",), context={".git/HEAD": "", "a.py": ""}, ignore_file=".dockerignore"
    ),
    "leak and no ignore file": Case(
        "COPY . /app", fires=("context-leak", "missing-dockerignore"), context={".git/HEAD": "", "a.py": ""}
    ),
    "leak beneath": Case(
        "COPY src /app",
        fires=("context-leak",),
        context={"src/__pycache__/a.pyc": "", "src/a.py": ""},
        says="`src/__pycache__`",
    ),
    "no ignore file": Case("COPY ./ /app/", fires=("missing-dockerignore",), context={"a.py": ""}),
    "clean": Case("COPY . /app", context={"a.py": ""}, ignore_file=".dockerignore"),
    "copied by name": Case("COPY a.py /app", context={".git/HEAD": "", "a.py": ""}),
    "no context looked at": Case("COPY . /app"),
    "from another stage": Case(
        f"FROM a@{DIGEST} AS b\nFROM a@{DIGEST}\nCOPY --from=b . /app", whole=True, context={".git/HEAD": ""}
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_a_rule_fires_stays_silent_and_is_mended(case: Case) -> None:
    fits(case)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("# syntax=docker/dockerfile:1\nFROM scratch\n", 1),
        ("# escape=`\n#Syntax = docker/dockerfile:1\nFROM scratch\n", 2),
    ],
)
def test_a_frontend_stands_on_the_line_of_its_directive(text: str, line: int) -> None:
    (risk,) = (risk for risk in risks_of(text) if risk.cause == "unpinned-syntax")
    assert risk.line == line
