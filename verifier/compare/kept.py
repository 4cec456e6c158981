"""Contents that differ, kept on disk as they pass: an explanation wants to see them, and need not read a layer for it.

What is too large is left out, and read again where it is wanted. Nothing rests on what is kept being right: whoever
takes it holds it against the digests of the differences.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryFile
from typing import Final, NamedTuple, Self

from verifier.compare.contents import ContentReader
from verifier.errors import ResourceError
from verifier.model.difference import LayerPair
from verifier.oci.platform import Platform

MAX_KEPT_CONTENT: Final = 16 * 1024 * 1024
"""Of one content, in bytes: both sides of it are in memory while they are compared."""

MAX_KEPT_BYTES: Final = 512 * 1024 * 1024
"""Of all contents of a comparison together, on disk."""

Key = tuple[bytes, int]
"""A path with its occurrence."""


class _Place(NamedTuple):
    start: int
    size: int


class KeptContents:
    """A file in `folder` with the contents of both sides; a context manager that removes it."""

    def __init__(self, folder: Path) -> None:
        self._file = TemporaryFile(dir=folder, prefix="kept-")  # noqa: SIM115  # closed by `close`
        self._places: dict[tuple[str, Platform, int], dict[Key, _Place]] = {}
        self._end = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Remove what is kept; safe to call twice."""
        self._file.close()

    def add(
        self, platform: Platform, pair: LayerPair, key: Key, first: Iterable[bytes], second: Iterable[bytes]
    ) -> None:
        """Keep both sides of one content, while there is room. Raises ResourceError where the disk is full."""
        for side, layer, pieces in (("first", pair.first, first), ("second", pair.second, second)):
            content = b"".join(pieces)
            if layer is None or self._end + len(content) > MAX_KEPT_BYTES:
                continue
            try:
                os.pwrite(self._file.fileno(), content, self._end)
            except OSError as error:
                raise ResourceError.from_system(error) from None
            self._places.setdefault((side, platform, layer), {})[key] = _Place(self._end, len(content))
            self._end += len(content)

    def read(self, side: str, platform: Platform, layer: int, wanted: Iterable[Key], limit: int) -> dict[Key, bytes]:
        """Give what is kept of what is wanted; contents over `limit` bytes, or four times that together, are not."""
        places = self._places.get((side, platform, layer), {})
        found: dict[Key, bytes] = {}
        left = 4 * limit
        for key in wanted:
            place = places.get(key)
            if place is not None and place.size <= min(limit, left):
                left -= place.size
                found[key] = os.pread(self._file.fileno(), place.size, place.start)
        return found


class Recording:
    """A content's reader that remembers the pieces it gave, without a copy."""

    def __init__(self, reader: ContentReader) -> None:
        self._reader = reader
        self.pieces: list[bytes] = []

    def available(self) -> int:
        """Say how many bytes `read` can give at once; 0 at the end."""
        return self._reader.available()

    def read(self, size: int) -> bytes:
        """Give the next `size` bytes."""
        piece = self._reader.read(size)
        self.pieces.append(piece)
        return piece

    def take_same(self, content: bytes) -> bool:
        """Pass over the next bytes if they are `content`."""
        if not self._reader.take_same(content):
            return False
        self.pieces.append(content)
        return True
