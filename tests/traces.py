"""What a run could leave behind: looked at before and after it."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

LISTINGS = {
    "docker": (
        ("docker", "ps", "--all", "--quiet", "--no-trunc"),
        ("docker", "image", "ls", "--all", "--no-trunc", "--digests", "--format", "{{.ID}} {{.Repository}}:{{.Tag}}"),
        ("docker", "volume", "ls", "--quiet"),
        ("docker", "network", "ls", "--format", "{{.Name}}"),
        ("docker", "buildx", "ls", "--format", "{{.Name}}"),
    ),
    "containers": (
        ("buildah", "containers", "--all", "--format", "{{.ContainerName}}"),
        ("buildah", "images", "--all", "--no-trunc", "--format", "{{.ID}} {{.Name}}:{{.Tag}}"),
        ("podman", "ps", "--all", "--external", "--no-trunc", "--format", "{{.Names}}"),
        ("podman", "volume", "ls", "--quiet"),
    ),
}


def find_traces(environment: Mapping[str, str]) -> dict[str, frozenset[str]]:
    """List containers, images, volumes, builders, temporary files and processes, as the environment's stores have them.

    The engine is looked at when the environment names one, containers-storage when it names a storage of its own.
    """
    traces = {}
    kinds = [("docker", "DOCKER_HOST"), ("containers", "CONTAINERS_STORAGE_CONF")]
    for kind, variable in kinds:
        for command in LISTINGS[kind] if variable in environment else ():
            done = subprocess.run(
                command, capture_output=True, text=True, check=False, env=dict(environment), timeout=120
            )
            # buildx before 0.14 knows no --format here; its builders are files below DOCKER_CONFIG, listed below.
            traces[" ".join(command[:3])] = frozenset(done.stdout.splitlines() if done.returncode == 0 else ())
    if config := environment.get("DOCKER_CONFIG"):
        traces["builders"] = frozenset(map(str, Path(config, "buildx", "instances").glob("*")))
    # Where TMPDIR is the test's own folder, whatever is in there is the run's; the common one is other people's, too.
    scratch = environment.get("TMPDIR")
    found = Path(scratch or tempfile.gettempdir()).glob("*" if scratch else "verify-build-*")
    traces["temporary files"] = frozenset(map(str, found))
    traces["processes"] = frozenset(_children())
    return traces


@contextmanager
def nothing_left(environment: Mapping[str, str]) -> Iterator[None]:
    """Hold that what runs inside leaves nothing behind: what is new afterwards is told by kind."""
    before = find_traces(environment)
    yield
    after = find_traces(environment)
    left = {kind: sorted(after[kind] - before[kind]) for kind in after if after[kind] - before[kind]}
    lost = {kind: sorted(before[kind] - after[kind]) for kind in after if kind != "processes"}
    assert not left, f"left behind: {left}"
    assert not any(lost.values()), f"taken away: {lost}"


def _children() -> Iterator[str]:
    """Name this process's descendants, and orphans of its session."""
    parents: dict[int, tuple[int, int, str]] = {}
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            stat = (entry / "stat").read_text("utf-8", "replace")
            command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace").strip()
        except OSError:
            continue
        parent, _, session = map(int, stat.rsplit(") ", 1)[1].split()[1:4])
        parents[int(entry.name)] = parent, session, command
    mine = os.getsid(0)
    for number, (parent, session, command) in parents.items():
        ancestor = number
        while ancestor in parents and ancestor != os.getpid():
            ancestor = parents[ancestor][0]
        # A zombie of ours has no command line: it has ended, and waits only to be collected.
        orphan = parent == 1 and session == mine and session != 1
        if command and number != os.getpid() and (ancestor == os.getpid() or orphan):
            yield f"{number} {command}"
