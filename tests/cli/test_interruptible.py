"""A signal in the moment when a lock changes hands waits until it has: the clean-up takes the same locks."""

from __future__ import annotations

import os
import queue
import signal
import sys
import threading
import time
from types import FrameType

import pytest

from verifier.cli.interrupts import interruptible
from verifier.errors import InterruptedRunError


def test_a_signal_while_a_lock_changes_hands_comes_a_moment_later() -> None:
    taken = []

    @interruptible()
    def run() -> None:
        handle = signal.getsignal(signal.SIGINT)
        assert callable(handle)
        handle(signal.SIGINT, _frame_that_takes_a_lock())
        taken.append("the lock")
        time.sleep(10)

    with pytest.raises(InterruptedRunError):
        run()
    assert taken == ["the lock"]


@pytest.mark.parametrize("attempt", range(40))
def test_no_queue_stays_locked(attempt: int) -> None:
    pieces: queue.Queue[int] = queue.Queue()
    ours = os.getpid()
    signalling = threading.Timer(0.005 + attempt / 4000, os.kill, (ours, signal.SIGINT))

    @interruptible()
    def run() -> None:
        signalling.start()
        while True:
            pieces.put(1)
            pieces.get()

    with pytest.raises(InterruptedRunError):
        run()
    assert pieces.mutex.acquire(timeout=1)


def _frame_that_takes_a_lock() -> FrameType:
    """Give the frame of a thread that stands in `Condition.__enter__`."""
    condition = threading.Condition(threading.Lock())

    def enter() -> None:
        with condition:
            pass

    with condition:
        waiting = threading.Thread(target=enter)
        waiting.start()
        while True:
            assert waiting.ident is not None
            frame = sys._current_frames()[waiting.ident]
            if frame.f_code.co_qualname == "Condition.__enter__":
                break
            time.sleep(0.001)
    waiting.join()
    return frame
