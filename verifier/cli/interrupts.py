"""Ctrl-C, SIGTERM and SIGHUP end a run once, and let it clean up after itself."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator
from types import FrameType
from typing import Final

from verifier.errors import InterruptedRunError
from verifier.uninterrupted import is_uninterrupted

_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_AGAIN_SECONDS: Final = 0.01


@contextlib.contextmanager
def interruptible() -> Iterator[None]:
    """Turn the first signal into KeyboardInterrupt, and that into InterruptedRunError once everything is cleaned up.

    Further signals are ignored while the run removes what it made: an impatient second Ctrl-C would leave it behind.
    A signal in the middle of what must not be cut in two comes again, by an alarm, until that is done.
    """
    seen: list[int] = []

    def handle(number: int, frame: FrameType | None) -> None:
        if seen:
            return
        if is_uninterrupted(frame):
            signal.setitimer(signal.ITIMER_REAL, _AGAIN_SECONDS)
            return
        seen.append(number)
        raise KeyboardInterrupt

    before = {number: signal.signal(number, handle) for number in (*_SIGNALS, signal.SIGALRM)}
    try:
        yield
    except KeyboardInterrupt:
        raise InterruptedRunError("interrupted; what the run had made is removed") from None
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        for number, previous in before.items():
            signal.signal(number, previous)
