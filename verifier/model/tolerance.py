"""Tolerances: differences that somebody answers for, each by name and with a reason."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final, Literal

ToleranceStatus = Literal["used", "unused", "expired"]

NAMED_ALONE: Final = frozenset({"mode", "setuid", "uid", "gid", "xattr:security.capability", "whiteout"})
"""Fields that no tolerance covers unless it names them: what a process may do hangs on each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tolerance:
    """One tolerance: whatever agrees with all of `cause`, `path` (a pattern) and `field` that are given.

    `reason` is never empty. After the day `expires` it no longer counts. `place` says where it is written.
    """

    cause: str | None
    path: str | None
    field: str | None
    reason: str
    expires: date | None
    place: str

    @property
    def described(self) -> str:
        """Say in words what it covers."""
        named = (("cause", self.cause), ("path", self.path), ("field", self.field))
        return ", ".join(f"{name} {value}" for name, value in named if value is not None)


@dataclass(frozen=True, slots=True, kw_only=True)
class AppliedTolerance:
    """What became of a tolerance in one run; `differences` are positions in the report's list."""

    tolerance: Tolerance
    status: ToleranceStatus
    differences: tuple[int, ...] = ()
