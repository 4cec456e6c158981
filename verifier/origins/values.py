"""Values inside a result that an earlier instruction's file has too: a member of an archive, an included header."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from verifier.model.instruction import Instruction
from verifier.origins.pairs import ImagePair

Values = Sequence[tuple[bytes, bytes]]
"""Both sides' bytes, place by place."""

MIN_VALUE_BYTES: Final = 8
"""Shorter ones may be anywhere by chance."""

MAX_CANDIDATES: Final = 64
"""Files of earlier instructions that one command names and that are read."""

MAX_FILES: Final = 20_000
"""Files of earlier instructions that are held against one command."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """One file that both sides have by one instruction; the layers are those of the sides that were built here."""

    path: bytes
    instruction: Instruction
    layers: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A candidate that was read: its contents on the sides that were built here."""

    candidate: Candidate
    contents: tuple[bytes, ...]

    def holds(self, pair: ImagePair, values: Values) -> bool:
        """Tell whether each side's content has every one of that side's values."""
        columns = [0 if image is pair.first else 1 for image in pair.sides]
        return all(
            each[column] in content for content, column in zip(self.contents, columns, strict=True) for each in values
        )


def is_telling(values: Values) -> bool:
    """Tell whether these values can be looked for: there are some, they differ, and none is short."""
    return bool(values) and all(
        len(first) >= MIN_VALUE_BYTES and len(second) >= MIN_VALUE_BYTES and first != second for first, second in values
    )


def candidates_before(pair: ImagePair, instruction: Instruction) -> list[Candidate]:
    """List the files of earlier instructions in an image, the lowest layer first; none where there are too many."""
    sides = [image.files_before(instruction) for image in pair.sides]
    if any(len(side) > MAX_FILES for side in sides):
        return []
    return [
        Candidate(path=key[0], instruction=key[1], layers=tuple(side[key] for side in sides))
        for key in sides[0]
        if all(key in side for side in sides)
    ]


def read_sources(pair: ImagePair, candidates: Sequence[Candidate]) -> list[Source]:
    """Read the first MAX_CANDIDATES of these files, each layer once. Raises NoVerdictError as reading a layer does."""
    chosen = candidates[:MAX_CANDIDATES]
    read = [_read(pair, side, chosen) for side in range(len(pair.sides))]
    found = []
    for candidate in chosen:
        keys = [(candidate.path, layer) for layer in candidate.layers]
        if all(key in side for key, side in zip(keys, read, strict=True)):
            contents = tuple(side[key] for key, side in zip(keys, read, strict=True))
            found.append(Source(candidate=candidate, contents=contents))
    return found


def _read(pair: ImagePair, side: int, candidates: Iterable[Candidate]) -> dict[tuple[bytes, int], bytes]:
    wanted: dict[int, set[bytes]] = {}
    for candidate in candidates:
        wanted.setdefault(candidate.layers[side], set()).add(candidate.path)
    return {
        (path, layer): content
        for layer, paths in wanted.items()
        for path, content in pair.sides[side].read_files(layer, paths).items()
    }
