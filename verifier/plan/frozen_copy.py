"""Copy a context into an archive and a folder at once: each file is read once, and must not move meanwhile."""

# ruff: noqa: PTH101, PTH102, PTH115, PTH211 - paths are raw bytes here, which pathlib does not know

from __future__ import annotations

import errno
import hashlib
import os
import stat
import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from verifier.errors import InputsChangedError, ResourceError, VerifyBuildError
from verifier.oci.digest import Digest
from verifier.plan.archive import ArchiveWriter
from verifier.plan.walk import Found, Walk, shown, unreadable

CHUNK: Final = 1024 * 1024
"""Bytes of content that are held at a time."""

_OPEN_FLAGS: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_WRITE_FLAGS: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC


@dataclass(frozen=True, slots=True, kw_only=True)
class Copied:
    """What was copied: digests without and with times, a signature of the originals, counts, what was left out."""

    digest: Digest
    archive_digest: Digest
    signature: Digest
    files: int
    bytes: int
    warnings: tuple[str, ...]


def copy_context(
    walk: Walk, archive: Path, directory: Path, records: Path, *, after_copy: Callable[[], None] = lambda: None
) -> Copied:
    """Copy what `walk` finds to `archive` and into `directory`, which is made here.

    `records` takes a temporary list of what was seen, which a second walk is held against; `after_copy` is called
    between the two. Raises InputsChangedError naming what moved, UsageError for what cannot be read, ResourceError for
    what cannot be written.
    """
    try:
        with archive.open("xb", buffering=CHUNK) as archive_file, records.open("x+b") as record_file:
            run = _Copy(walk.root, os.fsencode(directory), ArchiveWriter(archive_file), record_file)
            directory.mkdir(mode=0o700)
            for found in walk:
                run.add(found)
            archive_digest = run.archive.finish()
            run.restore_directories()
            after_copy()
            _compare(walk, record_file)
        records.unlink()
    except OSError as error:
        raise ResourceError(
            f"the frozen copy of the context cannot be written: {error.strerror}",
            "set TMPDIR to a folder with space for two copies of the context" if error.errno == errno.ENOSPC else None,
        ) from None
    return Copied(
        digest=Digest("sha256:" + run.sum.hexdigest()),
        archive_digest=archive_digest,
        signature=Digest("sha256:" + run.signature.hexdigest()),
        files=run.files,
        bytes=run.bytes,
        warnings=tuple(run.warnings),
    )


def sign(walk: Walk) -> Digest:
    """Take the signature of what `walk` finds, by status alone: no content is read. Raises as the walk does."""
    total = hashlib.sha256()
    for found in walk:
        if _is_kept(found):
            total.update(_record(found))
    return Digest("sha256:" + total.hexdigest())


class _Copy:
    """The copy under way."""

    def __init__(self, root: bytes, directory: bytes, archive: ArchiveWriter, records: IO[bytes]) -> None:
        self.archive = archive
        self.sum = hashlib.sha256(b"verify-build context v1\0")
        self.signature = hashlib.sha256()
        self.files = 0
        self.bytes = 0
        self.warnings: list[str] = []
        self._root = root
        self._directory = directory
        self._records = records
        self._directories: list[tuple[bytes, int, int]] = []
        self._buffer = memoryview(bytearray(CHUNK))

    def add(self, found: Found) -> None:
        """Copy one entry, and note what it looked like."""
        if not _is_kept(found):
            self._leave_out(found)
            return
        record = _record(found)
        self._records.write(record)
        self.signature.update(record)
        target = self._directory + b"/" + found.path
        if found.kind == stat.S_IFREG:
            self._add_file(found, target)
        elif found.kind == stat.S_IFDIR:
            if not found.is_left_out:
                self._begin(found, b"5", path=found.path + b"/")
            os.mkdir(target, 0o700)
            self._directories.append((target, stat.S_IMODE(found.status.st_mode), found.status.st_mtime_ns))
            self._count(found, b"d", b"")
        elif found.kind == stat.S_IFLNK:
            self._add_symlink(found, target)
        else:
            self._begin(found, b"6")
            os.mkfifo(target, 0o600)
            os.chmod(target, stat.S_IMODE(found.status.st_mode))
            os.utime(target, ns=(found.status.st_mtime_ns, found.status.st_mtime_ns))
            self._count(found, b"p", b"")

    def restore_directories(self) -> None:
        """Give the directories their modes and times once nothing is written into them any more."""
        for target, mode, mtime in reversed(self._directories):
            os.chmod(target, mode)
            os.utime(target, ns=(mtime, mtime))

    def _leave_out(self, found: Found) -> None:
        kind = "socket" if found.kind == stat.S_IFSOCK else "device"
        self.warnings.append(f"{shown(self._root, found.path)} is a {kind} and was left out of the context")

    def _begin(
        self, found: Found, kind: bytes, *, path: bytes | None = None, size: int = 0, target: bytes = b""
    ) -> None:
        self.archive.begin(
            found.path if path is None else path,
            kind,
            mode=stat.S_IMODE(found.status.st_mode),
            mtime=found.status.st_mtime_ns // 1_000_000_000,
            size=size,
            target=target,
        )

    def _count(self, found: Found, kind: bytes, content: bytes) -> None:
        """Add an entry to the digest: path, type, mode, and the content's digest or the link's target."""
        mode = stat.S_IMODE(found.status.st_mode) if kind != b"l" else 0o777
        self.sum.update(struct.pack(">QcIQ", len(found.path), kind, mode, len(content)))
        self.sum.update(found.path)
        self.sum.update(content)

    def _add_symlink(self, found: Found, target: bytes) -> None:
        try:
            link = os.readlink(self._root + b"/" + found.path)
        except OSError as error:
            raise unreadable(self._root, found.path, error) from None
        self._begin(found, b"2", target=link)
        os.symlink(link, target)
        os.utime(target, ns=(found.status.st_mtime_ns, found.status.st_mtime_ns), follow_symlinks=False)
        self._count(found, b"l", link)

    def _add_file(self, found: Found, target: bytes) -> None:
        size = found.status.st_size
        content = hashlib.sha256()
        try:
            source = os.open(self._root + b"/" + found.path, _OPEN_FLAGS)
        except OSError as error:
            raise unreadable(self._root, found.path, error) from None
        try:
            self._check(found, os.fstat(source))
            self._begin(found, b"0", size=size)
            copy = os.open(target, _WRITE_FLAGS, 0o600)
            try:
                left = size
                while left:
                    piece = self._read(found, source, left)
                    content.update(piece)
                    self.archive.write(piece)
                    _write_all(copy, piece)
                    left -= len(piece)
                self._check(found, os.fstat(source))
                os.fchmod(copy, stat.S_IMODE(found.status.st_mode))
                os.utime(copy, ns=(found.status.st_mtime_ns, found.status.st_mtime_ns))
            finally:
                os.close(copy)
        finally:
            os.close(source)
        self.archive.end_content(size)
        self._count(found, b"f", struct.pack(">Q", size) + content.digest())
        self.files += 1
        self.bytes += size

    def _read(self, found: Found, source: int, left: int) -> memoryview:
        try:
            count = os.readv(source, [self._buffer[: min(CHUNK, left)]])
        except OSError as error:
            raise unreadable(self._root, found.path, error) from None
        if count == 0:
            raise changed(self._root, found.path)
        return self._buffer[:count]

    def _check(self, found: Found, status: os.stat_result) -> None:
        if _identity(status) != _identity(found.status):
            raise changed(self._root, found.path)


def changed(root: bytes, path: bytes) -> VerifyBuildError:
    """Make the error that names what moved."""
    return InputsChangedError(
        f"{shown(root, path)} changed while the context was being frozen",
        "run again when nothing writes there, or leave it out with .dockerignore",
    )


def _compare(walk: Walk, records: IO[bytes]) -> None:
    """Hold a second walk against what the first one saw."""
    records.seek(0)
    for found in walk:
        if not _is_kept(found):
            continue
        record = _record(found)
        seen = records.read(len(record))
        if seen != record:
            known = (
                seen[_PREFIX.size :][: _PREFIX.unpack(seen[: _PREFIX.size])[0]] if len(seen) >= _PREFIX.size else b""
            )
            raise changed(walk.root, min(known, found.path) if known else found.path)
    left = records.read(_PREFIX.size)
    if left:
        raise changed(walk.root, records.read(_PREFIX.unpack(left)[0]))


_PREFIX: Final = struct.Struct(">Q")


def _record(found: Found) -> bytes:
    numbers = struct.pack(
        ">8q", found.status.st_mode, *_identity(found.status), found.status.st_uid, found.status.st_gid
    )
    return _PREFIX.pack(len(found.path)) + found.path + numbers


def _identity(status: os.stat_result) -> tuple[int, int, int, int, int]:
    """What must stay as it is while a file is read; the inode as a signed number."""
    inode = status.st_ino - (1 << 64) if status.st_ino >= 1 << 63 else status.st_ino
    return status.st_dev, inode, status.st_size, status.st_mtime_ns, status.st_ctime_ns


def _is_kept(found: Found) -> bool:
    return found.kind in (stat.S_IFREG, stat.S_IFDIR, stat.S_IFLNK, stat.S_IFIFO)


def _write_all(target: int, piece: memoryview) -> None:
    while piece:
        piece = piece[os.write(target, piece) :]
