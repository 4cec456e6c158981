"""Keep, in the workspace and while it is read, a blob that is likely to be read again."""

from __future__ import annotations

import contextlib
import io
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import IO, TYPE_CHECKING

from verifier.errors import ResourceError
from verifier.stores.workspace import room_in

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer


class KeepingStream(io.RawIOBase):
    """A blob that is written to a file while it is read, if that is wanted when it is first read.

    What cannot be written is not kept, and nothing else: reading goes on.
    """

    def __init__(
        self,
        stream: IO[bytes],
        size: int,
        workspace: Path,
        *,
        wanted: Callable[[], bool],
        kept: Callable[[Path], None],
    ) -> None:
        """Take a stream at its start, and its size in bytes; `kept` is told of the file once it is whole."""
        super().__init__()
        self._stream = stream
        self._left = size
        self._workspace = workspace
        self._wanted = wanted
        self._kept = kept
        self._path: Path | None = None
        self._file: IO[bytes] | None = None
        self._begun = False

    def readable(self) -> bool:
        """Tell that this can be read."""
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        """Fill `buffer` with what comes next."""
        view = memoryview(buffer).cast("B")
        data = self.read(len(view))
        view[: len(data)] = data
        return len(data)

    def read(self, size: int = -1) -> bytes:
        """Read what the stream gives, and write it down."""
        if not self._begun:
            self._begun = True
            self._begin()
        data = self._stream.read(size)
        if self._file is not None:
            try:
                self._file.write(data)
            except OSError:
                self._forget()
        self._left -= len(data)
        if self._left == 0:
            self._finish()
        return data

    def close(self) -> None:
        """Close the stream; what is not whole is removed. Safe to call twice."""
        self._stream.close()
        self._forget()
        super().close()

    def _begin(self) -> None:
        if not self._wanted():
            return
        with contextlib.suppress(OSError, ResourceError):
            if room_in(self._workspace) >= self._left:
                descriptor, name = tempfile.mkstemp(prefix="blob-", dir=self._workspace)
                self._path = Path(name)
                self._file = os.fdopen(descriptor, "wb")

    def _finish(self) -> None:
        if self._file is not None and self._path is not None:
            file, path = self._file, self._path
            self._file = self._path = None
            try:
                file.close()
            except OSError:
                path.unlink(missing_ok=True)
            else:
                self._kept(path)

    def _forget(self) -> None:
        if self._file is not None:
            with contextlib.suppress(OSError):
                self._file.close()
            self._file = None
        if self._path is not None:
            self._path.unlink(missing_ok=True)
            self._path = None
