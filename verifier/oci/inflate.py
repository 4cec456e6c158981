"""Inflate layer blobs: gzip of several members, zstd of several frames, plain; bounded pieces, truncation told.

What the bytes say counts, not the media type: engines label plain archives as gzip and the other way round.
"""

from __future__ import annotations

import importlib
import zlib
from collections.abc import Callable, Iterator
from typing import Any, Final, Protocol

from verifier.errors import MalformedImageError
from verifier.oci.media_types import Compression

PIECE_BYTES: Final = 1024 * 1024
"""The most that one step inflates to, in bytes: a bomb costs no more memory than this."""

_GZIP_MAGIC: Final = b"\x1f\x8b"
_ZSTD_MAGIC: Final = b"\x28\xb5\x2f\xfd"
_ZSTD_SKIPPABLE: Final = tuple(bytes((number, 0x2A, 0x4D, 0x18)) for number in range(0x50, 0x60))
_MAGIC_BYTES: Final = 4


class _Decompressor(Protocol):
    @property
    def eof(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Inflate `data` into pieces of at most PIECE_BYTES, until it is used up or a member ends."""


def sniff_compression(head: bytes) -> Compression:
    """Tell a blob's compression by its first four bytes (fewer when the blob is shorter)."""
    if head.startswith(_GZIP_MAGIC):
        return "gzip"
    if head.startswith((_ZSTD_MAGIC, *_ZSTD_SKIPPABLE)):
        return "zstd"
    return "none"


def inflate(read: Callable[[], bytes], what: str) -> Iterator[bytes]:
    """Yield what a blob inflates to, in pieces of at most PIECE_BYTES.

    `read` gives the blob's next bytes, none at its end; `what` names the blob in messages. Raises MalformedImageError
    for corrupt or truncated data and for anything after the last member, as the container runtimes do.
    """
    head = _at_least(_MAGIC_BYTES, b"", read)
    compression = sniff_compression(head)
    if compression == "none":
        return _plain(head, read)
    return _members(head, read, compression, what)


def _at_least(size: int, data: bytes, read: Callable[[], bytes]) -> bytes:
    while len(data) < size:
        more = read()
        if not more:
            break
        data += more
    return data


def _plain(head: bytes, read: Callable[[], bytes]) -> Iterator[bytes]:
    data = head
    while data:
        yield data
        data = read()


def _members(data: bytes, read: Callable[[], bytes], compression: Compression, what: str) -> Iterator[bytes]:
    make, errors = _gzip_decompressor() if compression == "gzip" else _zstd_decompressor()
    while data:
        if sniff_compression(data) != compression:
            raise MalformedImageError(f"{what} has {compression} data, and then bytes that are none")
        decompressor = make()
        try:
            while not decompressor.eof:
                yield from decompressor.feed(data)
                if not decompressor.eof:
                    data = read()
                    if not data:
                        raise MalformedImageError(f"{what} ends in the middle of its {compression} data")
        except errors as error:
            raise MalformedImageError(f"{what} is corrupt {compression} data: {error}") from None
        data = _at_least(_MAGIC_BYTES, decompressor.unused_data or read(), read)


class _Member:
    """One gzip member or zstd frame: what the decompressors' objects have in common."""

    def __init__(self, made: Any) -> None:
        self._made = made

    @property
    def eof(self) -> bool:
        return bool(self._made.eof)

    @property
    def unused_data(self) -> bytes:
        return bytes(self._made.unused_data)


class _Gzip(_Member):
    """One gzip member, by isal or zlib: their objects have one interface."""

    def feed(self, data: bytes) -> Iterator[bytes]:
        made = self._made
        piece = made.decompress(data, PIECE_BYTES)
        while piece:
            yield piece
            if made.eof or (len(piece) < PIECE_BYTES and not made.unconsumed_tail):
                break
            # with no tail left, output may still wait inside
            piece = made.decompress(made.unconsumed_tail, PIECE_BYTES)


class _Zstd(_Member):
    """One zstd frame."""

    def feed(self, data: bytes) -> Iterator[bytes]:
        made = self._made
        piece = made.decompress(data, PIECE_BYTES)
        while True:
            if piece:
                yield piece
            if made.eof or made.needs_input:
                break
            piece = made.decompress(b"", PIECE_BYTES)


def _gzip_decompressor() -> tuple[Callable[[], _Decompressor], tuple[type[Exception], ...]]:
    gzip_window = 31  # zlib's way to ask for gzip's header, checksum and length
    try:
        isal_zlib = importlib.import_module("isal.isal_zlib")
    except ImportError:
        return lambda: _Gzip(zlib.decompressobj(gzip_window)), (zlib.error,)
    return lambda: _Gzip(isal_zlib.decompressobj(gzip_window)), (isal_zlib.error, zlib.error)


def _zstd_decompressor() -> tuple[Callable[[], _Decompressor], tuple[type[Exception], ...]]:
    try:
        zstd = importlib.import_module("compression.zstd")
    except ImportError:
        zstd = importlib.import_module("backports.zstd")
    return lambda: _Zstd(zstd.ZstdDecompressor()), (zstd.ZstdError,)
