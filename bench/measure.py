"""Run a program and say what it cost: seconds, processor seconds, the peak of its memory."""

from __future__ import annotations

import os
import signal
import statistics
import subprocess
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What one run cost; `finished` is false when it was ended at its time limit."""

    seconds: float
    processor_seconds: float
    peak_mib: float
    finished: bool
    code: int


def run(command: Sequence[str | Path], *, limit: float, environment: dict[str, str] | None = None) -> Cost:
    """Run a command to its end or its time limit, its whole process group with it; its output is dropped."""
    started = time.monotonic()
    process = subprocess.Popen(
        command,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        env={**os.environ, **(environment or {})},
    )
    ended = threading.Event()

    def end() -> None:
        ended.set()
        os.killpg(process.pid, signal.SIGKILL)

    timer = threading.Timer(limit, end)
    timer.start()
    try:
        _, status, usage = os.wait4(process.pid, 0)
    except BaseException:
        os.killpg(process.pid, signal.SIGKILL)
        raise
    finally:
        timer.cancel()
    process.returncode = os.waitstatus_to_exitcode(status)
    return Cost(
        seconds=time.monotonic() - started,
        processor_seconds=usage.ru_utime + usage.ru_stime,
        peak_mib=usage.ru_maxrss / 1024,
        finished=not ended.is_set(),
        code=process.returncode,
    )


def median(costs: Sequence[Cost]) -> Cost:
    """Give the run of median duration; the highest peak of all."""
    middle = sorted(costs, key=lambda cost: cost.seconds)[len(costs) // 2]
    return Cost(
        seconds=statistics.median(cost.seconds for cost in costs),
        processor_seconds=statistics.median(cost.processor_seconds for cost in costs),
        peak_mib=max(cost.peak_mib for cost in costs),
        finished=middle.finished,
        code=middle.code,
    )
