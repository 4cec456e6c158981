"""What a builder must do. A builder is opened for one run and removes all that it made when it is closed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from verifier.model.build import Build, BuilderIdentity
from verifier.model.plan import BaseReference, HeldBase, Plan
from verifier.model.request import BuildListener

__all__ = ["BuildListener", "Builder", "BuilderSession"]


class BuilderSession(Protocol):
    """One run's use of a builder. As a context manager it cleans up, in success, failure and interruption alike."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def refuse(self, plan: Plan) -> None:
        """Say before any work what this builder cannot build.

        Raises UnsupportedError for an option, DockerfileError with the line for a feature (a heredoc, `RUN --mount`).
        """

    def hold(self, references: Sequence[BaseReference]) -> tuple[HeldBase, ...]:
        """Resolve each reference to a digest, once, pulling where needed, and hold it for this session.

        Raises BaseNotHeldError.
        """

    def build(self, plan: Plan, ordinal: int, listener: BuildListener) -> Build:
        """Build `plan` without cache; `ordinal` counts the run's builds from 1.

        Raises BuildError with the instruction, the line and the last lines of output.
        """

    def stage(self, build: Build, index: int) -> str | None:
        """Give the image of a stage as that build made it, by a name for a store; None where it cannot be had.

        Only for the plan's `copied_stages`, while the session is open. Raises NoVerdictError.
        """

    def load(self, build: Build, tags: Sequence[str]) -> None:
        """Put what was built into the builder's own store under `tags`, where users expect it after a build."""

    def leftovers(self) -> tuple[str, ...]:
        """Name what this session made and could not remove; meaningful once it has been closed."""


class Builder(Protocol):
    """A builder that answers on this machine."""

    def identify(self) -> BuilderIdentity:
        """Ask what is in front of us and what it can do. Raises BuilderUnavailableError, with the remedy as hint."""

    def open(self, workspace: Path) -> BuilderSession:
        """Begin a run. `workspace` is private to it; the builder may write there and need not clean it."""
