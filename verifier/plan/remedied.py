"""Make a plan with the remedies that need no thought: the reproducible mode, and SOURCE_DATE_EPOCH in every stage."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from verifier.dockerfile.document import Stage
from verifier.dockerfile.parse import parse_dockerfile
from verifier.errors import ResourceError
from verifier.model.plan import Plan
from verifier.plan.freeze import write_dockerfile

EPOCH_ARGUMENT = "SOURCE_DATE_EPOCH"


def remedy_plan(plan: Plan, epoch: int, folder: Path) -> Plan:
    """Make the plan of a build in the reproducible mode, with `ARG SOURCE_DATE_EPOCH` in every stage.

    `folder` must not exist and takes the Dockerfile. Instructions keep their order, not their lines. Raises
    ResourceError for what cannot be written.
    """
    raw = _with_epoch(plan.dockerfile.raw, plan.dockerfile.path)
    try:
        folder.mkdir(mode=0o700)
    except OSError as error:
        raise ResourceError(f"the remedied Dockerfile cannot be written: {error.strerror}") from None
    copy = write_dockerfile(raw, plan.dockerfile.copy.name, folder / "dockerfile")
    return replace(
        plan,
        dockerfile=replace(plan.dockerfile, copy=copy),
        instructions=parse_dockerfile(raw, plan.dockerfile.path).instructions,
        options=replace(plan.options, reproducible=True, epoch=epoch),
    )


def _with_epoch(raw: bytes, path: str) -> bytes:
    """Declare the argument behind every FROM whose stage does not declare it."""
    lines = raw.split(b"\n")
    if lines[-1]:
        lines.append(b"")
    for stage in reversed(parse_dockerfile(raw, path).stages):
        if not _declares(stage):
            lines.insert(stage.source.instruction.end_line, f"ARG {EPOCH_ARGUMENT}".encode())
    return b"\n".join(lines)


def _declares(stage: Stage) -> bool:
    return any(
        statement.keyword == "ARG" and any(word.partition("=")[0] == EPOCH_ARGUMENT for word in statement.arguments)
        for statement in stage.statements
    )
