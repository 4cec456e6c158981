"""Why a BuildKit build failed, and at which instruction: from the vertices, else from what buildx says itself."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import zip_longest
from typing import Final

from verifier.builders.buildkit_progress import Progress, Vertex
from verifier.builders.buildkit_steps import matched
from verifier.builders.docker_failure import build_failure
from verifier.errors import VerifyBuildError
from verifier.model.instruction import Instruction
from verifier.model.plan import Plan

_EXCERPT: Final = re.compile(r"\S.*:(\d+)")
_PARSE_ERROR: Final = re.compile(r"parse error (?:on )?line (\d+)")
_PREFIX: Final = re.compile(r"^ERROR: (?:failed to build: )?(?:failed to solve: )?")


def failure_of(plan: Plan, ordinal: int, progress: Progress, reason: str) -> VerifyBuildError:
    """Make the exception; `reason` is ours when the build was cut off, "" when buildx ended by itself."""
    vertex = _culprit(progress)
    complaint = next((line for line in reversed(progress.complaints) if line.startswith("ERROR: ")), "")
    instruction = _at_line(plan.instructions, _line_of(progress)) or _instruction_of(plan, progress, vertex)
    words = reason or _PREFIX.sub("", complaint) or (vertex.error if vertex is not None else "")
    log = [line for item in [vertex] if item is not None for line in item.log]
    return build_failure(plan, ordinal, instruction, log, words or "docker buildx build failed without a word")


def _culprit(progress: Progress) -> Vertex | None:
    """Find the vertex that failed; those that were cancelled with it come after it, one that ran on, last of all."""
    failed = [vertex for vertex in progress.vertices.values() if vertex.error]
    running = [v for v in progress.vertices.values() if v.is_step and v.started is not None and v.completed is None]
    own = [vertex for vertex in failed if "context canceled" not in vertex.error]
    return next(iter([*own, *failed, *running]), None)


def _instruction_of(plan: Plan, progress: Progress, vertex: Vertex | None) -> Instruction | None:
    pairs = matched(progress.vertices.values(), plan.instructions)
    return next((instruction for instruction, item in pairs if item is vertex), None)


def _line_of(progress: Progress) -> int | None:
    """Read the line out of buildx's excerpt (`Dockerfile:5` over a rule) or out of a parser's message."""
    lines = list(progress.complaints)
    for line, following in zip_longest(lines, lines[1:], fillvalue=""):
        if (match := _EXCERPT.fullmatch(line)) and following.startswith("-----"):
            return int(match[1])
        if match := _PARSE_ERROR.search(line):
            return int(match[1])
    return None


def _at_line(instructions: Sequence[Instruction], line: int | None) -> Instruction | None:
    if line is None:
        return None
    return next((item for item in instructions if item.line <= line <= item.end_line), None)
