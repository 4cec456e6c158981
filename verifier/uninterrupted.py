"""Work that Ctrl-C may not cut in two: a signal that comes meanwhile waits until it is done.

Python raises what a signal handler raises at any point of the main thread: between a process that was started and the
note that it must be ended, or in the middle of a clean-up. What is marked here is never met there.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import CodeType, FrameType
from typing import Any, TypeVar

Work = TypeVar("Work", bound=Callable[..., Any])

_MARKED: set[CodeType] = set()


def uninterrupted(work: Work) -> Work:
    """Mark a function; of a generator each stretch between two yields. It must end by itself, in seconds."""
    _MARKED.add(work.__code__)
    return work


def is_uninterrupted(frame: FrameType | None) -> bool:
    """Tell whether something that is marked is under way where this frame stands."""
    while frame is not None:
        if frame.f_code in _MARKED:
            return True
        frame = frame.f_back
    return False


# Where a lock of queues, events and futures changes hands: an exception there leaves it locked for ever, and the
# clean-up would wait for it.
for _name in ("__enter__", "__exit__", "_acquire_restore", "_release_save"):
    uninterrupted(getattr(threading.Condition, _name))
