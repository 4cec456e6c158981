"""What was downloaded by which instruction: a real proxy and a real client, and builds that only fetch."""

from __future__ import annotations

import urllib.request
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.servers import changing_server
from verifier.dockerfile import parse_dockerfile
from verifier.errors import UnsupportedError
from verifier.model.build import Build, BuilderIdentity, BuildStep
from verifier.model.network import Download
from verifier.model.plan import BuildOptions, FrozenContext, FrozenDockerfile, Plan
from verifier.model.report import Side
from verifier.model.request import BuildListener
from verifier.oci.digest import digest_bytes
from verifier.pipeline.network import NetworkRecord, record_network

TEXT = b"FROM busybox\nRUN one\nRUN two\nADD https://a.invalid/x /x\nRUN three\n"
IDENTITY = BuilderIdentity(name="buildah", version="1", reproducible=True, shows_manifest=True)
Fetch = Callable[[str], None]


@pytest.fixture
def url() -> Iterator[str]:
    with changing_server() as address:
        yield address


def plan(text: bytes = TEXT, **options: object) -> Plan:
    nowhere, digest = Path("nowhere"), digest_bytes(text)
    return Plan(
        workspace=nowhere,
        dockerfile=FrozenDockerfile(path="Dockerfile", copy=nowhere, raw=text, digest=digest, syntax=None),
        context=FrozenContext(
            path=".", archive=nowhere, directory=nowhere, digest=digest, archive_digest=digest, files=0, bytes=0
        ),
        options=BuildOptions(**options),  # type: ignore[arg-type]
        references=(),
        instructions=parse_dockerfile(text, "Dockerfile").instructions,
        builder="buildah",
    )


def now() -> datetime:
    return datetime.now(UTC)


def recording(frozen: Plan, **environment: str) -> NetworkRecord:
    return record_network(frozen, parse_dockerfile(frozen.dockerfile.raw, "Dockerfile"), environment, now)


class Deaf:
    def output(self, line: str) -> None:
        pass

    def step(self, number: int, total: int | None, text: str) -> None:
        pass


def builder(fetched: dict[int, list[str]], *, times: str = "heard") -> Callable[[Plan, int, BuildListener], Build]:
    """Make a builder whose steps fetch URLs by line; it tells times as `times` says: heard, own, overlapping."""

    def build(given: Plan, ordinal: int, listener: BuildListener) -> Build:
        proxies = dict(given.options.build_args)
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({"http": proxies["http_proxy"] or ""}))
        started, steps = now(), []
        for number, instruction in enumerate(given.instructions, 1):
            began = now()
            if times == "heard":
                listener.step(number, None, instruction.text)
            for url in fetched.get(instruction.line, []):
                with opener.open(url, timeout=20) as answer:
                    answer.read()
            own = {"started": began, "finished": now()} if times == "own" else {}
            if times == "overlapping":
                own = {"started": started, "finished": started + timedelta(hours=1)}
            steps.append(BuildStep(instruction=instruction, cached=False, **own))  # type: ignore[arg-type]
        return Build(
            ordinal=ordinal,
            location="oci:nowhere",
            builder=IDENTITY,
            options=(),
            manifest_source=None,
            image_id=None,
            steps=tuple(steps),
            started=started,
            finished=now(),
        )

    return build


def side(ordinal: int) -> Side:
    return Side(
        builder=IDENTITY,
        options=(),
        reference=f"build {ordinal}",
        started=None,
        finished=None,
        index_digest=None,
        manifest_source=None,
    )


def downloads(fetched: dict[int, list[str]], **how: str) -> tuple[Download, ...]:
    frozen = plan()
    with recording(frozen) as record:
        run = record.recorded(builder(fetched, **how))  # type: ignore[arg-type]
        for ordinal in (1, 2):
            run(frozen, ordinal, Deaf())
        return record.downloads(side(1), side(2))


def lines(item: Download) -> list[int]:
    return [instruction.line for instruction in item.instructions]


@pytest.mark.parametrize("times", ["heard", "own"])
def test_each_line_has_what_it_fetched_and_whether_it_was_the_same(url: str, times: str) -> None:
    found = downloads({2: [f"{url}/same"], 3: [f"{url}/other"], 5: [f"{url}/same", f"{url}/same"]}, times=times)
    assert [(lines(item), item.where, item.same) for item in found] == [
        ([2], f"{url}/same", True),
        ([3], f"{url}/other", False),
        ([5], f"{url}/same", True),
    ]
    assert found[2].first is not None
    assert (found[2].first.count, found[2].first.bytes, found[2].first.statuses) == (2, 8, (200,))


def test_steps_side_by_side_are_all_named(url: str) -> None:
    (item,) = downloads({2: [f"{url}/same"], 3: [f"{url}/same"]}, times="overlapping")
    assert (lines(item), item.same) == ([2, 3, 5], True)


def test_without_times_no_line_is_named(url: str) -> None:
    (item,) = downloads({2: [f"{url}/same"]}, times="none")
    assert (lines(item), item.same) == ([], True)


def test_the_proxies_of_the_user_are_gone_through_and_not_given_to_the_build(url: str) -> None:
    mine = {"http_proxy": url, "NO_PROXY": "direct.invalid"}
    frozen = plan(build_args=(("http_proxy", mine["http_proxy"]), ("VERSION", "1")))
    seen: list[dict[str, str | None]] = []
    run = builder({2: ["http://somewhere.invalid/same"]})

    def build(given: Plan, ordinal: int, listener: BuildListener) -> Build:
        seen.append(dict(given.options.build_args))
        return run(given, ordinal, listener)

    with recording(frozen, NO_PROXY="direct.invalid") as record:
        record.recorded(build)(frozen, 1, Deaf())
        (item,) = record.downloads(None, side(1))
    assert seen[0]["VERSION"] == "1"
    assert seen[0]["NO_PROXY"] == ""
    proxies = {seen[0][name] for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY")}
    assert len(proxies) == 1
    assert proxies.isdisjoint({url, None})
    assert (item.where, item.first) == ("http://somewhere.invalid/same", None)
    assert item.second is not None
    assert item.second.statuses == (200,)


def test_what_is_not_recorded_or_leaves_a_trace_is_said() -> None:
    with recording(plan(b"ARG HTTP_PROXY\nFROM busybox\nADD https://a.invalid/x /x\nADD file /y\n")) as record:
        declared, added = record.notes
    assert declared.startswith("line 1 declares http_proxy")
    assert "(line 3)" in added


def test_an_engine_elsewhere_is_refused() -> None:
    with pytest.raises(UnsupportedError, match="DOCKER_HOST is ssh://far"):
        record_network(
            Plan(**{**{name: getattr(plan(), name) for name in Plan.__slots__}, "builder": "docker"}),
            parse_dockerfile(TEXT, "Dockerfile"),
            {"DOCKER_HOST": "ssh://far"},
            now,
        )
