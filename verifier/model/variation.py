"""What a second build was made to differ in on purpose, and which of it mattered."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

Factor = Literal["mtime", "mode", "order", "hostname", "cpus", "timezone", "locale"]

FACTORS: Final[tuple[Factor, ...]] = ("mtime", "mode", "order", "hostname", "cpus", "timezone", "locale")
"""Everything that can be varied by some builder, in the order of reports."""

CONTEXT_FACTORS: Final[tuple[Factor, ...]] = ("mtime", "mode", "order")
"""What is varied in the context's copy, whatever the builder."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """A factor that was asked for by `all` and not varied, and why."""

    factor: Factor
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """The differences (by their position) that come and go with one factor."""

    factor: Factor
    differences: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Variation:
    """How the second build was made to differ, and what further builds said of the differences.

    `unvaried` are the positions of the differences that a control build without any variation shows too; `unsettled`
    those that come with the variation, and that no single factor brought about alone. Without further builds (nothing
    differed, or they failed) all three are empty and `settled` says whether that is because nothing differed.
    """

    factors: tuple[Factor, ...]
    left_out: tuple[LeftOut, ...] = ()
    further_builds: int = 0
    settled: bool = True
    effects: tuple[Effect, ...] = ()
    unvaried: tuple[int, ...] = ()
    unsettled: tuple[int, ...] = ()
