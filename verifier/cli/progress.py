"""Live progress on stderr: the builds' output as it comes, and on a terminal one line that says how far we are."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self, TextIO

from verifier.reports.escape import escape, shorten

if TYPE_CHECKING:
    from rich.status import Status

_MIB: Final = 1024 * 1024
_STEP_WIDTH: Final = 60


class Progress:
    """A watcher that prints. Without a terminal (or with CI, NO_COLOR, TERM=dumb) there is no live line."""

    def __init__(self, stream: TextIO, environment: Mapping[str, str], *, quiet: bool = False) -> None:
        self._stream = stream
        self._quiet = quiet
        self._bytes = 0
        self._status: Status | None = _live_line(stream) if _is_live(stream, environment) else None

    def __enter__(self) -> Self:
        if self._status is not None:
            self._status.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._status is not None:
            self._status.stop()

    def say(self, sentence: str) -> None:
        """Print one sentence."""
        self._print(f"verify-build: {escape(sentence)}")

    def building(self, ordinal: int, of: int) -> _Listener:
        """Begin to listen to one build."""
        self.show(f"build {ordinal} of {of}")
        return _Listener(self, ordinal, of)

    def comparing(self, count: int) -> None:
        """Add to the bytes compared."""
        before = self._bytes // (8 * _MIB)
        self._bytes += count
        if self._bytes // (8 * _MIB) != before:
            self.show(f"comparing, {self._bytes / _MIB:,.0f} MiB read")

    def show(self, text: str) -> None:
        """Replace the live line, where there is one."""
        if self._status is not None:
            from rich.text import Text  # noqa: PLC0415  # rich is for terminals alone

            self._status.update(Text(escape(text)))

    def build_output(self, line: str) -> None:
        """Print one line of a build."""
        if not self._quiet:
            self._print(line)

    def _print(self, line: str) -> None:
        if self._status is not None:
            self._status.console.print(line, markup=False, highlight=False, emoji=False, soft_wrap=True)
        else:
            self._stream.write(line + "\n")
            self._stream.flush()


class _Listener:
    """Hears one build for `Progress`."""

    def __init__(self, progress: Progress, ordinal: int, of: int) -> None:
        self._progress = progress
        self._name = f"build {ordinal} of {of}"
        self._started = time.monotonic()

    def output(self, line: str) -> None:
        """Print a line of output, control characters made harmless."""
        self._progress.build_output(f"[{self._name}] {escape(line)}")

    def step(self, number: int, total: int | None, text: str) -> None:
        """Show the step on the live line, with the seconds since the build began."""
        seconds = time.monotonic() - self._started
        of = "" if total is None else f" of {total}"
        self._progress.show(f"{self._name}, step {number}{of}, {seconds:.0f} s: {shorten(text, _STEP_WIDTH)}")


def _is_live(stream: TextIO, environment: Mapping[str, str]) -> bool:
    return (
        stream.isatty()
        and environment.get("TERM") not in (None, "", "dumb")
        and not environment.get("CI")
        and stream is sys.stderr
    )


def _live_line(stream: TextIO) -> Status:
    from rich.console import Console  # noqa: PLC0415

    return Console(file=stream, markup=False, highlight=False, emoji=False).status("starting")
