"""The entry point: arguments in, exit code out; every error becomes two lines on stderr."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Sequence

from verifier.cli.error_lines import print_error
from verifier.cli.in_force import parse_with_settings
from verifier.cli.interrupts import interruptible
from verifier.errors import ResourceError, VerifyBuildError


def run() -> None:
    """Run the command of `sys.argv` and exit with its code."""
    _speak_utf8()
    sys.exit(main(sys.argv[1:]))


def _speak_utf8() -> None:
    """Write UTF-8 whatever the locale says: a report is the same bytes everywhere, and no locale can stop it."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")


def main(argv: Sequence[str]) -> int:
    """Run one command and give its exit code (see `verify-build --help`)."""
    try:
        return _run(argv)
    except VerifyBuildError as error:
        print_error(error.message, error.hint)
        return error.exit_code
    except BrokenPipeError:
        # Whoever read stdout has gone; keep the interpreter from complaining about it once more at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 3
    except (OSError, MemoryError) as error:
        full = ResourceError.from_system(error)
        print_error(full.message, full.hint)
        return ResourceError.exit_code


def _run(argv: Sequence[str]) -> int:
    arguments, settings = parse_with_settings(argv)
    arguments.tolerances = () if settings is None else settings.tolerances
    with interruptible():
        from verifier.cli import commands  # noqa: PLC0415  # the pipeline takes long to import: not for --help

        return commands.COMMANDS[arguments.command](arguments)


if __name__ == "__main__":
    run()
