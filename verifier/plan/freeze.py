"""Freeze the inputs of a run: one Dockerfile, one context, copied once and watched while that goes on.

1. Read and parse the Dockerfile; find the target and the images that it needs.
2. Find the ignore file that the builder would use.
3. Copy the context into an archive and a folder, both private to the run.
4. Walk the originals again: nothing may have moved.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from verifier.dockerfile.parse import parse_dockerfile, read_dockerfile
from verifier.dockerfile.stages import external_images
from verifier.errors import DockerfileError, InputsChangedError, NoVerdictError, ResourceError, UsageError
from verifier.model.build import BuilderName
from verifier.model.plan import BuildOptions, FrozenContext, FrozenDockerfile, Plan
from verifier.oci.digest import digest_bytes
from verifier.plan.frozen_copy import Copied, changed, copy_context, sign
from verifier.plan.ignore import IgnoreRules, load_ignore_rules, reload_ignore_rules
from verifier.plan.walk import Walk

_NO_PATTERNS: Final = b"# what is left out is gone already\n"
"""Not quite empty, so that no builder can take it for a missing one and read the context's own."""


def freeze(
    dockerfile_path: Path,
    context_path: Path,
    workspace: Path,
    builder: BuilderName,
    options: BuildOptions,
    *,
    environment: Mapping[str, str] | None = None,
) -> Plan:
    """Copy Dockerfile and context into `workspace`, by the ignore rules of `builder`.

    The Dockerfile goes to `workspace/dockerfile/` under its own name, with a `NAME.dockerignore` that leaves nothing
    out, so that the context's own ignore file is not applied once more. Where it is part of the context too,
    `context.dockerfile_path` names it there (the classic engine reads it from the archive). Modes and times are kept
    (nanoseconds in the folder, whole seconds in the archive), owners, extended attributes and hardlinks are not; a FIFO
    is kept without being opened, sockets and devices are left out with a warning. `environment` gives the values of
    build arguments without one; by default it is the process's.

    Raises DockerfileError, UsageError for a context or a file in it that cannot be read, InputsChangedError for what
    moves meanwhile, ResourceError for what cannot be written.
    """
    raw = read_dockerfile(dockerfile_path)
    dockerfile = parse_dockerfile(raw, str(dockerfile_path))
    references = external_images(
        dockerfile,
        options.target,
        options.build_args,
        options.platform,
        environment=os.environ if environment is None else environment,
        every_stage=builder == "docker",
    )
    root = _context_root(context_path)
    rules = load_ignore_rules(builder, dockerfile_path, context_path)
    copy = write_dockerfile(raw, dockerfile_path.name, workspace / "dockerfile")
    archive, directory = workspace / "context.tar", workspace / "context"
    ignore_copy = None if rules.source is None else _write_ignore_file(rules.raw, workspace / "context.ignore")
    copied = copy_context(_walk(root, rules, workspace), archive, directory, workspace / "context.records")
    _check_same(raw, dockerfile_path, rules, builder)
    return Plan(
        workspace=workspace,
        dockerfile=FrozenDockerfile(
            path=str(dockerfile_path), copy=copy, raw=raw, digest=digest_bytes(raw), syntax=dockerfile.syntax
        ),
        context=FrozenContext(
            path=str(context_path),
            archive=archive,
            directory=directory,
            digest=copied.digest,
            archive_digest=copied.archive_digest,
            files=copied.files,
            bytes=copied.bytes,
            dockerfile_path=_path_in_context(raw, dockerfile_path, context_path, directory),
            ignore_file=None if rules.source is None else str(rules.source),
            ignore_patterns=rules.patterns,
            ignore_copy=ignore_copy,
            signature=copied.signature,
        ),
        options=options,
        references=references,
        instructions=dockerfile.instructions,
        warnings=copied.warnings,
        builder=builder,
    )


def copy_context_alone(dockerfile_path: Path, context_path: Path, workspace: Path, builder: BuilderName) -> Copied:
    """Copy a context to `workspace/context` as `freeze` does, without a look at what the Dockerfile says.

    Raises UsageError for a context that cannot be read, InputsChangedError, ResourceError.
    """
    rules = load_ignore_rules(builder, dockerfile_path, context_path)
    walk = _walk(_context_root(context_path), rules, workspace)
    return copy_context(walk, workspace / "context.tar", workspace / "context", workspace / "context.records")


def unchanged(plan: Plan, dockerfile_path: Path, context_path: Path) -> bool:
    """Tell whether the originals are still as they were frozen, by status alone: the context's content is not read."""
    source = plan.context.ignore_file
    rules = reload_ignore_rules(None if source is None else Path(source), plan.builder)
    if rules is None or rules.patterns != plan.context.ignore_patterns:
        return False
    try:
        if read_dockerfile(dockerfile_path) != plan.dockerfile.raw:
            return False
        return sign(_walk(_context_root(context_path), rules, plan.workspace)) == plan.context.signature
    except (UsageError, NoVerdictError):
        return False


def _context_root(context: Path) -> bytes:
    if context.is_dir():
        return os.fsencode(context)
    if context.exists():
        raise UsageError(f"{context}: the context is not a directory")
    raise UsageError(f"{context}: there is no such context directory")


def _walk(root: bytes, rules: IgnoreRules, workspace: Path) -> Walk:
    """Walk the context without the run's own workspace, which may lie in it."""
    try:
        status = workspace.stat()
    except FileNotFoundError:
        return Walk(root=root, rules=rules)
    return Walk(root=root, rules=rules, skipped=(status.st_dev, status.st_ino))


def write_dockerfile(raw: bytes, name: str, folder: Path) -> Path:
    """Write a Dockerfile into a new folder, beside an ignore file that leaves nothing out. Raises ResourceError."""
    copy = folder / name
    try:
        folder.mkdir(mode=0o700)
        copy.write_bytes(raw)
        copy.with_name(name + ".dockerignore").write_bytes(_NO_PATTERNS)
    except OSError as error:
        raise ResourceError(f"the Dockerfile's copy cannot be written: {error.strerror}") from None
    return copy


def _write_ignore_file(raw: bytes, copy: Path) -> Path:
    try:
        copy.write_bytes(raw)
    except OSError as error:
        raise ResourceError(f"the ignore file's copy cannot be written: {error.strerror}") from None
    return copy


def _check_same(raw: bytes, dockerfile: Path, rules: IgnoreRules, builder: BuilderName) -> None:
    """Hold the two files that were read before the context against what they are now."""
    again = reload_ignore_rules(rules.source, builder)
    if again is None or again.patterns != rules.patterns:
        raise changed(os.fsencode(rules.source or dockerfile), b"")
    try:
        same = read_dockerfile(dockerfile) == raw
    except DockerfileError:
        same = False
    if not same:
        raise InputsChangedError(f"{dockerfile} changed while the context was being frozen")


def _path_in_context(raw: bytes, dockerfile: Path, context: Path, frozen: Path) -> str | None:
    """Give the Dockerfile's path within the context, None when it lies outside, was left out, or is no plain file."""
    place = dockerfile.parent.resolve() / dockerfile.name
    root = context.resolve()
    if not place.is_relative_to(root):
        return None
    relative = place.relative_to(root)
    copy = frozen / relative
    if copy.is_symlink() or not copy.is_file():
        return None
    return relative.as_posix() if copy.read_bytes() == raw else None
