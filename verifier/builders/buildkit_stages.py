"""The images of a build's stages, for BuildKit: taken from the cache that the build has just filled.

A stage is built once more, without `--no-cache`, from the same inputs, right after the build and before its cache
records are removed: every step is answered by this build's own result, nothing is run. In an engine the image waits
under a private tag, layers as they are, until somebody asks for it; other builders write an archive at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from verifier.builders.buildkit_abilities import Abilities
from verifier.builders.buildkit_command import build_arguments, oci_output
from verifier.builders.buildkit_progress import PlainProgress, Progress, RawProgress, Vertex
from verifier.builders.docker_traces import PRIVATE_HOST, Traces
from verifier.builders.stage_plan import plan_of_stage
from verifier.clients.buildx import Buildx
from verifier.errors import NoVerdictError
from verifier.model.plan import Plan

if TYPE_CHECKING:
    from verifier.clients.engine_client import Engine

STAGE_SECONDS: Final = 600.0
"""For one stage: its layers are written and nothing is run."""


class StageImages:
    """The stages' images of one session."""

    def __init__(
        self,
        workspace: Path,
        buildx: Buildx,
        builder: str,
        abilities: Abilities,
        run: str,
        store: tuple[Engine, Traces] | None,
    ) -> None:
        """`store` is the engine that the images may wait in, and what is removed from it at the end."""
        self._workspace = workspace
        self._buildx = buildx
        self._builder = builder
        self._abilities = abilities
        self._run = run
        self._store = store
        self._there: set[tuple[int, int]] = set()
        self._seen: list[Progress] = []

    def take_vertices(self) -> list[Vertex]:
        """Hand over what was seen of BuildKit's work since the last call."""
        seen, self._seen = self._seen, []
        return [vertex for progress in seen for vertex in progress.vertices.values()]

    def keep(self, plan: Plan, ordinal: int, namespace: str, contexts: Sequence[str]) -> None:
        """Keep the image of each of the plan's copied stages; one that cannot be had is left out."""
        for index in plan.copied_stages:
            arguments = build_arguments(
                plan_of_stage(plan, index),
                output=self._output(ordinal, index),
                metadata=self._workspace / f"stage-{ordinal}-{index}.json",
                namespace=namespace,
                contexts=contexts,
                raw_progress=self._abilities.raw_progress,
            )
            arguments.remove("--no-cache")
            progress = RawProgress(_Deaf()) if self._abilities.raw_progress else PlainProgress(_Deaf())
            self._seen.append(progress)
            try:
                if self._build(["--provenance=false", *arguments], progress) == 0:
                    self._there.add((ordinal, index))
            except NoVerdictError:
                continue  # whoever asks is told that there is no image
            finally:
                progress.finish()

    def location(self, ordinal: int, index: int) -> str | None:
        """Give a stage's image by a name for a store, None where it was not kept. Raises NoVerdictError."""
        if (ordinal, index) not in self._there:
            return None
        target = self._archive(ordinal, index)
        if self._store is None:
            return f"oci-archive:{target}"
        if not target.exists():
            self._store[0].save(self._tag(ordinal, index), target)
        return f"docker-archive:{target}"

    def _build(self, arguments: Sequence[str], progress: Progress) -> int:
        return self._buildx.build(
            self._builder, arguments, lambda _, line: progress.take(line.decode("utf-8", "replace")), STAGE_SECONDS
        )

    def _output(self, ordinal: int, index: int) -> str:
        if self._store is None:
            return f"{oci_output(self._archive(ordinal, index), rewrite=False)},compression=uncompressed"
        tag = self._tag(ordinal, index)
        self._store[1].add_tag(tag)
        if self._abilities.containerd_store:
            return f"type=image,name={tag},compression=uncompressed,unpack=false"
        return f"type=docker,name={tag}"

    def _archive(self, ordinal: int, index: int) -> Path:
        return self._workspace / f"stage-{ordinal}-{index}.tar"

    def _tag(self, ordinal: int, index: int) -> str:
        return f"{PRIVATE_HOST}/{self._run}/stage:{ordinal}-{index}"


class _Deaf:
    """Hears a build that the user did not ask for."""

    def output(self, line: str) -> None:
        """Pass over a line."""

    def step(self, number: int, total: int | None, text: str) -> None:
        """Pass over a step."""
