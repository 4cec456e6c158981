"""What the BuildKit in front of us cannot build, refused by name and line before any work."""

from __future__ import annotations

from typing import Final

from verifier.builders.buildkit_abilities import Abilities
from verifier.dockerfile.features import FeatureName, features
from verifier.dockerfile.parse import parse_dockerfile
from verifier.errors import DockerfileError, UnsupportedError
from verifier.model.plan import Plan

_SINCE: Final[dict[FeatureName, tuple[tuple[int, int], str]]] = {
    "add-checksum": ((0, 12), "ADD --checksum"),
    "add-git": ((0, 12), "ADD of a git repository"),
    "add-keep-git-dir": ((0, 12), "ADD --keep-git-dir"),
    "copy-link": ((0, 10), "--link"),
    "heredoc": ((0, 10), "heredocs"),
    "run-network": ((0, 10), "RUN --network"),
    "run-security": ((0, 10), "RUN --security"),
}
"""BuildKit versions whose own Dockerfile frontend has the feature (BuildKit's release notes)."""


def refuse_for_buildkit(plan: Plan, abilities: Abilities) -> None:
    """Raise UnsupportedError for an option, DockerfileError with the line for a feature; return when all is well.

    With a `# syntax=` line the frontend is another one, and knows itself what it knows.
    """
    if plan.options.reproducible and not abilities.rewrites:
        why = "the image store is the old one" if not abilities.exports_oci else "BuildKit is older than 0.13"
        raise UnsupportedError(
            f"this BuildKit has no reproducible mode: {why}, so times in layers cannot be rewritten",
            'turn on the containerd image store ({"features": {"containerd-snapshotter": true}} in '
            "/etc/docker/daemon.json), or use --builder buildah",
        )
    if plan.dockerfile.syntax is not None:
        return
    for feature in features(parse_dockerfile(plan.dockerfile.raw, plan.dockerfile.path)):
        since, words = _SINCE.get(feature.name, ((0, 0), ""))
        if abilities.buildkit < since:
            line = feature.instruction.line
            version = ".".join(map(str, abilities.buildkit))
            raise DockerfileError(
                f"{plan.dockerfile.path}:{line}: this BuildKit ({version}) does not know {words}",
                f"BuildKit {since[0]}.{since[1]} does, or a `# syntax=docker/dockerfile:1` line",
                line=line,
            )
