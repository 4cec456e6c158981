"""Remove a private storage again, and say what stays."""

from __future__ import annotations

import contextlib
import os
import re
from pathlib import Path

from verifier.clients.containers import ASK_SECONDS, COPY_SECONDS, ContainersCli, PrivateStorage
from verifier.clients.process import run
from verifier.errors import NoVerdictError


def discard(cli: ContainersCli, storage: PrivateStorage) -> tuple[str, ...]:
    """Remove a private storage: containers, mounts, files. Gives what could not be removed, in words."""
    _end_containers(cli, storage)
    with contextlib.suppress(NoVerdictError):
        cli.remove_containers(storage)
    left = []
    for folder in dict.fromkeys((storage.run_root, storage.home)):
        if folder.exists():
            left += _remove_tree(cli, folder)
    return tuple(left)


def _end_containers(cli: ContainersCli, storage: PrivateStorage) -> None:
    """End what an interrupted build left running: a container that is the first process of its own ignores SIGTERM.

    A build names its runtime's containers after their bundles, which are folders in our own TMPDIR.
    """
    for bundle in storage.temporary.glob("buildah[0-9]*"):
        for runtime in storage.runtimes:
            argv = [runtime, "delete", "--force", f"buildah-{bundle.name}"]
            with contextlib.suppress(NoVerdictError):
                if os.geteuid() == 0:
                    run(argv, timeout=ASK_SECONDS)
                else:
                    cli.unshare(argv)


def _remove_tree(cli: ContainersCli, folder: Path) -> list[str]:
    for mount in _mounts_under(folder):
        run(["umount", mount], timeout=ASK_SECONDS)
    mounted = _mounts_under(folder)
    if mounted:  # removing through a live mount could reach files that are not ours
        return [f"mount {mount}" for mount in mounted]
    argv = ["rm", "-rf", "--one-file-system", "--", str(folder)]
    run(argv, timeout=COPY_SECONDS)
    if folder.exists() and os.geteuid() != 0:
        with contextlib.suppress(NoVerdictError):
            cli.unshare(argv)
    return [f"folder {folder}"] if folder.exists() else []


def _mounts_under(folder: Path) -> list[str]:
    """List mount points below a folder, the deepest first."""
    prefix = f"{folder.resolve()}/"
    table = Path("/proc/self/mountinfo").read_text("utf-8", "surrogateescape")
    points = (line.split(" ")[4] for line in table.splitlines())
    unescaped = (re.sub(r"\\([0-7]{3})", lambda match: chr(int(match[1], 8)), point) for point in points)
    return sorted((point for point in unescaped if point.startswith(prefix)), reverse=True)
