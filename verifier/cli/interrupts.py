"""Ctrl-C, SIGTERM and SIGHUP end a run once, and let it clean up after itself."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator
from types import FrameType
from typing import Final

from verifier.errors import InterruptedRunError

_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextlib.contextmanager
def interruptible() -> Iterator[None]:
    """Turn the first signal into KeyboardInterrupt, and that into InterruptedRunError once everything is cleaned up.

    Further signals are ignored while the run removes what it made: an impatient second Ctrl-C would leave it behind.
    """
    seen: list[int] = []

    def handle(number: int, _: FrameType | None) -> None:
        if not seen:
            seen.append(number)
            raise KeyboardInterrupt

    before = {number: signal.signal(number, handle) for number in _SIGNALS}
    try:
        yield
    except KeyboardInterrupt:
        raise InterruptedRunError("interrupted; what the run had made is removed") from None
    finally:
        for number, previous in before.items():
            signal.signal(number, previous)
