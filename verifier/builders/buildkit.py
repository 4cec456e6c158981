"""BuildKit through `docker buildx`: the builder that the user has selected, used as it is."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from verifier.builders.buildkit_abilities import Abilities, abilities_of, identify_buildkit
from verifier.builders.buildkit_session import BuildkitSession
from verifier.builders.protocol import BuilderSession
from verifier.clients.buildx import Buildx, SelectedBuilder, find_buildx
from verifier.clients.engine import EngineFacts, connect_engine
from verifier.errors import BuilderUnavailableError
from verifier.model.build import BuilderIdentity

if TYPE_CHECKING:
    from verifier.clients.engine_client import Engine


class BuildkitBuilder:
    """The selected buildx builder."""

    def identify(self) -> BuilderIdentity:
        """Ask buildx and, for the docker driver, the engine. Raises BuilderUnavailableError."""
        buildx = find_buildx()
        builder, engine = _select(buildx)
        if engine is None:
            return identify_buildkit(buildx, builder, None, abilities_of(buildx, builder, None))
        with engine:
            facts = _facts(engine)
            return identify_buildkit(buildx, builder, facts, abilities_of(buildx, builder, facts))

    def open(self, workspace: Path) -> BuilderSession:
        """Begin a run on the selected builder; it stays this one for the run. Raises BuilderUnavailableError."""
        buildx = find_buildx()
        builder, engine = _select(buildx)
        try:
            facts = _facts(engine) if engine is not None else None
            abilities: Abilities = abilities_of(buildx, builder, facts)
            identity = identify_buildkit(buildx, builder, facts, abilities)
            return BuildkitSession(workspace, buildx, builder, engine, abilities, identity)
        except BaseException:
            if engine is not None:
                engine.close()
            raise


def buildkit_builder() -> BuildkitBuilder:
    """Give BuildKit; nothing is asked yet."""
    return BuildkitBuilder()


def _select(buildx: Buildx) -> tuple[SelectedBuilder, Engine | None]:
    """Find the selected builder, and the engine behind it where it is an engine's own."""
    try:
        builder = buildx.inspect()
    except BuilderUnavailableError:
        # An engine that does not answer says best itself what is wrong and what would mend it.
        connect_engine().close()
        raise
    if builder.driver != "docker":
        return builder, None
    return builder, connect_engine(None if builder.endpoint in ("", "default") else builder.endpoint)


def _facts(engine: Engine) -> EngineFacts:
    facts = engine.describe()
    if "podman" in facts.product.lower():
        raise BuilderUnavailableError("the engine that answers is Podman's imitation of Docker's", "--builder podman")
    return facts
