"""Read a layer on a thread of its own: digests and inflating let go of the interpreter's lock, so both cores work."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from typing import Final, Self

_DEPTH: Final = 6
"""Pieces (of at most 1 MiB) that may wait for their reader; what bounds the memory of one stream."""


class ReadAhead(Iterator[bytes]):
    """An iterator whose pieces are made on a thread; errors arise where the piece would have come.

    `make` is called with a function that counts bytes read; `progress` hears of them on the caller's thread.
    """

    def __init__(
        self, make: Callable[[Callable[[int], None]], Iterator[bytes]], progress: Callable[[int], None] | None = None
    ) -> None:
        self._make = make
        self._progress = progress
        self._read = self._told = 0
        self._ended = False
        self._closing = threading.Event()
        self._pieces: queue.Queue[bytes | BaseException | None] = queue.Queue(_DEPTH)
        self._thread = threading.Thread(target=self._work, name="layer-reader", daemon=True)
        self._thread.start()

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> bytes:
        if self._ended:
            raise StopIteration
        piece = self._pieces.get()
        self._tell()
        if isinstance(piece, bytes):
            return piece
        self._ended = True
        if piece is None:
            raise StopIteration
        raise piece

    def drain(self) -> None:
        """Read to the end, so that the digests are verified. Raises what reading raises."""
        for _ in self:
            pass

    def close(self) -> None:
        """End the thread; safe to call twice, and in the middle."""
        self._closing.set()
        while self._thread.is_alive():
            try:
                self._pieces.get(timeout=0.01)
            except queue.Empty:
                continue
        self._thread.join()

    def _count(self, size: int) -> None:
        self._read += size

    def _tell(self) -> None:
        read = self._read
        if self._progress is not None and read > self._told:
            self._progress(read - self._told)
        self._told = read

    def _work(self) -> None:
        last: BaseException | None = None
        try:
            pieces = self._make(self._count)
            for piece in pieces:
                self._pieces.put(piece)
                if self._closing.is_set():
                    pieces.close()  # type: ignore[attr-defined]  # a generator: this closes the blob
                    return
        except BaseException as error:  # noqa: BLE001 - handed over to the reader's thread, whatever it is
            last = error
        self._pieces.put(last)
