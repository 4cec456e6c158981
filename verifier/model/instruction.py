"""Where in the Dockerfile something was made."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class StageRef:
    """A build stage: its index from 0, and its name where `AS` gives one."""

    index: int
    name: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Instruction:
    """One instruction of the Dockerfile: lines from 1, inclusive; `text` is as written, continuation lines joined."""

    stage: StageRef
    line: int
    end_line: int
    text: str
