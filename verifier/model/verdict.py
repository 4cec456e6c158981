"""Judgement: which level holds, and whether that is enough."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

Level = Literal["manifest", "config", "layers", "files", "none"]
Required = Literal["index", "manifest", "config", "layers", "files", "none"]
Outcome = Literal["reproducible", "tolerated", "different", "no-verdict"]

LEVELS: Final[tuple[Level, ...]] = ("manifest", "config", "layers", "files", "none")
"""Strictest first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Whether the required level holds; `level` is the strictest that does, without any tolerance."""

    outcome: Outcome
    level: Level | None
    required: Required

    @property
    def exit_code(self) -> int:
        """0 the required level holds, 1 it does not, 3 nothing could be decided."""
        return {"reproducible": 0, "tolerated": 0, "different": 1, "no-verdict": 3}[self.outcome]
