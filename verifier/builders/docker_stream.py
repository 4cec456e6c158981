"""The classic builder's stream: `Step n/m : …`, `---> id`, containers, and the failure inside an HTTP 200."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from verifier.model.instruction import Instruction
from verifier.model.request import BuildListener

LAST_LINES: Final = 20
"""Lines of output that a failure shows."""

_STEP: Final = re.compile(r"Step (\d+)/(\d+) : (.*)")
_IMAGE: Final = re.compile(r" ---> ([0-9a-f]{12})")
_RUNNING: Final = re.compile(r" ---> Running in ([0-9a-f]{12})")
_REMOVED: Final = re.compile(r"(?: ---> Removed|Removing) intermediate container ([0-9a-f]{12})")
_CACHED: Final = " ---> Using cache"
_TRIGGERS: Final = re.compile(r"# Executing \d+ build triggers?")
_WARNING: Final = re.compile(r"\[Warning\] (.*)")


@dataclass(slots=True)
class SeenStep:
    """One step as it was seen; `images` are short IDs, the last is the step's own.

    `triggered` says that the base's ONBUILD instructions have run: then a FROM's image is what they made.
    """

    instruction: Instruction
    text: str
    cached: bool = False
    triggered: bool = False
    images: list[str] = field(default_factory=list)


class ClassicStream:
    """Decode the messages of one classic build.

    What the build prints can imitate the builder's own lines: an image counts only once the engine knows it, a step
    only when it is the next one.
    """

    def __init__(self, instructions: Sequence[Instruction], listener: BuildListener) -> None:
        self._instructions = instructions
        self._listener = listener
        self._partial = ""
        self._total = 0
        self.steps: list[SeenStep] = []
        self.containers: list[str] = []
        self.host_names: dict[str, None] = {}
        self.image: str | None = None
        self.error: str | None = None
        self.warnings: list[str] = []
        self.log: deque[str] = deque(maxlen=LAST_LINES)

    @property
    def instruction(self) -> Instruction | None:
        """The instruction that is being run, None before the first."""
        return self.steps[-1].instruction if self.steps else None

    def take(self, message: dict[str, Any]) -> None:
        """Take one message of the stream."""
        if isinstance(text := message.get("stream"), str):
            *lines, self._partial = (self._partial + text).split("\n")
            for line in lines:
                self._line(line.removesuffix("\r"))
        if isinstance(aux := message.get("aux"), dict) and isinstance(aux.get("ID"), str):
            self.image = aux["ID"]
        if (error := message.get("error")) is not None:
            detail = message.get("errorDetail")
            self.error = str(detail.get("message") or error) if isinstance(detail, dict) else str(error)
        if isinstance(status := message.get("status"), str):
            self._line(status)

    def finish(self) -> None:
        """Take note that the stream has ended."""
        if self._partial:
            self._line(self._partial)
            self._partial = ""

    def _line(self, line: str) -> None:
        if not line.strip():
            return
        self.log.append(line)
        self._listener.output(line)
        if match := _STEP.fullmatch(line):
            self._step(int(match[1]), int(match[2]), match[3])
        elif match := _RUNNING.fullmatch(line):
            self.containers.append(match[1])
            self.host_names[match[1]] = None
        elif match := _REMOVED.fullmatch(line):
            if match[1] in self.containers:
                self.containers.remove(match[1])
        elif match := _IMAGE.fullmatch(line):
            if self.steps:
                self.steps[-1].images.append(match[1])
        elif _TRIGGERS.fullmatch(line) and self.steps:
            self.steps[-1].triggered = True
        elif line == _CACHED and self.steps:
            self.steps[-1].cached = True
        elif match := _WARNING.search(line):
            self.warnings.append(match[1])

    def _step(self, number: int, total: int, text: str) -> None:
        if number != len(self.steps) + 1 or (self._total and total != self._total):
            return
        if number > len(self._instructions):
            return
        self._total = total
        self.steps.append(SeenStep(instruction=self._instructions[number - 1], text=text))
        self._listener.step(number, total, text)
