"""The engine's classic builder: no BuildKit, one image a step, a plain history."""

from __future__ import annotations

from pathlib import Path

from verifier.builders.docker_session import DockerSession
from verifier.builders.protocol import BuilderSession
from verifier.clients.engine import EngineFacts, connect_engine
from verifier.errors import BuilderUnavailableError
from verifier.model.build import BuilderIdentity

_NO_MODE = "it has no reproducible mode: no SOURCE_DATE_EPOCH, no rewriting of times, so times in layers always differ"
_NO_SYNTAX = "it knows no heredocs, no RUN --mount, no COPY --link or --chmod, no secrets, no ssh"
_NO_MANIFEST = (
    "with the old image store an image has no manifest digest before a push: `config` is the strictest level shown"
)


class DockerBuilder:
    """The classic builder of the engine that the docker client would use."""

    def identify(self) -> BuilderIdentity:
        """Ask the engine what it is. Raises BuilderUnavailableError."""
        with connect_engine() as engine:
            return identify_classic(engine.describe())

    def open(self, workspace: Path) -> BuilderSession:
        """Begin a run on the engine. Raises BuilderUnavailableError."""
        engine = connect_engine()
        try:
            facts = engine.describe()
            return DockerSession(workspace, engine, facts, identify_classic(facts))
        except BaseException:
            engine.close()
            raise


def docker_builder() -> DockerBuilder:
    """Give the classic builder; nothing is asked of the engine yet."""
    return DockerBuilder()


def identify_classic(facts: EngineFacts) -> BuilderIdentity:
    """Say what the classic builder of such an engine can do. Raises BuilderUnavailableError for Podman's imitation."""
    if "podman" in facts.product.lower():
        raise BuilderUnavailableError("the engine that answers is Podman's imitation of Docker's", "--builder podman")
    return BuilderIdentity(
        name="docker",
        version=f"{facts.version}, classic builder, {facts.store_name}",
        reproducible=False,
        shows_manifest=facts.containerd_store,
        limits=(_NO_MODE, _NO_SYNTAX) + (() if facts.containerd_store else (_NO_MANIFEST,)),
        varies=("cpus",),
    )
