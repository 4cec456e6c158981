"""What can stand against signing a release off. Imports nothing, as the command line's help lists it."""

from __future__ import annotations

from typing import Final, Literal

ObjectionName = Literal[
    "no-verdict", "different", "unknown-source", "dirty-source", "changed-source", "expired-tolerance"
]

OBJECTIONS: Final[tuple[ObjectionName, ...]] = (
    "no-verdict",
    "different",
    "unknown-source",
    "dirty-source",
    "changed-source",
    "expired-tolerance",
)
"""All of them, in the order of reports; each is allowed by its own name alone."""
