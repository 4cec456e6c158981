"""Write a file whole or not at all."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from verifier.uninterrupted import uninterrupted


@uninterrupted
def replace_file(path: Path, content: bytes) -> None:
    """Replace `path` at once: a reader never sees half of it, and a failure leaves what was there. Raises OSError.

    A file that is there keeps its mode; a symbolic link keeps pointing to where it points.
    """
    target = Path(os.path.realpath(path))
    with tempfile.NamedTemporaryFile("wb", dir=target.parent, prefix=f".{target.name}.", delete=False) as file:
        try:
            file.write(content)
            file.flush()
            Path(file.name).chmod(_mode(target))
            Path(file.name).replace(target)
        except BaseException:
            Path(file.name).unlink(missing_ok=True)
            raise


def _mode(target: Path) -> int:
    if target.is_file():
        return target.stat().st_mode & 0o7777
    umask = os.umask(0)
    os.umask(umask)
    return 0o666 & ~umask
