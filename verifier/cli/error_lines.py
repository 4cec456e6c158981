"""The two lines on stderr that every error becomes."""

from __future__ import annotations

import sys


def print_error(message: str, hint: str | None) -> None:
    """Print `error: …` and, where there is one, `hint: …`; what a terminal could act on is escaped."""
    from verifier.reports.escape import escape  # noqa: PLC0415  # only where there is an error

    sys.stderr.write(f"error: {escape(message)}\n")
    if hint:
        sys.stderr.write(f"hint: {escape(hint)}\n")
