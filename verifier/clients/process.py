"""Run other programs: argv lists, no shell, bounded output, a time limit, and nothing left running.

Every program is put into a process group of its own and the whole group is ended when we leave, whatever the reason:
a finished call, a time limit, Ctrl-C, an error in the caller's own code.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from verifier.errors import BuilderUnavailableError, NoVerdictError
from verifier.uninterrupted import uninterrupted

MAX_OUTPUT: Final = 64 * 1024 * 1024
"""Bytes of output that `run` keeps of each stream; a program that writes more is ended."""

MAX_LINE: Final = 64 * 1024
"""Bytes of one line that `stream` hands on; a longer line is cut into pieces of this size."""

_GRACE_SECONDS: Final = 10.0
_READ_SIZE: Final = 64 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """What a program left: its exit status (negative for a signal) and what it wrote."""

    status: int
    stdout: bytes
    stderr: bytes

    @property
    def text(self) -> str:
        """Standard output as text, surrounding white space removed."""
        return self.stdout.decode("utf-8", "replace").strip()

    @property
    def complaint(self) -> str:
        """The last non-empty line of standard error, for messages."""
        lines = [line.strip() for line in self.stderr.decode("utf-8", "replace").splitlines() if line.strip()]
        return lines[-1] if lines else f"exit status {self.status}"


@contextlib.contextmanager
def limited_to(cpuset: str | None) -> Iterator[None]:
    """Let programs that this thread starts within run on one CPU (its number) alone; on all where it is None."""
    if cpuset is None:
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {int(cpuset)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def run(
    argv: Sequence[str],
    *,
    timeout: float,
    environment: Mapping[str, str] | None = None,
    input_bytes: bytes = b"",
    cwd: Path | None = None,
) -> Finished:
    """Run a program to its end and keep what it writes.

    `timeout` is in seconds; `environment` is added to ours; `input_bytes` must fit a pipe (64 KiB). A non-zero status
    is the caller's to judge. Raises BuilderUnavailableError when the program is not installed, NoVerdictError at the
    time limit or past MAX_OUTPUT.
    """
    kept: dict[str, bytearray] = {"stdout": bytearray(), "stderr": bytearray()}

    def keep(name: str, data: bytes) -> None:
        kept[name] += data
        if len(kept[name]) > MAX_OUTPUT:
            raise NoVerdictError(f"{argv[0]} wrote more than {MAX_OUTPUT} bytes")

    with _started(argv, environment, cwd, input_bytes) as process:
        status = _pump(process, keep, timeout)
    return Finished(status=status, stdout=bytes(kept["stdout"]), stderr=bytes(kept["stderr"]))


def stream(
    argv: Sequence[str],
    on_line: Callable[[str, bytes], None],
    *,
    timeout: float | None,
    environment: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    max_line: int = MAX_LINE,
) -> int:
    """Run a program and hand on each line as it comes; give its exit status.

    `on_line` gets `stdout` or `stderr` and the line without its newline; a line over `max_line` bytes comes in pieces.
    Raises as `run` does.
    """
    pending = {"stdout": bytearray(), "stderr": bytearray()}

    def split(name: str, data: bytes) -> None:
        buffer = pending[name]
        buffer += data
        *lines, rest = bytes(buffer).split(b"\n")
        while len(rest) > max_line:
            lines.append(rest[:max_line])
            rest = rest[max_line:]
        buffer[:] = rest
        for line in lines:
            on_line(name, line.removesuffix(b"\r"))

    with _started(argv, environment, cwd, b"") as process:
        status = _pump(process, split, timeout)
    for name, rest in pending.items():
        if rest:
            on_line(name, bytes(rest))
    return status


@contextlib.contextmanager
@uninterrupted
def _started(
    argv: Sequence[str], environment: Mapping[str, str] | None, cwd: Path | None, input_bytes: bytes
) -> Iterator[subprocess.Popen[bytes]]:
    try:
        process = subprocess.Popen(
            list(argv),
            stdin=subprocess.PIPE if input_bytes else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, **environment} if environment else None,
            cwd=cwd,
            start_new_session=True,
        )
    except FileNotFoundError:
        raise BuilderUnavailableError(f"{argv[0]} is not installed") from None
    except OSError as error:
        raise BuilderUnavailableError(f"{argv[0]} cannot be started: {error.strerror}") from None
    try:
        with process:
            if process.stdin is not None:
                with contextlib.suppress(BrokenPipeError):
                    process.stdin.write(input_bytes)
                with contextlib.suppress(BrokenPipeError):
                    process.stdin.close()  # which writes what is still in its buffer
            try:
                yield process
            finally:
                _end(process)
    finally:
        _end(process)


def _pump(process: subprocess.Popen[bytes], take: Callable[[str, bytes], None], timeout: float | None) -> int:
    deadline = None if timeout is None else time.monotonic() + timeout
    with selectors.DefaultSelector() as selector:
        for name, pipe in (("stdout", process.stdout), ("stderr", process.stderr)):
            if pipe is not None:
                selector.register(pipe, selectors.EVENT_READ, (name, pipe))
        while selector.get_map():
            left = None if deadline is None else deadline - time.monotonic()
            if left is not None and left <= 0:
                raise _over_time(process, timeout)
            for key, _ in selector.select(left):
                name, pipe = key.data
                data = _read(pipe)
                if data:
                    take(name, data)
                else:
                    selector.unregister(pipe)
    try:
        return process.wait(None if deadline is None else max(0.1, deadline - time.monotonic()))
    except subprocess.TimeoutExpired:
        raise _over_time(process, timeout) from None


def _over_time(process: subprocess.Popen[bytes], timeout: float | None) -> NoVerdictError:
    program = process.args[0] if isinstance(process.args, list) else process.args
    return NoVerdictError(f"{program!s} took longer than {timeout or 0:g} seconds")


def _read(pipe: IO[bytes]) -> bytes:
    return os.read(pipe.fileno(), _READ_SIZE)


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the whole process group: politely, then for certain."""
    for number, grace in ((signal.SIGTERM, _GRACE_SECONDS), (signal.SIGKILL, _GRACE_SECONDS)):
        if process.poll() is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(grace)
