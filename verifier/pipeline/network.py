"""Record what the builds download: a proxy beside them, and their steps' times to tell which instruction asked.

The builds get the proxy by the predefined build arguments (http_proxy and the like), which all builders pass to RUN
without a trace in the image, as long as the Dockerfile does not declare them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from types import TracebackType
from typing import Final, Self

from verifier.builders.protocol import BuildListener
from verifier.clients.proxied_client import Exchange
from verifier.clients.recording_proxy import RecordingProxy
from verifier.dockerfile import Dockerfile
from verifier.errors import UnsupportedError
from verifier.model.build import Build
from verifier.model.instruction import Instruction
from verifier.model.network import Download, Fetched
from verifier.model.plan import Plan
from verifier.model.report import Side

_ARGUMENTS: Final = ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy")
_PAST: Final = ("NO_PROXY", "no_proxy")
"""What is asked directly: the recording proxy heeds them in the builds' place."""
_NAMES: Final = frozenset(name.lower() for name in (*_ARGUMENTS, "no_proxy", "all_proxy", "ftp_proxy"))

_Build = Callable[[Plan, int, BuildListener], Build]

_Place = tuple[str, str, bool]
"""Method, URL or host, and whether it is encrypted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Span:
    """When an instruction ran."""

    instruction: Instruction
    started: datetime
    finished: datetime | None


class NetworkRecord:
    """A recording proxy and what it saw of each build. As a context manager it ends the proxy."""

    def __init__(
        self,
        proxy: RecordingProxy,
        now: Callable[[], datetime],
        notes: tuple[str, ...],
        *,
        cleared: tuple[str, ...] = (),
    ) -> None:
        """`cleared` are arguments that would lead a build past the proxy."""
        self.notes = notes
        """Sentences for the report: what the record leaves out."""
        self._arguments = (*((name, proxy.url) for name in _ARGUMENTS), *((name, "") for name in cleared))
        self._proxy = proxy
        self._now = now
        self._spans: dict[int, tuple[_Span, ...]] = {}

    def __enter__(self) -> Self:
        self._proxy.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._proxy.__exit__(kind, error, trace)

    def recorded(self, build: _Build) -> _Build:
        """Give a way to build that goes through the proxy, and notes when instructions ran."""

        def through_proxy(plan: Plan, ordinal: int, listener: BuildListener) -> Build:
            ours = dict(self._arguments)
            given = tuple(pair for pair in plan.options.build_args if pair[0] not in ours)
            plan = replace(plan, options=replace(plan.options, build_args=(*given, *self._arguments)))
            times = _StepTimes(listener, self._now)
            self._proxy.build = ordinal
            try:
                built = build(plan, ordinal, times)
            finally:
                self._proxy.build = 0
            self._spans[ordinal] = tuple(_spans(built, times))
            return built

        return through_proxy

    def downloads(self, first: Side | None, second: Side | None) -> tuple[Download, ...]:
        """Tell what the builds of two sides downloaded, each place once for each instruction."""
        exchanges = self._proxy.exchanges()
        ordinals = [_ordinal_of(side) for side in (first, second)]
        sides = [
            _by_place(
                (exchange for exchange in exchanges if exchange.build == ordinal), self._spans.get(ordinal or 0, ())
            )
            for ordinal in ordinals
        ]
        found = [
            Download(
                instructions=tuple(sorted(instructions)),
                method=place[0],
                where=place[1],
                encrypted=place[2],
                first=_fetched(sides[0].get(place, {}).get(instructions)),
                second=_fetched(sides[1].get(place, {}).get(instructions)),
            )
            for place in dict.fromkeys((*sides[0], *sides[1]))
            for instructions in _shared_instructions(sides, place)
        ]
        return tuple(sorted(found, key=_order))


class _StepTimes:
    """A listener that notes when each step begins, and hands everything on."""

    def __init__(self, listener: BuildListener, now: Callable[[], datetime]) -> None:
        self._listener = listener
        self._now = now
        self.begun: list[datetime] = []

    def output(self, line: str) -> None:
        """Hand on a line of output."""
        self._listener.output(line)

    def step(self, number: int, total: int | None, text: str) -> None:
        """Note the time and hand the step on."""
        self.begun.append(self._now())
        self._listener.step(number, total, text)


def _spans(build: Build, times: _StepTimes) -> Iterator[_Span]:
    """Tell when the instructions of a build ran: by its own clock, else by when their steps were heard to begin."""
    heard: list[datetime | None] = [*times.begun[-len(build.steps) :]] if build.steps else []
    if len(heard) < len(build.steps):
        heard = [None] * len(build.steps)
    for step, begun, end in zip(build.steps, heard, [*heard[1:], build.finished], strict=True):
        started, finished = (begun, end) if step.started is None else (step.started, step.finished)
        if started is not None and _may_download(step.instruction):
            yield _Span(instruction=step.instruction, started=started, finished=finished)


def _ordinal_of(side: Side | None) -> int | None:
    """Give the number of the build that made a side; None where it existed before."""
    if side is None or side.builder is None:
        return None
    return int(side.reference.rpartition(" ")[2])


def record_network(
    plan: Plan, dockerfile: Dockerfile, environment: Mapping[str, str], now: Callable[[], datetime]
) -> NetworkRecord:
    """Make a record, to be entered before the builds.

    What a build argument or the environment names as a proxy is gone through. Raises UnsupportedError where the builds
    would not reach a proxy on this machine's loopback, or h11 is not installed.
    """
    host = environment.get("DOCKER_HOST", "")
    if plan.builder in ("docker", "buildkit") and host and not host.startswith("unix:"):
        raise UnsupportedError(
            f"--record-network needs an engine on this machine, and DOCKER_HOST is {host}",
            "the proxy listens on loopback alone",
        )
    given = {name: value for name, value in plan.options.build_args if name.lower() in _NAMES and value is not None}
    around = {**environment, **given}
    cleared = tuple(name for name in _PAST if around.get(name))
    return NetworkRecord(RecordingProxy(around, now), now, tuple(_notes(dockerfile)), cleared=cleared)


def _notes(dockerfile: Dockerfile) -> Iterable[str]:
    for statement in dockerfile.statements():
        names = (
            {word.partition("=")[0].lower() for word in statement.arguments} if statement.keyword == "ARG" else set()
        )
        if names & _NAMES:
            yield (
                f"line {statement.instruction.line} declares {', '.join(sorted(names & _NAMES))}: "
                "the recording proxy's address is in the image's history"
            )
    remote = [
        statement.instruction.line
        for statement in dockerfile.statements()
        if statement.keyword == "ADD" and any("://" in word for word in statement.arguments)
    ]
    if remote:
        lines = ", ".join(map(str, remote))
        yield f"what ADD downloads (line {lines}) is fetched by the builder itself and not recorded"


def _may_download(instruction: Instruction) -> bool:
    return instruction.text.split(maxsplit=1)[0].upper() == "RUN"


def _by_place(
    exchanges: Iterable[Exchange], spans: Sequence[_Span]
) -> dict[_Place, dict[frozenset[Instruction], list[Exchange]]]:
    """Group exchanges by place, then by the instructions that ran at that time."""
    found: dict[_Place, dict[frozenset[Instruction], list[Exchange]]] = {}
    for exchange in exchanges:
        running = frozenset(
            span.instruction
            for span in spans
            if span.started <= exchange.started and (span.finished is None or exchange.started <= span.finished)
        )
        place = exchange.method, exchange.where, exchange.encrypted
        found.setdefault(place, {}).setdefault(running, []).append(exchange)
    return found


def _shared_instructions(
    sides: Sequence[dict[_Place, dict[frozenset[Instruction], list[Exchange]]]], place: _Place
) -> tuple[frozenset[Instruction], ...]:
    """Give the groups of instructions that fetched from one place.

    Where steps ran side by side, or none is known, one build's group may not be the other's: then all become one.
    """
    groups = [side.get(place, {}) for side in sides]
    keys = tuple(dict.fromkeys(key for group in groups for key in group))
    if all(len(key) == 1 for key in keys):
        return keys
    merged = frozenset().union(*keys)
    for group in groups:
        exchanges = [exchange for key in tuple(group) for exchange in group.pop(key)]
        if exchanges:
            group[merged] = exchanges
    return (merged,)


def _fetched(exchanges: Sequence[Exchange] | None) -> Fetched | None:
    if not exchanges:
        return None
    return Fetched(
        count=len(exchanges),
        bytes=sum(exchange.bytes for exchange in exchanges),
        digests=tuple(sorted({exchange.digest for exchange in exchanges if exchange.digest is not None})),
        statuses=tuple(sorted({exchange.status for exchange in exchanges if exchange.status is not None})),
    )


def _order(item: Download) -> tuple[int, str, str]:
    lines = [instruction.line for instruction in item.instructions]
    return min(lines, default=0), item.where, item.method
