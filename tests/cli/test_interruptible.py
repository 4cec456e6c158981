"""A signal waits while a lock changes hands, a program starts or something is removed: nothing is left half done."""

from __future__ import annotations

import os
import queue
import signal
import sys
import threading
import time
from pathlib import Path
from types import FrameType

import pytest

from verifier.cli.interrupts import interruptible
from verifier.clients.process import run
from verifier.errors import InterruptedRunError
from verifier.workspace import open_workspace


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


@pytest.mark.parametrize("attempt", range(40))
def test_no_program_is_left_running(attempt: int) -> None:
    mark = f"987.{os.getpid()}{attempt}"
    signalling = threading.Timer(attempt / 8000, os.kill, (os.getpid(), signal.SIGINT))

    @interruptible()
    def start() -> None:
        signalling.start()
        run(["sleep", mark], timeout=20)

    with pytest.raises(InterruptedRunError):
        start()
    assert not [path for path in Path("/proc").glob("[0-9]*/cmdline") if mark.encode() in _read(path)]


@pytest.mark.parametrize("attempt", range(20))
def test_no_workspace_is_left(attempt: int, tmp_path: Path) -> None:
    signalling = threading.Timer(0.002 + attempt / 4000, os.kill, (os.getpid(), signal.SIGINT))

    @interruptible()
    def make() -> None:
        signalling.start()
        while True:
            with open_workspace(tmp_path) as folder:
                (folder / "inner").mkdir()

    with pytest.raises(InterruptedRunError):
        make()
    assert not list(tmp_path.iterdir())


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


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
