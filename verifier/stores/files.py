"""Files that stores read: regular files alone, opened without following links, and windows on them.

A name in a store may be a FIFO, a device, a folder or a link; opening must neither hang nor lead elsewhere.
"""

from __future__ import annotations

import contextlib
import errno
import io
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final, cast

from verifier.errors import MalformedImageError, StoreError
from verifier.oci.digest import Digest, algorithm_of, encoded_of

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_FLAGS: Final = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY


class Window(io.RawIOBase):
    """A stretch of an open file, read from its start by positioned reads.

    Every window has a file descriptor and a position of its own, so windows can be read by different threads.
    """

    def __init__(self, descriptor: int, offset: int, size: int) -> None:
        super().__init__()
        self._descriptor = os.dup(descriptor)
        self._start = offset
        self._position = offset
        self._end = offset + size

    def readable(self) -> bool:
        """Tell that this can be read."""
        return True

    def seekable(self) -> bool:
        """Tell that the position can be moved."""
        return True

    def read(self, size: int = -1) -> bytes:
        """Read up to `size` bytes by one system call; everything that is left when it is negative."""
        self._check_open()
        if size is None or size < 0:
            return self.readall()
        data = os.pread(self._descriptor, min(size, self._end - self._position), self._position)
        self._position += len(data)
        return data

    def readinto(self, buffer: WriteableBuffer) -> int:
        """Fill `buffer` by one system call, as far as the window goes."""
        self._check_open()
        view = memoryview(buffer).cast("B")
        count = os.preadv(self._descriptor, [view[: self._end - self._position]], self._position)
        self._position += count
        return count

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Move inside the window; give the new position from its start."""
        base = {os.SEEK_SET: self._start, os.SEEK_CUR: self._position, os.SEEK_END: self._end}[whence]
        self._position = min(max(base + offset, self._start), self._end)
        return self._position - self._start

    def close(self) -> None:
        """Close the window's own descriptor; safe to call twice."""
        if not self.closed:
            os.close(self._descriptor)
        super().close()

    def _check_open(self) -> None:
        if self.closed:  # the number may be another file's by now
            raise ValueError("read of a closed file")


def open_window(descriptor: int, offset: int, size: int) -> IO[bytes]:
    """Open a stretch of an open file for reading."""
    return cast("IO[bytes]", Window(descriptor, offset, size))


def open_file(path: Path) -> int:
    """Open the file that the user named, and give its descriptor.

    Links are followed: the user may name one. Raises StoreError when it is missing, no regular file or not readable.
    """
    try:
        return _regular(os.open(path, _FLAGS), str(path))
    except OSError as error:
        raise StoreError(f"{path} cannot be read: {os.strerror(error.errno or 0)}") from None


def open_inside(root: Path, name: str) -> int | None:
    """Open `root/name` for reading without following any link below `root`; None when there is no such file.

    `name` is ours, never from an image. Raises MalformedImageError for a link or something that is no regular file,
    StoreError when it cannot be read.
    """
    *folders, last = name.split("/")
    try:
        folder = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        for part in folders:
            folder = _step(folder, part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        return _regular(_step(folder, last, _FLAGS | os.O_NOFOLLOW), f"{root}/{name}")
    except FileNotFoundError:
        return None
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.ENOTDIR):
            raise MalformedImageError(
                f"{root}/{name} is a symbolic link, or lies behind one",
                "links in a layout are not followed; copy it with cp -rL",
            ) from None
        raise StoreError(f"{root}/{name} cannot be read: {os.strerror(error.errno or 0)}") from None


def read_bounded(descriptor: int, offset: int, size: int, what: str) -> bytes:
    """Read exactly `size` bytes, a number that the caller has checked. Raises MalformedImageError for fewer."""
    pieces = []
    left = size
    while left:
        piece = os.pread(descriptor, left, offset + size - left)
        if not piece:
            raise MalformedImageError(f"{what} is truncated: {size - left} of {size} bytes")
        pieces.append(piece)
        left -= len(piece)
    return b"".join(pieces)


@contextlib.contextmanager
def errors_about(subject: str, *others: str) -> Iterator[None]:
    """Put `subject` before the message of a StoreError that is raised inside, unless it or another stands there.

    An OSError is turned into a StoreError.
    """
    try:
        yield
    except OSError as error:
        raise StoreError(f"{subject} cannot be read: {os.strerror(error.errno or 0)}") from None
    except StoreError as error:
        if error.message.startswith((subject, *others)):
            raise
        raise type(error)(f"{subject}: {error.message}", error.hint) from None


def blob_name(digest: Digest) -> str:
    """Give a blob's path in an image layout (OCI image specification, "Image Layout")."""
    return f"blobs/{algorithm_of(digest)}/{encoded_of(digest)}"


def _step(folder: int, name: str, flags: int) -> int:
    """Open `name` in an open folder, which is closed in any case."""
    try:
        return os.open(name, flags, dir_fd=folder)
    finally:
        os.close(folder)


def _regular(descriptor: int, what: str) -> int:
    mode = os.fstat(descriptor).st_mode
    if stat.S_ISREG(mode):
        return descriptor
    os.close(descriptor)
    kind: dict[int, str] = {stat.S_IFDIR: "a folder", stat.S_IFIFO: "a FIFO", stat.S_IFSOCK: "a socket"}
    raise MalformedImageError(f"{what} is {kind.get(stat.S_IFMT(mode), 'a device')}, not a regular file")
