"""From BuildKit's vertices back to the instructions of the Dockerfile.

A vertex is called `[PLATFORM STAGE n/m] TEXT`; platform and stage may be missing, an unnamed stage of several is
`stage-INDEX`, TEXT has variables expanded. n counts FROM where FROM made a vertex, and the triggers that the base
brought along, so the place within the stage is found by the texts, and n only says how they follow one another.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from verifier.builders.buildkit_progress import Vertex
from verifier.model.build import BuildStep
from verifier.model.instruction import Instruction

_NAME: Final = re.compile(r"\[(?:(?P<head>[^\]]+?) +)?\s*(?P<number>\d+)/(?P<total>\d+)\] (?P<text>.*)", re.DOTALL)
_UNNAMED: Final = re.compile(r"stage-(\d+)")
_RUNS: Final = ("RUN", "COPY", "ADD", "WORKDIR")
"""Instructions that make a vertex; all others only change the config."""


@dataclass(frozen=True, slots=True)
class _Place:
    stage: str | None
    number: int
    text: str
    vertex: Vertex


def steps_of(vertices: Iterable[Vertex], instructions: Sequence[Instruction]) -> tuple[BuildStep, ...]:
    """Make a BuildStep of every vertex that is an instruction, in the order of the lines; FROM is never `cached`."""
    found = {
        instruction: BuildStep(
            instruction=instruction,
            cached=vertex.cached and _keyword(instruction.text) != "FROM",
            seconds=vertex.seconds,
            started=vertex.started,
            finished=vertex.completed,
        )
        for instruction, vertex in matched(vertices, instructions)
    }
    return tuple(found[instruction] for instruction in sorted(found))


def matched(vertices: Iterable[Vertex], instructions: Sequence[Instruction]) -> list[tuple[Instruction, Vertex]]:
    """Pair vertices with instructions; a vertex without one (a trigger of the base image) is left out."""
    stages: dict[int, list[_Place]] = {}
    for vertex in vertices:
        place = _place(vertex)
        if place is None:
            continue
        index = _stage_index(place.stage, instructions)
        if index is not None:
            stages.setdefault(index, []).append(place)
    pairs = []
    for index, places in stages.items():
        pairs += _match_stage(places, [item for item in instructions if item.stage.index == index])
    return pairs


def _place(vertex: Vertex) -> _Place | None:
    match = _NAME.fullmatch(vertex.name)
    if match is None:
        return None
    words = (match["head"] or "").split()
    # A platform has a slash (`linux/amd64`, `linux/amd64->arm64`), a stage's name cannot.
    stage = next((word for word in reversed(words) if "/" not in word), None)
    return _Place(stage=stage, number=int(match["number"]), text=match["text"], vertex=vertex)


def _stage_index(name: str | None, instructions: Sequence[Instruction]) -> int | None:
    stages = {item.stage for item in instructions}
    if name is None:
        return max((stage.index for stage in stages), default=None)
    for stage in sorted(stages, reverse=True):
        if stage.name is not None and stage.name.lower() == name.lower():
            return stage.index
    match = _UNNAMED.fullmatch(name)
    index = int(match[1]) if match else -1
    return index if any(stage.index == index for stage in stages) else None


def _match_stage(places: Sequence[_Place], own: Sequence[Instruction]) -> list[tuple[Instruction, Vertex]]:
    pairs = [
        (instruction, place.vertex)
        for place in places
        if _keyword(place.text) == "FROM"
        for instruction in own
        if _keyword(instruction.text) == "FROM"
    ]
    runs = [item for item in own if _keyword(item.text) in _RUNS]
    rest = [place for place in places if _keyword(place.text) != "FROM"]
    if not runs or not rest:
        return pairs
    highest = max(place.number for place in rest)
    # The n-th vertex is the instruction n - 1 - shift: try every shift, and take the one whose texts agree best.
    shifts = range(max(1, highest - len(runs) + 1) + 1)
    likely = 1 if pairs else 0
    best = max(shifts, key=lambda shift: (_agreement(rest, runs, shift), shift == likely))
    for place in rest:
        instruction = _at(runs, place.number - 1 - best)
        if instruction is not None and _keyword(instruction.text) == _keyword(place.text):
            pairs.append((instruction, place.vertex))
    return pairs


def _agreement(places: Sequence[_Place], runs: Sequence[Instruction], shift: int) -> int:
    """Count how well the places agree with the instructions: an equal text weighs more than an equal keyword."""
    score = 0
    for place in places:
        instruction = _at(runs, place.number - 1 - shift)
        if instruction is None:
            continue
        if _squeeze(instruction.text) == _squeeze(place.text):
            score += 1_000
        elif _keyword(instruction.text) == _keyword(place.text):
            score += 1
    return score


def _at(runs: Sequence[Instruction], index: int) -> Instruction | None:
    return runs[index] if 0 <= index < len(runs) else None


def _keyword(text: str) -> str:
    return text.split(maxsplit=1)[0].upper() if text.strip() else ""


def _squeeze(text: str) -> str:
    return " ".join(text.replace("\\\n", " ").split()).lower()
