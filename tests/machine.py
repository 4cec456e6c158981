"""The real builders and the real registry that tests talk to, started on demand through the scripts of `setup/`."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SETUP = ROOT / "setup"
STARTED = "VERIFY_BUILD_TEST_STARTED"
"""Names a file that lists what this test run has started, for whoever ends the run."""

MARKS = {
    "docker": pytest.mark.engine,
    "buildkit": pytest.mark.buildkit,
    "buildah": pytest.mark.buildah,
    "podman": pytest.mark.podman,
}
"""What a test is marked with that needs the builder."""

USUAL_ENGINES = {"docker": "20.10", "buildkit": "28.5-containerd"}
"""The engine that a builder is tried on unless another is named."""

ENGINES = ("20.10", "26.1-containerd", "26.1-overlay2", "28.5-containerd", "28.5-overlay2")


def unavailable(reason: str) -> None:
    """Skip the test; in CI, where everything has to be there, fail it."""
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


def run_setup(script: str, *arguments: str, environment: Mapping[str, str] | None = None) -> str:
    """Run a script of `setup/` and give its output; a failure makes the thing unavailable, in the script's words."""
    done = subprocess.run(
        [SETUP / script, *arguments], capture_output=True, text=True, check=False, timeout=500, env=environment
    )
    if done.returncode != 0:
        unavailable(f"setup/{script} {' '.join(arguments)}: {done.stderr.strip()}")
    return done.stdout


def note_started(*command: str) -> None:
    """Remember the command that will stop what has just been started."""
    if path := os.environ.get(STARTED):
        with Path(path).open("a", encoding="utf-8") as stream:
            stream.write(shlex.join(command) + "\n")


def stop_started() -> None:
    """Stop what this run has started; what ran before it stays."""
    path = Path(os.environ.pop(STARTED))
    for line in sorted(set(path.read_text("utf-8").splitlines())):
        script, *arguments = shlex.split(line)
        subprocess.run([SETUP / script, *arguments], check=False, capture_output=True, timeout=120)
    path.unlink()


class Engines(Mapping[str, Mapping[str, str]]):
    """Environments by engine name; asking for one starts that engine and gives it the base images."""

    def __init__(self, scratch: Path) -> None:
        """Temporary files of what runs in these environments go to folders below `scratch`."""
        self._scratch = scratch
        self._environments: dict[str, dict[str, str]] = {}

    def __iter__(self) -> Iterator[str]:
        return iter(ENGINES)

    def __len__(self) -> int:
        return len(ENGINES)

    def __getitem__(self, name: str) -> Mapping[str, str]:
        if name not in ENGINES:
            raise KeyError(name)
        if name not in self._environments:
            if " running " not in run_setup("engines.sh", "status", name):
                note_started("engines.sh", "stop", name)
            run_setup("engines.sh", "start", name)
            environment = dict(os.environ)
            for line in run_setup("engines.sh", "env", name).splitlines():
                variable, value = shlex.split(line)[1].split("=", 1)
                environment[variable] = value
            run_setup("base_images.py", "docker", environment=environment)
            environment["TMPDIR"] = str(self._scratch / name)
            Path(environment["TMPDIR"]).mkdir(parents=True)
            self._environments[name] = environment
        return self._environments[name]


def make_containers_storage(folder: Path, driver: str = "overlay") -> dict[str, str]:
    """Give an environment in which Buildah, Podman and Skopeo have a storage of their own below `folder`."""
    for program in ("buildah", "podman"):
        if shutil.which(program) is None:
            unavailable(f"{program} is not installed")
    conf = folder / "storage.conf"
    conf.write_text(
        f'[storage]\ndriver = "{driver}"\ngraphroot = "{folder}/root"\nrunroot = "{folder}/run"\n', encoding="utf-8"
    )
    scratch = folder / "tmp"
    scratch.mkdir()
    return {**os.environ, "CONTAINERS_STORAGE_CONF": str(conf), "TMPDIR": str(scratch)}


def remove_containers_storage(folder: Path, environment: Mapping[str, str]) -> None:
    """Remove such a storage with its mounts."""
    for command in (("rm", "--all"), ("rmi", "--all", "--force")):
        subprocess.run(["buildah", *command], check=False, capture_output=True, env=environment, timeout=120)
    mounts = [line.split()[4] for line in Path("/proc/self/mountinfo").read_text("utf-8").splitlines()]
    for mount in sorted((path for path in mounts if path.startswith(f"{folder}/")), reverse=True):
        subprocess.run(["umount", mount], check=False, capture_output=True)
    shutil.rmtree(folder, ignore_errors=True)
