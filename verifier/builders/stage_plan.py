"""The plan of one stage: the same inputs, and the Dockerfile up to the stage's end.

A stage without a name cannot be a target: BuildKit takes no number, Buildah 1.28 takes every one but 0.
"""

from __future__ import annotations

from dataclasses import replace

from verifier.model.plan import Plan


def plan_of_stage(plan: Plan, index: int) -> Plan:
    """Cut the Dockerfile's copy off behind a stage, beside the original, so that the stage is the target."""
    copy = plan.dockerfile.copy
    end = max(item.end_line for item in plan.instructions if item.stage.index == index)
    cut = copy.with_name(f"{copy.name}.stage-{index}")
    cut.write_bytes(b"\n".join(copy.read_bytes().split(b"\n")[:end]) + b"\n")
    ignore = copy.with_name(f"{copy.name}.dockerignore")
    if ignore.is_file():
        cut.with_name(f"{cut.name}.dockerignore").write_bytes(ignore.read_bytes())
    return replace(plan, dockerfile=replace(plan.dockerfile, copy=cut), options=replace(plan.options, target=None))
