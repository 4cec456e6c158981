"""An instruction as JSON: the one form that every report gives it."""

from __future__ import annotations

from typing import Any

from verifier.model.instruction import Instruction


def instruction_object(instruction: Instruction | None) -> dict[str, Any] | None:
    """Give an instruction as JSON values, null where there is none."""
    if instruction is None:
        return None
    return {
        "stage": {"index": instruction.stage.index, "name": instruction.stage.name},
        "line": instruction.line,
        "end_line": instruction.end_line,
        "text": instruction.text,
    }
