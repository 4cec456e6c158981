"""A real registry that wants a password, for as long as a test needs it."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from tests.machine import ROOT, unavailable

USER = "someone"
PASSWORD = "p4ssw0rd-of-tests"
_HASHED = "$2b$05$abcdefghijklmnopqrstuuPar2a78H4dGKvkFzRf5ruVw2OhG.5zm"


@contextlib.contextmanager
def run_private_registry(folder: Path) -> Iterator[str]:
    """Run it on a free port of loopback, with its files in `folder`; give its address."""
    cache = Path(os.environ.get("VERIFY_BUILD_CACHE") or ROOT / ".cache")
    unpacked = cache / "engines" / "registry" / "usr" / "bin"
    program = shutil.which("docker-registry", path=f"{os.environ['PATH']}:{unpacked}")
    if program is None:
        unavailable("docker-registry is not installed")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    (folder / "htpasswd").write_text(f"{USER}:{_HASHED}\n", encoding="ascii")
    config = folder / "config.yml"
    config.write_text(
        "version: 0.1\nlog: {level: error}\n"
        f"storage:\n  filesystem: {{rootdirectory: {folder}/storage}}\n"
        f"http: {{addr: '{address}', secret: of one run}}\n"
        f"auth:\n  htpasswd: {{realm: tests, path: {folder}/htpasswd}}\n",
        encoding="utf-8",
    )
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([str(program), "serve", config], stdout=log, stderr=log)
    try:
        _await(address, process)
        yield address
    finally:
        process.terminate()
        process.wait(20)


def _await(address: str, process: subprocess.Popen[bytes]) -> None:
    host, _, port = address.partition(":")
    for _ in range(100):
        with contextlib.suppress(OSError), socket.create_connection((host, int(port)), timeout=1):
            return
        assert process.poll() is None, "the private registry ended at once"
        time.sleep(0.1)
    raise AssertionError("the private registry does not answer")
