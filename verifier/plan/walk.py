"""Walk a context in one order for everybody: by the bytes of the paths, with ignore rules applied on the way."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass

from verifier.errors import InputsChangedError, UsageError
from verifier.plan.ignore import IgnoreRules

IGNORE_HINT = "make it readable, or leave it out with .dockerignore"


@dataclass(frozen=True, slots=True)
class Found:
    """One path of the context, relative to it, with its own status: a symlink is not followed.

    `is_left_out` marks a directory that the rules leave out, and that comes for what they bring back beneath it.
    """

    path: bytes
    status: os.stat_result
    is_left_out: bool = False

    @property
    def kind(self) -> int:
        """The file type bits of the mode."""
        return stat.S_IFMT(self.status.st_mode)


@dataclass(frozen=True, slots=True, kw_only=True)
class Walk:
    """A context folder, the rules for it, and a folder (device and inode) inside it that is not part of it."""

    root: bytes
    rules: IgnoreRules
    skipped: tuple[int, int] | None = None

    def __iter__(self) -> Iterator[Found]:
        """Yield what is not left out, sorted by the raw bytes of the paths; a directory comes before its content.

        A directory that is left out comes all the same when something beneath it was brought back. Memory grows with
        the largest directory and the depth, not with the context. Raises UsageError for a directory that cannot be
        read, InputsChangedError for what vanishes meanwhile.
        """
        stack = [self._events(b"")]
        while stack:
            event = next(stack[-1], None)
            if event is None:
                stack.pop()
                continue
            found, descend = event
            if descend:
                stack.append(self._events(found.path))
            else:
                yield found

    def _events(self, directory: bytes) -> Iterator[tuple[Found, bool]]:
        """Give each entry of one directory, and where its content comes in the order: `a`, `a-b`, then `a/c`."""
        events: list[tuple[bytes, Found, bool]] = []
        for entry in self._entries(directory):
            found = self._judged(entry)
            if found is not None:
                events.append((found.path, found, False))
                if found.kind == stat.S_IFDIR:
                    events.append((found.path + b"/", found, True))
        events.sort(key=lambda event: event[0])
        return ((found, descend) for _, found, descend in events)

    def _entries(self, directory: bytes) -> Iterator[Found]:
        where = self.root + b"/" + directory if directory else self.root
        prefix = directory + b"/" if directory else b""
        try:
            with os.scandir(where) as entries:
                for entry in entries:
                    status = entry.stat(follow_symlinks=False)
                    if (status.st_dev, status.st_ino) != self.skipped:
                        yield Found(prefix + entry.name, status)
        except OSError as error:
            raise unreadable(self.root, directory, error) from None

    def _judged(self, found: Found) -> Found | None:
        """Give what is part of the context; None for what is left out with all beneath it."""
        if not self.rules.excludes(found.path):
            return found
        if found.kind != stat.S_IFDIR or not self.rules.may_bring_back_under(found.path):
            return None
        brings_back = any(self._judged(inner) is not None for inner in self._entries(found.path))
        return Found(found.path, found.status, is_left_out=True) if brings_back else None


def unreadable(root: bytes, path: bytes, error: OSError) -> Exception:
    """Choose the error for a path that could not be read: it vanished, or the user may not."""
    name = shown(root, path)
    if error.errno in (errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ESTALE, errno.ENXIO):
        return InputsChangedError(f"{name} vanished or changed its type while the context was being frozen")
    return UsageError(f"{name} cannot be read: {error.strerror}", IGNORE_HINT)


def shown(root: bytes, path: bytes) -> str:
    """Name a path for a message; bytes that are not UTF-8 are shown as escapes."""
    full = root + b"/" + path if path else root
    return full.decode("utf-8", "backslashreplace")
