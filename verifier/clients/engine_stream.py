"""The engine's answers that come as a stream of JSON objects: a build, a pull, a load.

The answer is read by a thread of its own, so that a silent step neither hides Ctrl-C nor a time limit, and so that an
engine that has died is noticed: after a while of silence it is asked whether it is still there.
"""

from __future__ import annotations

import contextlib
import json
import queue
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, Final

from verifier.errors import NoVerdictError

MAX_MESSAGE: Final = 16 * 1024 * 1024
"""Bytes of one JSON object; classic builders send a line of output in each."""

SILENCE_SECONDS: Final = 20.0
"""After so much silence the engine is asked whether it still answers."""

Message = dict[str, Any]


class MessageDecoder:
    """Cut a byte stream into JSON objects, one a line, wherever the pieces break."""

    def __init__(self) -> None:
        self._pending = bytearray()

    def feed(self, data: bytes) -> Iterator[Message]:
        """Take some bytes and yield every object that they complete. Raises NoVerdictError past MAX_MESSAGE."""
        self._pending += data
        if b"\n" not in data:
            self._check_size()
            return
        *lines, rest = bytes(self._pending).split(b"\n")
        self._pending[:] = rest
        self._check_size()
        for line in lines:
            yield from _decode(line)

    def finish(self) -> Iterator[Message]:
        """Yield an object that came without a newline at the end; a cut one is dropped."""
        rest = bytes(self._pending)
        self._pending.clear()
        yield from _decode(rest)

    def _check_size(self) -> None:
        if len(self._pending) > MAX_MESSAGE:
            raise NoVerdictError(f"the Docker engine sent a message of more than {MAX_MESSAGE} bytes")


def _decode(line: bytes) -> Iterator[Message]:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return
    if isinstance(value, dict):
        yield value


def read_messages(response: Any, *, alive: Callable[[], bool], timeout: float | None) -> Iterator[Message]:
    """Yield the objects of a streamed answer until it ends, and close it whatever happens.

    `timeout` is in seconds for the whole answer; `alive` asks the engine whether it is still there. Raises
    NoVerdictError at the time limit, when the connection breaks, and when the engine no longer answers.
    """
    pieces: queue.Queue[bytes | BaseException | None] = queue.Queue(maxsize=256)
    stopped = threading.Event()
    reader = threading.Thread(target=_read, args=(response, pieces, stopped), daemon=True, name="engine-stream")
    reader.start()
    decoder = MessageDecoder()
    deadline = None if timeout is None else time.monotonic() + timeout
    try:
        while (piece := _next(pieces, alive, deadline, timeout)) is not None:
            yield from decoder.feed(piece)
        yield from decoder.finish()
    finally:
        stopped.set()
        _hang_up(response)
        _drain(pieces)
        reader.join(timeout=5)
        response.close()


def _next(
    pieces: queue.Queue[bytes | BaseException | None],
    alive: Callable[[], bool],
    deadline: float | None,
    timeout: float | None,
) -> bytes | None:
    while True:
        left = SILENCE_SECONDS if deadline is None else min(SILENCE_SECONDS, deadline - time.monotonic())
        if left <= 0:
            raise NoVerdictError(f"the Docker engine took longer than {timeout or 0:g} seconds")
        try:
            piece = pieces.get(timeout=left)
        except queue.Empty:
            if not alive():
                raise NoVerdictError("the Docker engine no longer answers") from None
            continue
        if isinstance(piece, BaseException):
            raise NoVerdictError("the connection to the Docker engine broke off") from piece
        return piece


def _read(response: Any, pieces: queue.Queue[bytes | BaseException | None], stopped: threading.Event) -> None:
    last: BaseException | None = None
    try:
        for piece in response.raw.stream(64 * 1024, decode_content=True):
            if stopped.is_set():
                return
            pieces.put(piece)
    except Exception as error:  # noqa: BLE001 - handed on to the reading side, whatever it is
        last = error
    if not stopped.is_set():
        pieces.put(last)


def _hang_up(response: Any) -> None:
    """Shut the socket down, so that the engine sees us go and the reading thread wakes up."""
    connection = getattr(response.raw, "connection", None) or getattr(response.raw, "_connection", None)
    channel = getattr(connection, "sock", None)
    if channel is not None:
        with contextlib.suppress(OSError, AttributeError):
            channel.shutdown(socket.SHUT_RDWR)


def _drain(pieces: queue.Queue[bytes | BaseException | None]) -> None:
    with contextlib.suppress(queue.Empty):
        while True:
            pieces.get_nowait()
