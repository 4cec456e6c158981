"""The classic builder's context archive: it wants the Dockerfile inside, and the image must not get it from there."""

from __future__ import annotations

import io
import os
import shutil
import tarfile
from pathlib import Path
from typing import Final

from verifier.errors import ResourceError
from verifier.model.plan import Plan
from verifier.oci.digest import encoded_of

_IGNORE: Final = ".dockerignore"


def place_dockerfile(plan: Plan) -> tuple[Path, str]:
    """Give the archive to send and the Dockerfile's name in it.

    A Dockerfile that is part of the context is used where it is. One that is not is added as the docker client adds it:
    under a name that the archive's `.dockerignore` leaves out, so that the engine removes it again before the first
    instruction. Where the context has a `.dockerignore` of its own and the Dockerfile comes from outside, that file
    gains a line, as it does with the docker client. Raises ResourceError when the copy cannot be written.
    """
    if plan.context.dockerfile_path is not None:
        return plan.context.archive, plan.context.dockerfile_path
    target = plan.workspace / "context-with-dockerfile.tar"
    ignore = plan.context.directory / _IGNORE
    has_ignore = ignore.is_file() and not ignore.is_symlink()
    inside = _path_inside(plan) if has_ignore else None
    name = inside or f".dockerfile.{encoded_of(plan.dockerfile.digest)[:20]}"
    if not target.exists():
        try:
            shutil.copyfile(plan.context.archive, target)
            _append(target, name, plan.dockerfile.raw, ignore if has_ignore else None, hide=inside is None)
        except OSError as error:
            raise ResourceError(f"the context's archive cannot be written: {error.strerror}") from None
    return target, name


def _path_inside(plan: Plan) -> str | None:
    """Name a Dockerfile that lies in the context and was left out of it: the context's rules hide it already."""
    place = Path(os.path.normpath(Path.cwd() / plan.dockerfile.path))
    root = Path(os.path.normpath(Path.cwd() / plan.context.path))
    if place.is_symlink() or not place.is_relative_to(root):
        return None
    return place.relative_to(root).as_posix()


def _append(archive: Path, name: str, dockerfile: bytes, ignore: Path | None, *, hide: bool) -> None:
    with tarfile.open(archive, "a", format=tarfile.PAX_FORMAT) as tar:
        _add(tar, name, dockerfile)
        if hide:
            rules = ignore.read_bytes() if ignore is not None else _IGNORE.encode()
            _add(tar, _IGNORE, rules + f"\n{name}\n".encode(), like=ignore)


def _add(tar: tarfile.TarFile, name: str, data: bytes, like: Path | None = None) -> None:
    header = tarfile.TarInfo(name)
    header.size = len(data)
    header.mode = 0o644
    if like is not None:
        status = like.stat()
        header.mode, header.mtime = status.st_mode & 0o7777, int(status.st_mtime)
    tar.addfile(header, io.BytesIO(data))
