"""BuildKit through `docker buildx`: the builder that the user has selected, used as it is."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from verifier.builders.buildkit_abilities import Abilities, abilities_of, identify_buildkit
from verifier.builders.buildkit_session import BuildkitSession
from verifier.builders.protocol import BuilderSession
from verifier.clients.buildx import Buildx, SelectedBuilder, find_buildx
from verifier.clients.engine import EngineFacts, connect_engine
from verifier.errors import BuilderUnavailableError
from verifier.model.build import BuilderIdentity

if TYPE_CHECKING:
    from verifier.clients.engine_client import Engine


class _Found(NamedTuple):
    """What answered."""

    buildx: Buildx
    builder: SelectedBuilder
    abilities: Abilities
    identity: BuilderIdentity


class BuildkitBuilder:
    """The selected buildx builder; it is asked once, and stays this one."""

    def __init__(self) -> None:
        self._found: _Found | None = None

    def identify(self) -> BuilderIdentity:
        """Ask buildx and, for the docker driver, the engine. Raises BuilderUnavailableError."""
        if self._found is None:
            self._found = _find()
        return self._found.identity

    def open(self, workspace: Path) -> BuilderSession:
        """Begin a run on the selected builder. Raises BuilderUnavailableError."""
        found = self._found = self._found or _find()
        engine = _engine_of(found.builder)
        try:
            return BuildkitSession(workspace, found.buildx, found.builder, engine, found.abilities, found.identity)
        except BaseException:
            if engine is not None:
                engine.close()
            raise


def buildkit_builder() -> BuildkitBuilder:
    """Give BuildKit; nothing is asked yet."""
    return BuildkitBuilder()


def _find() -> _Found:
    buildx = find_buildx()
    try:
        builder = buildx.inspect()
    except BuilderUnavailableError:
        # An engine that does not answer says best itself what is wrong and what would mend it.
        connect_engine().close()
        raise
    engine = _engine_of(builder)
    with contextlib.nullcontext() if engine is None else engine:
        facts = None if engine is None else _facts(engine)
    abilities = abilities_of(buildx, builder, facts)
    return _Found(buildx, builder, abilities, identify_buildkit(buildx, builder, facts, abilities))


def _engine_of(builder: SelectedBuilder) -> Engine | None:
    """Connect to the engine behind a builder, where it is an engine's own."""
    if builder.driver != "docker":
        return None
    return connect_engine(None if builder.endpoint in ("", "default") else builder.endpoint)


def _facts(engine: Engine) -> EngineFacts:
    facts = engine.describe()
    if "podman" in facts.product.lower():
        raise BuilderUnavailableError("the engine that answers is Podman's imitation of Docker's", "--builder podman")
    return facts
