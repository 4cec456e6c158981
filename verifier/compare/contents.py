"""Compare two contents while they stream; what is equal is digested once."""

from __future__ import annotations

import hashlib
from typing import NamedTuple, Protocol

from verifier.compare.file_type import HEAD_BYTES, file_type
from verifier.compare.regions import finder_for
from verifier.model.difference import ContentDifference


class ContentReader(Protocol):
    """One content, read forward."""

    def available(self) -> int:
        """Say how many bytes `read` can give at once; 0 at the end."""

    def read(self, size: int) -> bytes:
        """Give the next `size` bytes."""

    def take_same(self, content: bytes) -> bool:
        """Pass over the next bytes if they are `content`; may always decline and leave them to be read."""


class BytesReader:
    """A content that is in memory already."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._position = 0

    def available(self) -> int:
        """Say how many bytes are left."""
        return len(self._content) - self._position

    def read(self, size: int) -> bytes:
        """Give the next `size` bytes."""
        start = self._position
        self._position = start + size
        return self._content[start : start + size]

    def take_same(self, content: bytes) -> bool:  # noqa: ARG002 - the protocol's
        """Decline: what is small enough to be held is read."""
        return False


class ContentResult(NamedTuple):
    """Both sha256 digests in hexadecimal, and how the contents differ; None when they are equal."""

    first: str
    second: str
    difference: ContentDifference | None


def compare_contents(
    first: ContentReader, second: ContentReader, size_first: int, size_second: int, path: bytes
) -> ContentResult:
    """Read both contents to their ends and say how they differ; sizes in bytes, `path` helps to name the type."""
    hasher, other_hasher = hashlib.sha256(), None
    finder = finder_for(size_first, size_second)
    head, other_head = b"", b""
    while True:
        available, other_available = first.available(), second.available()
        size = min(available, other_available) or available or other_available
        if size == 0:
            break
        piece = first.read(min(size, available))
        if other_hasher is None and second.take_same(piece) and piece:
            hasher.update(piece)
            finder.feed_equal(piece)
            head = other_head = head if len(head) >= HEAD_BYTES else head + piece[:HEAD_BYTES]
            continue
        other = second.read(min(size, other_available))
        if len(head) < HEAD_BYTES:
            head += piece[:HEAD_BYTES]
        if len(other_head) < HEAD_BYTES:
            other_head += other[:HEAD_BYTES]
        if other_hasher is None and piece != other:
            other_hasher = hasher.copy()
        hasher.update(piece)
        if other_hasher is not None:
            other_hasher.update(other)
        finder.feed(piece, other)
    digest = hasher.hexdigest()
    if other_hasher is None:
        return ContentResult(digest, digest, None)
    regions, complete = finder.finish()
    return ContentResult(
        digest,
        other_hasher.hexdigest(),
        ContentDifference(
            type_first=file_type(head[:HEAD_BYTES], path),
            type_second=file_type(other_head[:HEAD_BYTES], path),
            size_first=size_first,
            size_second=size_second,
            regions=regions,
            complete=complete,
        ),
    )
