"""stale-cache and secret-influence: what a cache keeps, and what a RUN writes of a secret."""

from __future__ import annotations

import pytest

from tests.risks.dockerfiles import Case

SECRET = "RUN --mount=type=secret,id=token"


def found(text: str, cause: str) -> list[int | None]:
    """List the lines at which the cause is a latent risk; the base image is line 1."""
    return [risk.line for risk in Case(text).risks() if risk.cause == cause and risk.status == "latent"]


@pytest.mark.parametrize(
    "text",
    [
        "RUN apt-get update\nRUN apt-get install -y hello",
        "RUN apt-get update -q\nENV A=1\nRUN set -e; apt install -y hello",
        "RUN apk update\nRUN apk add bash",
        "RUN yum makecache\nRUN dnf install -y bash",
    ],
)
def test_lists_in_a_run_of_their_own(text: str) -> None:
    assert found(text, "stale-cache") == [2]


@pytest.mark.parametrize(
    "text",
    [
        "RUN apt-get update && apt-get install -y hello",
        "RUN apt-get update && apt-get install -y hello\nRUN apt-get install -y more",
        "RUN apt-get update",
        "RUN apt-get update\nRUN apk add bash",
        "RUN apt-get install -y hello\nRUN apt-get update",
        f"RUN apt-get update\nFROM debian@sha256:{'b' * 64}\nRUN apt-get install -y hello",
    ],
)
def test_lists_that_no_later_run_uses(text: str) -> None:
    assert found(text, "stale-cache") == []


@pytest.mark.parametrize(
    "text",
    [
        f"{SECRET} cp /run/secrets/token /root/.token",
        f"{SECRET} cat /run/secrets/token > /root/.token",
        f'{SECRET} echo "//host/:_authToken=$(cat /run/secrets/token)" >> /root/.npmrc && npm ci',
        "RUN --mount=type=secret,id=token,target=/t cat /t >/root/.token",
        'RUN --mount=type=secret,id=token,env=TOKEN echo "machine host login $TOKEN" >/root/.netrc',
    ],
)
def test_a_secret_that_is_written(text: str) -> None:
    assert found(text, "secret-influence") == [2]


@pytest.mark.parametrize(
    "text",
    [
        f"{SECRET} curl --netrc-file /run/secrets/token -o /x https://example.org/x",
        f"{SECRET} npm --userconfig /run/secrets/token ci",
        f"{SECRET} cat /run/secrets/token > /dev/null",
        f"{SECRET} cat /run/secrets/token > /root/.npmrc && npm ci && rm /root/.npmrc",
        f"{SECRET} cat /run/secrets/token.pub > /root/key",
        f"{SECRET} cp /etc/token /root/.token",
        "RUN cat /run/secrets/token > /root/.token",
        "RUN --mount=type=cache,id=token,target=/run/secrets cat /run/secrets/token > /root/.token",
    ],
)
def test_a_secret_that_is_only_used(text: str) -> None:
    assert found(text, "secret-influence") == []
