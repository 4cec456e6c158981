"""What Buildah's engine cannot build, said before any work: by name, and by the line."""

from __future__ import annotations

from typing import Final

from verifier.dockerfile.features import features
from verifier.dockerfile.parse import parse_dockerfile
from verifier.errors import DockerfileError, UnsupportedError
from verifier.model.plan import BuildOptions, Plan

Version = tuple[int, ...]

_BEYOND_1_28: Final = (1, 29)
"""Tried on 1.28 and refused by it. Later versions gained these one by one and speak for themselves."""

FIRST_VERSION: Final[dict[str, tuple[Version, str]]] = {
    "heredoc": ((1, 33), "here-documents"),
    "add-checksum": (_BEYOND_1_28, "`ADD --checksum`"),
    "add-exclude": (_BEYOND_1_28, "`ADD --exclude`"),
    "add-git": (_BEYOND_1_28, "`ADD` of a git repository"),
    "add-keep-git-dir": (_BEYOND_1_28, "`ADD --keep-git-dir`"),
    "add-link": (_BEYOND_1_28, "`ADD --link`"),
    "add-unpack": (_BEYOND_1_28, "`ADD --unpack`"),
    "copy-exclude": (_BEYOND_1_28, "`COPY --exclude`"),
    "copy-link": (_BEYOND_1_28, "`COPY --link`"),
    "copy-parents": (_BEYOND_1_28, "`COPY --parents`"),
    "run-device": (_BEYOND_1_28, "`RUN --device`"),
    "run-network": (_BEYOND_1_28, "`RUN --network`"),
    "run-security": (_BEYOND_1_28, "`RUN --security`"),
}
"""The first version of Buildah that knows a feature, and the feature in words."""

_OPTION_FLAGS: Final = {
    "target": "target",
    "platform": "platform",
    "network": "network",
    "secrets": "secret",
    "ssh": "ssh",
}


def version_tuple(version: str) -> Version:
    """Turn `1.28.2` into numbers that compare."""
    return tuple(int(part) for part in version.split(".") if part.isdecimal())


def refuse_features(plan: Plan, program: str, version: str) -> None:
    """Raise DockerfileError, with the line, for the first feature that this version lacks.

    `version` is that of Buildah's engine, which Podman has built in.
    """
    path = plan.dockerfile.path
    have = version_tuple(version)
    for feature in features(parse_dockerfile(plan.dockerfile.raw, path)):
        needs = FIRST_VERSION.get(feature.name)
        if needs is None or have >= needs[0]:
            continue
        line = feature.instruction.line
        raise DockerfileError(
            f"{path}:{line}: {program} (Buildah {version}) does not know {needs[1]}",
            "use --builder buildkit, or a newer " + program,
            line=line,
        )


def refuse_options(options: BuildOptions, program: str, flags: frozenset[str]) -> None:
    """Raise UnsupportedError for an option of the user's that `build` lacks."""
    for name, flag in _OPTION_FLAGS.items():
        if getattr(options, name) and flag not in flags:
            raise UnsupportedError(f"{program} build has no --{flag}")
    if options.reproducible and not has_reproducible_mode(flags):
        raise UnsupportedError(
            f"this {program} has no reproducible mode: its build has neither --timestamp nor --source-date-epoch",
            "use --builder buildkit, or a newer " + program,
        )


def has_reproducible_mode(flags: frozenset[str]) -> bool:
    """Tell whether `build` can set times: `--timestamp`, or from 1.41 on `--rewrite-timestamp`."""
    return "timestamp" in flags or {"source-date-epoch", "rewrite-timestamp"} <= flags


def reproducible_arguments(options: BuildOptions, flags: frozenset[str]) -> list[str]:
    """Give the options of the builder's own reproducible mode; none where it was not asked for.

    SOURCE_DATE_EPOCH is also a build argument: it reaches a RUN where the stage declares it.
    """
    if not options.reproducible or options.epoch is None:
        return []
    epoch = str(options.epoch)
    if {"source-date-epoch", "rewrite-timestamp"} <= flags:
        times = ["--source-date-epoch", epoch, "--rewrite-timestamp"]
    else:
        times = ["--timestamp", epoch]
    label = ["--identity-label=false"] if "identity-label" in flags else []
    return [*times, *label, "--build-arg", f"SOURCE_DATE_EPOCH={epoch}"]
