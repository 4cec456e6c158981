"""The run's private folder: made once, removed at the end whatever happens."""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType

from verifier.errors import ResourceError
from verifier.uninterrupted import uninterrupted

_PREFIX = "verify-build-"


@contextlib.contextmanager
@uninterrupted
def open_workspace(parent: Path | None = None) -> Iterator[Path]:
    """Make a folder that only this user can enter, and remove it with all that is in it.

    It is made in `parent`, by default where TMPDIR says. Raises ResourceError when it cannot be made.
    """
    try:
        folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=parent))
    except OSError as error:
        raise ResourceError(
            f"no temporary folder can be made in {parent or tempfile.gettempdir()}: {error.strerror}",
            "set TMPDIR to a folder with space for two images",
        ) from None
    try:
        yield folder
    finally:
        shutil.rmtree(folder, onerror=_retry_writable)


def _retry_writable(
    remove: Callable[..., object], path: str, _: tuple[type[BaseException], BaseException, TracebackType]
) -> None:
    """Try again once the parent is writable: a frozen context keeps the modes of its original."""
    with contextlib.suppress(OSError):
        parent = Path(path).parent
        parent.chmod(parent.stat().st_mode | stat.S_IRWXU)
        if stat.S_ISDIR(os.lstat(path).st_mode):
            Path(path).chmod(stat.S_IRWXU)
            shutil.rmtree(path, ignore_errors=True)
        else:
            remove(path)
