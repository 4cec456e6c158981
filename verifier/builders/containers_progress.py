"""Read the progress of a Buildah or Podman build: which instruction runs, what came from a cache, what went wrong."""

from __future__ import annotations

import re
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from verifier.model.build import BuildStep
from verifier.model.instruction import Instruction
from verifier.model.request import BuildListener

KEPT_LINES: Final = 20
"""Of the end of a build's output, for the failure's message."""

_MAX_WARNINGS: Final = 50
_STEP: Final = re.compile(r"(?:\[(\d+)/(\d+)\] )?STEP (\d+)/(\d+): (.*)")
_CACHED: Final = re.compile(r"--> Using cache [0-9a-f]{12,64}")
_IMAGE: Final = re.compile(r"--> ([0-9a-f]{11,64})")
_LOGGED: Final = re.compile(r'time="[^"]*" level=warning msg="(.*)"')
_UNUSED_ARGUMENT: Final = "[Warning] one or more build args were not consumed: [SOURCE_DATE_EPOCH]"

# Said before the first byte of a RUN's program has run: this machine cannot make such containers.
_NO_CONTAINER: Final = re.compile(
    r"error running container: (?:from \S+ creating container|.*executable file not found)"
    r"|Error: building at STEP .*: (?:setup network: |setting \"RLIMIT_)"
    r"|Error: .*(?:could not find|looking up) ?\W*(?:slirp4netns|pasta|netavark)"
    r"|Error: .*(?:slirp4netns|pasta|netavark)\S* .*executable file not found"
)


@dataclass(slots=True)
class _Running:
    instruction: Instruction
    began: float
    cached: bool = False
    image: str | None = None


class BuildProgress:
    """Takes a build's lines one by one. Stages and steps are numbered in the output; the plan knows their lines."""

    def __init__(self, instructions: Sequence[Instruction], listener: BuildListener) -> None:
        self._stages = split_stages(instructions)
        self._listener = listener
        self._running: _Running | None = None
        self._finished: list[BuildStep] = []
        self._warnings: dict[str, None] = {}
        self._refusal: str | None = None
        self.last_lines: deque[str] = deque(maxlen=KEPT_LINES)

    def take(self, _stream: str, raw: bytes) -> None:
        """Take one line as the builder wrote it."""
        line = raw.decode("utf-8", "replace")
        self.last_lines.append(line)
        self._listener.output(line)
        step = _STEP.fullmatch(line)
        if step:
            self._begin(step)
        elif self._running is not None and _CACHED.fullmatch(line):
            self._running.cached = True
        elif self._running is not None and (image := _IMAGE.fullmatch(line)):
            self._running.image = image[1]
        elif line.startswith("[Warning] ") or _LOGGED.fullmatch(line):
            self._warn(line)
        elif _NO_CONTAINER.match(line):
            self._refusal = self._refusal or line.strip()

    def finish(self) -> tuple[BuildStep, ...]:
        """Close the step that runs and give all of them, in the order in which they ran."""
        self._end()
        return tuple(self._finished)

    @property
    def instruction(self) -> Instruction | None:
        """The instruction that runs now, or ran when the output ended."""
        return self._running.instruction if self._running else None

    @property
    def refusal(self) -> str | None:
        """What was said when no container could be made for a RUN."""
        return self._refusal

    @property
    def warnings(self) -> tuple[str, ...]:
        """The builder's own warnings, each once."""
        return tuple(self._warnings)

    def mentions(self, words: str) -> bool:
        """Tell whether the last lines contain some words."""
        return any(words in line for line in self.last_lines)

    def _begin(self, step: re.Match[str]) -> None:
        self._end()
        stage = int(step[1] or 1) - 1
        number, total = int(step[3]), int(step[4])
        instruction = self._locate(stage, number, total)
        if instruction is not None:
            self._running = _Running(instruction, time.monotonic())
        before = sum(len(group) for group in self._stages[:stage])
        through = self._stages[: int(step[2] or 1)]
        self._listener.step(before + number, max(sum(map(len, through)), before + total), step[5])

    def _locate(self, stage: int, number: int, total: int) -> Instruction | None:
        """Find a step's instruction; a base's ONBUILD triggers are steps too, after FROM, and belong to it."""
        if not 0 <= stage < len(self._stages):
            return None
        group = self._stages[stage]
        triggers = max(0, total - len(group))
        position = number - 1
        if position > 0:
            position = max(0, position - triggers)
        return group[min(position, len(group) - 1)]

    def _end(self) -> None:
        if self._running is not None:
            self._finished.append(
                BuildStep(
                    instruction=self._running.instruction,
                    cached=self._running.cached,
                    seconds=time.monotonic() - self._running.began,
                    image=self._running.image,
                )
            )
        self._running = None

    def _warn(self, line: str) -> None:
        logged = _LOGGED.fullmatch(line)
        words = logged[1] if logged else line.removeprefix("[Warning] ")
        if line != _UNUSED_ARGUMENT and len(self._warnings) < _MAX_WARNINGS:
            self._warnings[words] = None


def split_stages(instructions: Sequence[Instruction]) -> tuple[tuple[Instruction, ...], ...]:
    """Group instructions as the builder numbers them: from FROM to FROM; ARGs before the first FROM are no steps."""
    stages: list[list[Instruction]] = []
    for instruction in instructions:
        if instruction.text.split(maxsplit=1)[0].upper() == "FROM":
            stages.append([])
        if stages:
            stages[-1].append(instruction)
    return tuple(map(tuple, stages))


def shorten(text: str, limit: int = 60) -> str:
    """Put an instruction on one line of at most `limit` characters, for messages."""
    line = " ".join(text.split())
    return line if len(line) <= limit else line[: limit - 1] + "…"
