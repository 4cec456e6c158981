"""Where a key's passphrase comes from: a file, the environment, or the one who sits at the terminal."""

from __future__ import annotations

import getpass
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from verifier.errors import UsageError

VARIABLES: Final = ("VERIFY_BUILD_PASSPHRASE", "COSIGN_PASSWORD")
MAX_PASSPHRASE_BYTES: Final = 4096
_TERMINAL: Final = "/dev/tty"
"""The terminal that the process belongs to, wherever its streams lead."""


def passphrase_from(path: str | None, environment: Mapping[str, str]) -> Callable[[], bytes]:
    """Give what asks for a passphrase, once a key turns out to need one."""

    def ask() -> bytes:
        if path is not None:
            return _from_file(Path(path))
        for variable in VARIABLES:
            if variable in environment:
                return environment[variable].encode("utf-8", "surrogateescape")
        if not _has_terminal():
            raise UsageError(
                "the key is encrypted, and no passphrase is given",
                f"set {VARIABLES[0]}, give --passphrase-file FILE, or run this in a terminal",
            )
        return _prompted()

    return ask


def _has_terminal() -> bool:
    """Tell whether somebody can be asked: also where stdin is a report that is piped in."""
    try:
        os.close(os.open(_TERMINAL, os.O_RDWR | os.O_NOCTTY))
    except OSError:
        return sys.stdin is not None and sys.stdin.isatty()
    return True


def _prompted() -> bytes:
    """Ask on the terminal, without an echo. Raises UsageError where the answer is the end of input."""
    try:
        return getpass.getpass("passphrase of the key: ").encode("utf-8", "surrogateescape")
    except KeyboardInterrupt:
        sys.stderr.write("\n")  # what is said next must not stand behind the prompt
        raise
    except (EOFError, UnicodeDecodeError):
        sys.stderr.write("\n")
        raise UsageError("no passphrase was typed that could be read") from None


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
