"""Look at the source of a report as it is now: whether it is the one that was built, and whether a commit has all."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from verifier.clients.git import Checkout
from verifier.errors import VerifyBuildError
from verifier.model.build import BuilderName
from verifier.model.report import Report
from verifier.model.sign_off import SourceCommit
from verifier.oci.digest import digest_bytes
from verifier.plan import read_dockerfile
from verifier.plan.freeze import copy_context_alone
from verifier.reports.escape import escape_path
from verifier.workspace import open_workspace

_NAMED: Final = 3
"""Paths that are named of those that are in no commit."""


def look_at_source(
    report: Report, dockerfile: Path | None, context: Path | None, environment: Mapping[str, str]
) -> SourceCommit:
    """Compare the checkout around the Dockerfile with the report. Raises NoVerdictError when git takes too long."""
    inputs = report.inputs
    if inputs is None:
        return SourceCommit(state="unknown", unknown="two images were compared: no source is known")
    path = dockerfile or Path(inputs.dockerfile_path)
    folder = context or path.parent
    changed: tuple[str, ...] = ()
    files: frozenset[bytes] = frozenset()
    try:
        if digest_bytes(read_dockerfile(path)) != inputs.dockerfile_digest:
            # A report is foreign: its path alone is no reason to copy the folder it leads to.
            changed = (f"{path} is not the Dockerfile of the report",)
        else:
            with open_workspace() as workspace:
                copied = copy_context_alone(path, folder, workspace, _builder(report))
                files = frozenset(_files(os.fsencode(workspace / "context")))
            if copied.digest != inputs.context_digest:
                changed = (f"{folder} is not the context of the report (see --context)",)
    except VerifyBuildError as error:
        return SourceCommit(state="unknown", unknown=f"the source cannot be looked at: {error.message}")
    return _of_checkout(path, folder, files, changed, environment)


def _builder(report: Report) -> BuilderName:
    """Name the builder by whose rules the context was read."""
    return "buildkit" if report.second is None or report.second.builder is None else report.second.builder.name


def _of_checkout(
    dockerfile: Path, context: Path, files: frozenset[bytes], changed: tuple[str, ...], environment: Mapping[str, str]
) -> SourceCommit:
    checkout = Checkout(dockerfile.parent, environment)
    commit, tracked = checkout.head(), checkout.tracked()
    if commit is None or tracked is None:
        message = f"{dockerfile.parent} is in no git checkout with a commit"
        return SourceCommit(state="unknown", changed=changed, unknown=message)
    dirty = []
    if not checkout.is_clean():
        dirty.append(f"the checkout is not as committed in {commit[:12]}")
    if os.fsencode(dockerfile.name) not in tracked:
        dirty.append(f"{dockerfile} is in no commit")
    of_context = Checkout(context, environment).tracked()
    dirty += _untracked(files, of_context if of_context is not None else frozenset())
    return SourceCommit(
        state="dirty" if dirty else "clean",
        commit=commit,
        described=checkout.described(),
        remote=checkout.remote(),
        dirty=tuple(dirty),
        changed=changed,
    )


def _untracked(files: frozenset[bytes], tracked: frozenset[bytes]) -> list[str]:
    """Name what the image is made from and git ignores: a clean checkout does not have it."""
    missing = sorted(path for path in files - tracked if not path.startswith(b".git/") and path != b".git")
    if not missing:
        return []
    names = ", ".join(escape_path(path) for path in missing[:_NAMED])
    return [f"{len(missing)} of the context's files are in no commit, such as {names}"]


def _files(root: bytes) -> Iterator[bytes]:
    """Walk files and symbolic links below a folder, by paths relative to it."""
    with os.scandir(root) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                yield from (entry.name + b"/" + path for path in _files(entry.path))
            else:
                yield entry.name
