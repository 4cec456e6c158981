"""Where a key's passphrase comes from: a file, the environment, or the one who sits at the terminal."""

from __future__ import annotations

import getpass
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from verifier.errors import UsageError

VARIABLES: Final = ("VERIFY_BUILD_PASSPHRASE", "COSIGN_PASSWORD")
MAX_PASSPHRASE_BYTES: Final = 4096


def passphrase_from(path: str | None, environment: Mapping[str, str]) -> Callable[[], bytes]:
    """Give what asks for a passphrase, once a key turns out to need one."""

    def ask() -> bytes:
        if path is not None:
            return _from_file(Path(path))
        for variable in VARIABLES:
            if variable in environment:
                return environment[variable].encode("utf-8", "surrogateescape")
        if not sys.stdin.isatty():
            raise UsageError(
                "the key is encrypted, and no passphrase is given",
                f"set {VARIABLES[0]}, give --passphrase-file FILE, or run this in a terminal",
            )
        return getpass.getpass("passphrase of the key: ").encode("utf-8", "surrogateescape")

    return ask


def _from_file(path: Path) -> bytes:
    """Read the first line, without its end."""
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_PASSPHRASE_BYTES + 1)
    except OSError as error:
        raise UsageError(f"{path}: the passphrase cannot be read: {error.strerror}") from None
    if len(raw) > MAX_PASSPHRASE_BYTES:
        raise UsageError(f"{path}: a passphrase of more than {MAX_PASSPHRASE_BYTES} bytes is none")
    return raw.split(b"\n", 1)[0].removesuffix(b"\r")
