"""Ctrl-C, SIGTERM and SIGHUP end a run once, and let it clean up after itself."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import CodeType, FrameType
from typing import Any, Final, cast

from verifier.errors import InterruptedRunError

_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_AGAIN_SECONDS: Final = 0.005


def _code(function: Any) -> CodeType:
    return cast("CodeType", function.__code__)


_LOCKING: Final = frozenset(
    _code(getattr(threading.Condition, name)) for name in ("__enter__", "__exit__", "_acquire_restore", "_release_save")
)
"""Where a lock of queues, events and futures is just being taken or given back: an exception here would leave it locked
for ever, and the clean-up would wait for it."""


@contextlib.contextmanager
def interruptible() -> Iterator[None]:
    """Turn the first signal into KeyboardInterrupt, and that into InterruptedRunError once everything is cleaned up.

    Further signals are ignored while the run removes what it made: an impatient second Ctrl-C would leave it behind.
    """
    seen: list[int] = []

    def handle(number: int, frame: FrameType | None) -> None:
        if seen:
            return
        if frame is not None and frame.f_code in _LOCKING:
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
