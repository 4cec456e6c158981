"""What the static rules may know of the build context, read once, with the ignore rules applied."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class ContextFacts:
    """The context as the builder would see it.

    `ignore_file` is the one that counts, None where there is none. `paths` are relative, divided by slashes, those of
    directories without a slash at the end. `complete` is False where there is more than was read: a path that is
    missing proves nothing then. `texts` holds small files that pin or fail to pin something (requirements, lock files'
    neighbours, apt's sources).
    """

    ignore_file: str | None
    paths: frozenset[str]
    complete: bool
    texts: Mapping[str, str] = field(default_factory=dict)

    def named(self, name: str) -> tuple[str, ...]:
        """List the paths whose last part is `name`, the shallowest first."""
        found = [path for path in self.paths if path == name or path.endswith("/" + name)]
        return tuple(sorted(found, key=lambda path: (path.count("/"), path)))
