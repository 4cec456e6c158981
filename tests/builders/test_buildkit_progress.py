"""Progress, steps, failures and cache records, decoded from what real builders wrote."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.builders.engine_runs import Listener, make_plan
from verifier.builders.buildkit_cache import own_records
from verifier.builders.buildkit_failure import failure_of
from verifier.builders.buildkit_progress import PlainProgress, Progress, RawProgress, Vertex
from verifier.builders.buildkit_steps import matched, steps_of
from verifier.clients.build_cache import CacheRecord, from_engine, from_listing, pattern_for
from verifier.dockerfile.parse import parse_dockerfile
from verifier.errors import BuildError
from verifier.model.instruction import Instruction

RECORDED = Path(__file__).parent / "recorded"
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
FAILING = """FROM busybox:stable AS a
RUN echo hi
FROM busybox:stable
COPY f /f
RUN echo one; echo oops >&2; \\
  sh -c "exit 3"
RUN true
"""


def decode(name: str, kind: type[RawProgress | PlainProgress]) -> tuple[Progress, Listener]:
    listener = Listener()
    progress = kind(listener)
    for line in (RECORDED / name).read_text("utf-8").splitlines():
        progress.take(line)
    progress.finish()
    return progress, listener


def instructions_of(dockerfile: str) -> tuple[Instruction, ...]:
    return parse_dockerfile(dockerfile.encode(), "Dockerfile").instructions


def vertex(name: str, *, second: float = 0, seconds: float = 1, cached: bool = False) -> Vertex:
    started = NOON + timedelta(seconds=second)
    return Vertex(name=name, started=started, completed=started + timedelta(seconds=seconds), cached=cached)


@pytest.mark.parametrize("name", ["buildx-0.29-rawjson.txt", "buildx-0.13-rawjson.txt"])
def test_raw_progress_of_both_shapes(name: str) -> None:
    progress, listener = decode(name, RawProgress)
    steps = [item for item in progress.vertices.values() if item.is_step]
    assert sorted(item.name.partition("] ")[2].split()[0] for item in steps) == [
        "COPY", "FROM", "RUN", "WORKDIR", "WORKDIR",
    ]  # fmt: skip
    assert all(item.started and item.completed and item.seconds is not None for item in steps)
    assert len(listener.steps) == 5
    assert not progress.complaints


@pytest.mark.parametrize(
    ("name", "kind"), [("buildx-0.29-failure.txt", RawProgress), ("buildx-0.29-plain.txt", PlainProgress)]
)
def test_a_failure_finds_its_line(name: str, kind: type[RawProgress], tmp_path: Path) -> None:
    progress, listener = decode(name, kind)
    plan = make_plan(tmp_path, "buildkit", FAILING, {"f": "f"})
    error = failure_of(plan, 2, progress, "")
    assert isinstance(error, BuildError)
    assert error.line == 5
    assert error.message.startswith(f"build 2 failed at {plan.dockerfile.path}:5 (RUN echo one;")
    assert error.log[:2] == ("one", "oops")
    assert error.log[-1].endswith("exit code: 3")
    assert any("oops" in line for line in listener.lines)


def test_a_build_that_never_spoke(tmp_path: Path) -> None:
    plan = make_plan(tmp_path, "buildkit", "FROM scratch\n")
    error = failure_of(plan, 1, RawProgress(Listener()), "docker took longer than 3 seconds")
    assert error.message == "build 1 failed: docker took longer than 3 seconds"


def test_output_is_cut_into_lines_across_messages() -> None:
    listener = Listener()
    progress = RawProgress(listener)
    for data in ("YWI=", "Y2QKZQ=="):  # "ab", "cd\ne"
        progress.take('{"vertexes":[{"digest":"d","name":"[1/1] RUN x","started":"2026-01-01T12:00:00Z"}]}')
        progress.take(f'{{"logs":[{{"vertex":"d","stream":1,"data":"{data}"}}]}}')
    progress.take('{"logs":[{"vertex":"d","stream":1,"data":"not base64"}]}')
    progress.take("{broken")
    progress.finish()
    assert listener.lines == ["abcd", "e"]
    assert list(progress.complaints) == ["{broken"]


@pytest.mark.parametrize(
    ("names", "lines"),
    [
        (["[1/3] FROM docker.io/library/b", "[2/3] RUN a", "[3/3] RUN b"], [1, 3, 5]),
        (["[1/3] RUN a", "[2/3] RUN b"], [3, 5]),  # a context stands in for FROM
        (["[2/5] RUN trigger", "[3/5] RUN a", "[4/5] RUN b"], [3, 5]),  # the base brought a trigger
        (["[linux/amd64 1/3] FROM b", "[linux/amd64 2/3] RUN a", "[linux/amd64 3/3] RUN b"], [1, 3, 5]),
        (["[internal] load build context", "[auth] library/b:pull token", "[ 2/13] RUN a"], [3]),
    ],
)
def test_vertices_find_their_instructions(names: list[str], lines: list[int]) -> None:
    own = instructions_of("FROM b\nENV X=1\nRUN a\nLABEL y=z\nRUN b\n")
    found = matched([vertex(name) for name in names], own)
    assert sorted(instruction.line for instruction, _ in found) == lines


def test_vertices_of_several_stages() -> None:
    own = instructions_of("FROM b AS Builder\nRUN make\nFROM b\nCOPY --from=builder /x /x\nCOPY $A /y\n")
    steps = steps_of(
        [
            vertex("[builder 2/2] RUN make", cached=True),
            vertex("[stage-1 2/3] COPY --from=builder /x /x"),
            vertex("[stage-1 3/3] COPY expanded /y"),
            vertex("[stage-1 1/3] FROM docker.io/library/b", cached=True),
            vertex("[nobody 1/1] RUN nothing"),
        ],
        own,
    )
    assert [(step.instruction.line, step.cached) for step in steps] == [(2, True), (3, False), (4, False), (5, False)]


@pytest.mark.parametrize("name", ["buildx-0.29-du.txt", "buildx-0.13-du.txt"])
def test_a_listing_of_the_cache(name: str) -> None:
    records = from_listing((RECORDED / name).read_text("utf-8"))
    assert len(records) == 9
    assert len({record.id for record in records}) == 9
    assert all(record.created for record in records)
    (copy,) = (record for record in records if "COPY --from" in record.description)
    assert copy.parents[0] in {record.id for record in records}
    assert sum(record.kind == "exec.cachemount" for record in records) == 2


def test_the_engines_own_listing() -> None:
    item = {"ID": "a" * 25, " Parents": ["b" * 25], "Type": "regular", "CreatedAt": "2026-01-01T12:00:00.123456789Z"}
    (record,) = from_engine([item, {"ID": "not an id; drop"}])
    assert record.parents == ("b" * 25,)
    assert record.created == NOON + timedelta(microseconds=123456)
    assert from_engine(None) == ()


def test_the_pattern_means_these_records_alone() -> None:
    assert pattern_for(["abc", "def"]) == "^(abc|def)$"


def record(name: str, description: str, *, second: float = 0.5, kind: str = "regular", parent: str = "") -> CacheRecord:
    return CacheRecord(
        id=name,
        parents=(parent,) if parent else (),
        kind=kind,
        description=description,
        created=NOON + timedelta(seconds=second),
    )


def own(records: list[CacheRecord], vertices: list[Vertex], known: tuple[str, ...] = ()) -> tuple[set[str], set[str]]:
    found = own_records(records, known, vertices, "ns-1", NOON)
    return {item.id for item in found.certain}, {item.id for item in found.doubtful}


def test_own_records_are_told_from_others() -> None:
    vertices = [vertex("[2/3] WORKDIR /a"), vertex("[3/3] RUN --mount=type=cache,target=/c make", second=2)]
    records = [
        record("workdir", "[2/3] WORKDIR /a", parent="base"),
        record("base", "", second=0.1),
        record("run", "mount / from exec /bin/sh -c make", second=2.5, parent="workdir"),
        record(
            "ours", 'cached mount /c from exec /bin/sh -c make with id "ns-1//c"', second=2.5, kind="exec.cachemount"
        ),
        record("theirs", 'cached mount /c from exec /bin/sh -c make with id "//c"', second=2.5, kind="exec.cachemount"),
        record("other-run", "mount / from exec /bin/sh -c make install-other", second=9),
        record("other-copy", "[2/2] COPY x /"),
        record("earlier", "[2/3] WORKDIR /a", second=-5),
    ]
    assert own(records, vertices) == ({"workdir", "base", "run", "ours"}, set())
    assert own(records, vertices, known=("workdir", "run"))[0] == {"ours"}


def test_what_may_be_somebody_elses_is_not_touched() -> None:
    twice = [record("one", "[2/3] WORKDIR /a"), record("two", "[2/3] WORKDIR /a", second=0.6)]
    assert own(twice, [vertex("[2/3] WORKDIR /a")]) == (set(), {"one", "two"})


def test_a_cached_step_made_no_record() -> None:
    assert own([record("one", "[2/3] WORKDIR /a")], [vertex("[2/3] WORKDIR /a", cached=True)]) == (set(), set())
