"""Choose a builder by what answers here, and say which and why."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, get_args

from verifier.builders.protocol import Builder
from verifier.errors import BuilderUnavailableError, UnsupportedError, UsageError, VerifyBuildError
from verifier.model.build import BuilderIdentity, BuilderName, BuilderStatus

AUTO: Final = "auto"


def _buildkit() -> Builder:
    from verifier.builders.buildkit import BuildkitBuilder  # noqa: PLC0415 # so that --help is instant

    return BuildkitBuilder()


def _docker() -> Builder:
    from verifier.builders.docker import DockerBuilder  # noqa: PLC0415 # so that --help is instant

    return DockerBuilder()


def _buildah() -> Builder:
    from verifier.builders.buildah import BuildahBuilder  # noqa: PLC0415 # so that --help is instant

    return BuildahBuilder()


def _podman() -> Builder:
    from verifier.builders.podman import PodmanBuilder  # noqa: PLC0415 # so that --help is instant

    return PodmanBuilder()


BUILDERS: Final[tuple[tuple[BuilderName, Callable[[], Builder]], ...]] = (
    ("buildkit", _buildkit),
    ("docker", _docker),
    ("buildah", _buildah),
    ("podman", _podman),
)
"""Every builder, in the order in which `auto` asks them; each is imported when it is asked."""


def choose_builder(name: str, *, need_reproducible: bool) -> tuple[Builder, str]:
    """Give the builder called `name`, or for `auto` the first that answers, and a sentence that says which and why.

    With `need_reproducible`, `auto` passes over builders without a reproducible mode. Raises UsageError for an unknown
    name, UnsupportedError when the named builder has no such mode, BuilderUnavailableError when none answers.
    """
    if name != AUTO:
        return _named(name, need_reproducible=need_reproducible)
    passed: list[str] = []
    remedies: list[str] = []
    for known, make in BUILDERS:
        builder = make()
        try:
            identity = builder.identify()
        except VerifyBuildError as error:
            passed.append(f"{known}: {error.message}")
            remedies += [error.hint] if error.hint else []
            continue
        if need_reproducible and not identity.reproducible:
            passed.append(f"{known}: {identity.version} has no reproducible mode")
            continue
        return builder, _reason(known, need_reproducible=need_reproducible, passed=passed)
    what = "with a reproducible mode answers" if need_reproducible else "answers"
    raise BuilderUnavailableError(
        f"no builder {what} here: " + "; ".join(passed), " or ".join(dict.fromkeys(remedies)) or None
    )


def survey() -> tuple[BuilderStatus, ...]:
    """Ask every builder: what it is, or what is wrong with it and the command that would mend it."""
    return tuple(_status(known, make) for known, make in BUILDERS)


def _named(name: str, *, need_reproducible: bool) -> tuple[Builder, str]:
    make = dict[str, Callable[[], Builder]](BUILDERS).get(name)
    if make is None:
        raise UsageError(f"there is no builder {name!r}", "it is one of auto, " + ", ".join(get_args(BuilderName)))
    builder = make()
    identity = builder.identify()
    if need_reproducible and not identity.reproducible:
        able = " or ".join(known for known, _ in BUILDERS if known not in (name, "docker"))
        raise UnsupportedError(f"{name} {identity.version} has no reproducible mode", f"use --builder {able}")
    return builder, f"{name}: asked for"


def _reason(known: BuilderName, *, need_reproducible: bool, passed: list[str]) -> str:
    order = ", ".join(name for name, _ in BUILDERS[:-1]) + f" and {BUILDERS[-1][0]}"
    able = " and has a reproducible mode" if need_reproducible else ""
    skipped = f" ({'; '.join(passed)})" if passed else ""
    return f"{known}: the first of {order} that answers{able}{skipped}"


def _status(known: BuilderName, make: Callable[[], Builder]) -> BuilderStatus:
    identity: BuilderIdentity | None = None
    problem = remedy = None
    try:
        identity = make().identify()
    except VerifyBuildError as error:
        problem, remedy = error.message, error.hint
    return BuilderStatus(name=known, identity=identity, problem=problem, remedy=remedy)
