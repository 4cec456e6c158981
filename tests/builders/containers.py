"""A containers-storage of the tests' own with a small base image, and plans written by hand."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from verifier.dockerfile.parse import parse_dockerfile
from verifier.dockerfile.stages import external_images
from verifier.model.plan import BuildOptions, FrozenContext, FrozenDockerfile, Plan
from verifier.oci.digest import Digest, digest_bytes, encoded_of

BASE = "docker.io/library/tiny:1"
APPLETS = ("cat", "chmod", "date", "echo", "env", "hostname", "ln", "ls", "mkdir", "rm", "sh", "sleep", "touch", "wc")


class Recorder:
    """A listener that keeps what it hears; `interrupt_at` raises KeyboardInterrupt at a line that contains it."""

    def __init__(self, interrupt_at: str | None = None) -> None:
        self.lines: list[str] = []
        self.steps: list[tuple[int, int | None, str]] = []
        self._interrupt_at = interrupt_at

    def output(self, line: str) -> None:
        self.lines.append(line)
        if self._interrupt_at and self._interrupt_at in line and not line.startswith(("STEP", "[")):
            raise KeyboardInterrupt

    def step(self, number: int, total: int | None, text: str) -> None:
        self.steps.append((number, total, text))


def buildah(*arguments: str, **environment: str) -> str:
    done = subprocess.run(
        ["buildah", *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        env={**os.environ, **environment},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def write_storage_conf(folder: Path) -> Path:
    """The driver is what most users have; rootless, the one that needs nothing of the machine."""
    driver = "overlay" if os.geteuid() == 0 else "vfs"
    conf = folder / "storage.conf"
    conf.write_text(
        f'[storage]\ndriver = "{driver}"\ngraphroot = "{folder}/root"\nrunroot = "{folder}/run"\n', encoding="utf-8"
    )
    return conf


def make_base(name: str = BASE, *, marker: str = "one", onbuild: tuple[str, ...] = ()) -> str:
    """Make an image of a static busybox; `marker` is written to /marker. Gives its ID."""
    container = buildah("from", "scratch")
    busybox = shutil.which("busybox")
    assert busybox
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        (root / "bin").mkdir()
        shutil.copy(busybox, root / "bin" / "busybox")
        for applet in APPLETS:
            (root / "bin" / applet).symlink_to("busybox")
        (root / "marker").write_text(marker + "\n", encoding="utf-8")
        buildah("copy", container, folder, "/")
    triggers = [part for trigger in onbuild for part in ("--onbuild", trigger)]
    buildah("config", "--env", "PATH=/bin", "--cmd", "/bin/sh", *triggers, container)
    image = buildah("commit", "--quiet", "--format", "docker" if onbuild else "oci", container, name)
    buildah("rm", container)
    return image


def write_plan(folder: Path, dockerfile: str, files: dict[str, str] | None = None, **options: Any) -> Plan:
    """Freeze by hand what `verifier.plan` freezes: a Dockerfile and a context folder below `folder`."""
    raw = dockerfile.encode()
    copy = folder / "dockerfile" / "Dockerfile"
    copy.parent.mkdir(parents=True)
    copy.write_bytes(raw)
    context = folder / "context"
    context.mkdir()
    for path, text in (files or {}).items():
        (context / path).parent.mkdir(parents=True, exist_ok=True)
        (context / path).write_text(text, encoding="utf-8")
    parsed = parse_dockerfile(raw, "Dockerfile")
    chosen = BuildOptions(**options)
    none = Digest("sha256:" + hashlib.sha256(b"").hexdigest())
    return Plan(
        workspace=folder,
        dockerfile=FrozenDockerfile(
            path="Dockerfile", copy=copy, raw=raw, digest=digest_bytes(raw), syntax=parsed.syntax
        ),
        context=FrozenContext(
            path=".", archive=folder / "none.tar", directory=context, digest=none, archive_digest=none, files=0, bytes=0
        ),
        options=chosen,
        references=external_images(parsed, chosen.target, chosen.build_args, chosen.platform),
        instructions=parsed.instructions,
    )


def read_layout(location: str) -> tuple[str, dict[str, Any], dict[str, Any]]:
    """Read an OCI layout with one image: the manifest's digest, the manifest, the config."""
    layout = Path(location.removeprefix("oci:"))
    index = json.loads((layout / "index.json").read_text("utf-8"))
    (entry,) = index["manifests"]

    def blob(digest: str) -> Any:
        return json.loads((layout / "blobs" / "sha256" / encoded_of(Digest(digest))).read_text("utf-8"))

    manifest = blob(entry["digest"])
    return entry["digest"], manifest, blob(manifest["config"]["digest"])


def mounts() -> set[str]:
    return {line.split(" ")[4] for line in Path("/proc/self/mountinfo").read_text("utf-8").splitlines()}


def processes_in(folder: Path) -> list[int]:
    """Find processes whose own mounts name a folder: containers of a storage that stands there."""
    found = []
    for table in Path("/proc").glob("[0-9]*/mountinfo"):
        with contextlib.suppress(OSError):
            root = table.read_text("utf-8", "replace").split("\n", 1)[0]
            if f"{folder}/" in root:
                found.append(int(table.parent.name))
    return found
