"""How a rule states a risk."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from verifier.dockerfile.document import Statement
from verifier.dockerfile.recipe import Step
from verifier.dockerfile.shell import Command
from verifier.model.finding import Risk, RiskStatus, Severity

_NAMED: Final = 3
_LONGEST: Final = 80


def latent(
    cause: str, step: Step | Statement, message: str, *, command: Command | None = None, severity: Severity = "warning"
) -> Risk:
    """State that something may differ at another time."""
    return _risk(cause, step, message, command, severity, "latent")


def refuted(cause: str, step: Step | Statement, message: str, *, command: Command | None = None) -> Risk:
    """State that something could differ, had the same instruction not made sure that it does not."""
    return _risk(cause, step, message, command, "note", "refuted")


def listed(names: Sequence[str]) -> str:
    """Name the first few, and count the rest."""
    names = tuple(dict.fromkeys(names))
    shown = [f"`{shortened(name)}`" for name in names[:_NAMED]]
    rest = len(names) - len(shown)
    if rest:
        return f"{', '.join(shown)} and {rest} more"
    return " and ".join([", ".join(shown[:-1]), shown[-1]]) if len(shown) > 1 else "".join(shown)


def shortened(text: str, width: int = _LONGEST) -> str:
    """Cut a word from a Dockerfile to a length that a message can hold, on one line."""
    text = " ".join(text.split())
    return text if len(text) <= width else text[: width - 1] + "…"


def _risk(
    cause: str, step: Step | Statement, message: str, command: Command | None, severity: Severity, status: RiskStatus
) -> Risk:
    statement = step.statement if isinstance(step, Step) else step
    return Risk(
        cause=cause,
        severity=severity,
        instruction=statement.instruction,
        status=status,
        message=message,
        line=None if command is None else command.line,
    )
