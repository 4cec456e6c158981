"""The images of a build's stages, for Buildah and Podman: what `--layers` kept of them in the build's own storage."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from verifier.builders.containers_options import (
    ImageFormat,
    Isolation,
    cpu_options,
    inputs,
    private_options,
    shown_options,
)
from verifier.builders.stage_plan import plan_of_stage
from verifier.clients.containers import ContainersCli, PrivateStorage
from verifier.model.plan import Plan

STAGE_SECONDS: Final = 300.0
"""For naming a stage's image: everything is in the storage."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptBuild:
    """A build whose storage stays until the session ends, and how it was run."""

    plan: Plan
    storage: PrivateStorage
    isolation: Isolation
    flags: frozenset[str]
    image_format: ImageFormat
    rootless: bool

    def arguments(self, index: int, iidfile: Path) -> list[str]:
        """Write the same build's arguments with a stage for its target and the storage for its cache."""
        plan = plan_of_stage(self.plan, index)
        options = shown_options(plan, self.flags, self.image_format)
        options += cpu_options(plan, self.isolation, rootless=self.rootless)
        options.remove("--no-cache")
        return [*options, *private_options(plan), "--iidfile", str(iidfile), *inputs(plan)]


def export_stage(cli: ContainersCli, kept: KeptBuild, index: int, layout: Path) -> bool:
    """Write the image of a stage as an OCI layout; tell whether there is one. Raises NoVerdictError."""
    iidfile = kept.storage.home / f"stage-{index}-id"
    arguments = kept.arguments(index, iidfile)
    # what the storage does not have must not be built again: without a runtime it fails at once
    argv = cli.build_argv(arguments, kept.storage, shutil.which("false"), None)
    if cli.build(argv, _ignore, kept.storage, STAGE_SECONDS) or not iidfile.is_file():
        return False
    layout.parent.mkdir(exist_ok=True)
    shutil.rmtree(layout, ignore_errors=True)
    cli.push(iidfile.read_text("ascii").strip().removeprefix("sha256:"), layout, kept.storage, plain=True)
    return True


def _ignore(*_: Sequence[object]) -> None:
    """Take a line of a build that is none."""
