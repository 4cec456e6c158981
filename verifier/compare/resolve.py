"""Resolve the parents of a path through symbolic links, inside a root that is only a table."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from verifier.errors import MalformedImageError

MAX_LINKS: Final = 255
"""Symbolic links on the way to one path, as containerd allows; Linux itself stops at 40."""

MAX_STEPS: Final = 20_000_000
"""Components of link targets that are walked for one image: links upon links must not cost more than the image."""

_MAX_REMEMBERED: Final = 20_000


class PathResolver:
    """Resolves parents, and remembers the last ones.

    `look` tells what is at a path whose parents are resolved (`missing`, `directory`, `link` with its target, `other`);
    `imply` makes it a directory.
    """

    def __init__(self, look: Callable[[bytes], tuple[str, bytes]], imply: Callable[[bytes], None]) -> None:
        self._look = look
        self._imply = imply
        self._known: dict[bytes, bytes] = {b"/": b"/"}
        self._steps = 0

    def forget(self) -> None:
        """Forget what was resolved: a link or a directory has changed."""
        self._known = {b"/": b"/"}

    def locate(self, path: bytes, *, create: bool) -> bytes:
        """Resolve the parents of `path`, not its last component."""
        parent, _, name = path.rpartition(b"/")
        if not name:
            return b"/"
        resolved = self._known.get(parent) or self.resolve(parent or b"/", create=create)
        if resolved == parent:
            return path
        return resolved.rstrip(b"/") + b"/" + name

    def resolve(self, path: bytes, *, create: bool) -> bytes:
        """Resolve every component; with `create`, what is missing or no directory becomes one.

        Raises MalformedImageError for more than MAX_LINKS links (cycles), or MAX_STEPS altogether.
        """
        found = self._known.get(path)
        if found is not None:
            return found
        current, todo = self._begin(path)
        links = 0
        while todo:
            part = todo.pop()
            if part in (b"", b"."):
                continue
            if part == b"..":
                current = current.rpartition(b"/")[0]
                continue
            following = current + b"/" + part
            kind, target = self._look(following)
            if kind == "link":
                links += 1
                todo += self._parts_of(path, target, links)
                current = b"" if target.startswith(b"/") else current
                continue
            if create and kind != "directory":
                self._imply(following)
            current = following
        return self._remember(path, current or b"/", create=create)

    def _begin(self, path: bytes) -> tuple[bytes, list[bytes]]:
        """Start at the longest parent that is known; usually that is the parent itself."""
        parent, _, name = path.rpartition(b"/")
        known = self._known.get(parent or b"/")
        if known is not None:
            return known.rstrip(b"/"), [name]
        return b"", path.split(b"/")[::-1]

    def _parts_of(self, path: bytes, target: bytes, links: int) -> list[bytes]:
        parts = target.split(b"/")[::-1]
        self._steps += len(parts)
        if links > MAX_LINKS or self._steps > MAX_STEPS:
            raise MalformedImageError(
                f"{path[:200]!r} leads through too many symbolic links: a cycle, or as good as one"
            )
        return parts

    def _remember(self, path: bytes, resolved: bytes, *, create: bool) -> bytes:
        if create:
            if len(self._known) > _MAX_REMEMBERED:
                self.forget()
            self._known[path] = resolved
        return resolved
