"""What we freeze is what a real Buildah would have taken: the same build from the original and from the copy."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from verifier.builders.containers_options import inputs
from verifier.model.plan import BuildOptions
from verifier.plan import freeze

pytestmark = [
    pytest.mark.buildah,
    pytest.mark.skipif(shutil.which("buildah") is None or os.geteuid() != 0, reason="needs Buildah and root"),
]

TREE = ("a/a.log", "a/b/x.log", "b/a/keep", "b/c", "bb/a", "x.log", "c/d/e/f", "é", ".hidden", "#odd")


def _buildah(storage: Path, *arguments: str | Path) -> str:
    where = ["--storage-driver", "vfs", "--root", str(storage / "root"), "--runroot", str(storage / "run")]
    done = subprocess.run(["buildah", *where, *map(str, arguments)], check=True, capture_output=True, timeout=120)
    return done.stdout.decode().strip()


def _contents(storage: Path, *build: str | Path) -> dict[str, tuple[int, int | None, bytes | None]]:
    """Build, and list what the image holds: mode, whole seconds of the mtime (None: the builder's clock), content."""
    begun = int(time.time())
    image = _buildah(storage, "bud", "-q", "--no-cache", "--isolation", "chroot", *build)
    container = _buildah(storage, "from", image)
    root = Path(_buildah(storage, "mount", container))
    found = {}
    for path in root.rglob("*"):
        status = path.lstat()
        content = path.read_bytes() if path.is_file() else None
        # a folder that the ignore file leaves out, with something in it that it lets in, is Buildah's own
        mtime = None if status.st_mtime >= begun else int(status.st_mtime)
        found[str(path.relative_to(root))] = (status.st_mode, mtime, content)
    _buildah(storage, "rm", container)
    return found


@pytest.mark.parametrize(
    ("name", "patterns"),
    [
        (".containerignore", "**/*.log\n!a\n"),
        (".dockerignore", "*\n!**/a\n!.hidden\n"),
        (".dockerignore", "*\n!b/a\n"),
        ("Dockerfile.dockerignore", "b\n #odd\nc/*/e\n"),
        ("Dockerfile.containerignore", ".*\n!.hidden\nDockerfile*\n"),
    ],
)
def test_buildah_takes_the_same_from_the_copy(tmp_path: Path, name: str, patterns: str) -> None:
    context, workspace = tmp_path / "context", tmp_path / "workspace"
    workspace.mkdir()
    for place in TREE:
        path = context / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(place)
    (context / "b" / "c").chmod(0o4750)
    (context / "Dockerfile").write_text("FROM scratch\nCOPY . /\n")
    (context / name).write_text(patterns)
    for path in (context, *context.rglob("*")):
        os.utime(path, (1_000_000_000, 1_000_000_000))
    expected = _contents(tmp_path, context)
    plan = freeze(context / "Dockerfile", context, workspace, "buildah", BuildOptions())
    assert plan.context.ignore_file == str(context / name)
    found = _contents(tmp_path, *inputs(plan))
    assert found == expected
    assert expected
