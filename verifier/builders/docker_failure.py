"""The words for a build that failed: which build, which file and line, which instruction."""

from __future__ import annotations

from collections.abc import Iterable

from verifier.errors import BuildError, ResourceError, VerifyBuildError
from verifier.model.instruction import Instruction
from verifier.model.plan import Plan

_TEXT_LENGTH = 60


def build_failure(
    plan: Plan, ordinal: int, instruction: Instruction | None, log: Iterable[str], reason: str
) -> VerifyBuildError:
    """Make the exception for a failed build; `reason` is the builder's own words, and its last line of the log.

    A full disk is a ResourceError, anything else a BuildError with the line and the log.
    """
    place = plan.dockerfile.path
    if instruction is not None:
        place = f"{place}:{instruction.line} ({shorten(instruction.text)})"
    if "no space left on device" in reason.lower():
        return ResourceError(f"build {ordinal} failed at {place}: no space left on device", "docker system df")
    lines = [line for line in log if line.strip()]
    if reason and (not lines or reason.strip() not in lines[-1]):
        lines.append(reason.strip())
    return BuildError(
        f"build {ordinal} failed at {place}"
        if instruction is not None
        else f"build {ordinal} failed: {reason.strip()}",
        line=instruction.line if instruction is not None else None,
        log=tuple(lines[-20:]),
    )


def shorten(text: str) -> str:
    """Put an instruction on one short line."""
    line = " ".join(text.split())
    return line if len(line) <= _TEXT_LENGTH else line[: _TEXT_LENGTH - 1] + "…"
