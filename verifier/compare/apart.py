"""A second, bounded pass for contents that differ and did not lie side by side: where they differ."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Final

from verifier.compare.content import pieces_of, wanted_entries
from verifier.compare.contents import compare_contents
from verifier.compare.layers import ApartContent
from verifier.errors import DigestMismatchError
from verifier.model.difference import Difference
from verifier.oci.image import Image

MAX_APART_CONTENTS: Final = 500
"""Contents of one layer whose regions are looked for in a second pass …"""

MAX_APART_BYTES: Final = 256 * 1024 * 1024
"""… and how many bytes of the first side are kept on disk for that."""


def add_regions(
    differences: list[Difference],
    apart: list[ApartContent],
    images: tuple[Image, Image],
    layers: tuple[int, int],
    workspace: Path,
) -> None:
    """Find the differing regions of `apart`, within the limits, and put them into `differences`.

    Raises DigestMismatchError where a content is no longer what the first pass read.
    """
    positions = {(item.path, item.occurrence): item.position for item in apart[:MAX_APART_CONTENTS]}
    with TemporaryFile(dir=workspace, prefix="contents-") as kept:
        places: dict[tuple[bytes, int], tuple[int, int]] = {}
        end = 0
        for key, entry, reader in wanted_entries(images[0], layers[0], positions):
            if end + entry.size <= MAX_APART_BYTES:
                places[key] = (end, entry.size)
                for piece in pieces_of(reader):
                    kept.write(piece)
                end += entry.size
        for key, entry, reader in wanted_entries(images[1], layers[1], places):
            start, size = places[key]
            result = compare_contents(_FileReader(kept, start, size), reader, size, entry.size, key[0])
            known = differences[positions[key]]
            if (known.first, known.second) != (f"sha256:{result.first}", f"sha256:{result.second}"):
                raise DigestMismatchError(f"layer {layers[1]} of {images[1].reference} changed while it was read")
            differences[positions[key]] = replace(known, content=result.difference)


class _FileReader:
    """A content that lies in a file, as a `ContentReader`."""

    def __init__(self, handle: IO[bytes], start: int, size: int) -> None:
        self._handle = handle
        self._left = size
        handle.seek(start)

    def available(self) -> int:
        return min(self._left, 1024 * 1024)

    def read(self, size: int) -> bytes:
        self._left -= size
        return self._handle.read(size)

    def take_same(self, content: bytes) -> bool:  # noqa: ARG002 - the protocol's
        return False
