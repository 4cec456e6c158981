"""What the classic builder cannot build, refused by name and line before any work."""

from __future__ import annotations

from typing import Final

from verifier.dockerfile.features import FeatureName, features
from verifier.dockerfile.parse import parse_dockerfile
from verifier.errors import DockerfileError, UnsupportedError
from verifier.model.plan import Plan

_WORDS: Final[dict[FeatureName, str]] = {
    "add-checksum": "ADD --checksum",
    "add-git": "ADD of a git repository",
    "add-keep-git-dir": "ADD --keep-git-dir",
    "add-unpack": "ADD --unpack",
    "copy-chmod": "--chmod",
    "copy-exclude": "--exclude",
    "copy-link": "--link",
    "copy-parents": "COPY --parents",
    "heredoc": "a heredoc",
    "run-device": "RUN --device",
    "run-mount": "RUN --mount",
    "run-network": "RUN --network",
    "run-security": "RUN --security",
}
_HINT: Final = "--builder buildkit knows it"


def refuse_for_classic(plan: Plan) -> None:
    """Raise UnsupportedError for an option, DockerfileError with the line for a feature; return when all is well."""
    options = plan.options
    if options.secrets or options.ssh:
        which = "--secret" if options.secrets else "--ssh"
        raise UnsupportedError(f"the classic builder has no {which}", _HINT.replace("it", which))
    if options.reproducible:
        raise UnsupportedError(
            "the classic builder has no reproducible mode: it takes no SOURCE_DATE_EPOCH and rewrites no times",
            "--builder buildkit or --builder buildah have one",
        )
    for feature in features(parse_dockerfile(plan.dockerfile.raw, plan.dockerfile.path)):
        if feature.name in _WORDS:
            line = feature.instruction.line
            raise DockerfileError(
                f"{plan.dockerfile.path}:{line}: the classic builder does not know {_WORDS[feature.name]}",
                _HINT,
                line=line,
            )
