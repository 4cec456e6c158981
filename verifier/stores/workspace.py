"""Files that stores make in the run's workspace: under our own names, within the disk's room, removed on failure."""

from __future__ import annotations

import contextlib
import errno
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from verifier.errors import ResourceError
from verifier.oci.limits import MIB

DISK_RESERVE: Final = 256 * MIB
"""Bytes of the workspace's disk that are always left free."""


def room_in(workspace: Path) -> int:
    """Give how many bytes may still be written to the workspace. Raises ResourceError when there are none."""
    disk = os.statvfs(workspace)
    room = disk.f_bavail * disk.f_frsize - DISK_RESERVE
    if room <= 0:
        raise _full(workspace)
    return room


@contextlib.contextmanager
def new_file(workspace: Path, prefix: str) -> Iterator[Path]:
    """Make an empty file, which stays when the block ends well and is removed when it fails.

    Raises ResourceError when the disk is full or the workspace cannot be written.
    """
    path: Path | None = None
    try:
        descriptor, name = tempfile.mkstemp(prefix=prefix, suffix=".tar", dir=workspace)
        path = Path(name)
        os.close(descriptor)
        yield path
    except BaseException as error:
        if path is not None:
            path.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise _full(workspace) from None
        if isinstance(error, OSError) and path is None:
            raise ResourceError(f"{workspace} cannot be written: {os.strerror(error.errno or 0)}") from None
        raise


def new_folder(workspace: Path, prefix: str) -> Path:
    """Make an empty folder. Raises ResourceError when it cannot be made."""
    try:
        return Path(tempfile.mkdtemp(prefix=prefix, dir=workspace))
    except OSError as error:
        raise ResourceError(f"{workspace} cannot be written: {os.strerror(error.errno or 0)}") from None


def _full(workspace: Path) -> ResourceError:
    return ResourceError(f"the disk of {workspace} is full", "make room there, or set TMPDIR to a larger disk")
