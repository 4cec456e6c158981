"""Unfold what Erlang's and Elixir's compilers write: modules (`.beam`), and terms in the external format, compressed.

A module is an IFF form (`FOR1`, size, `BEAM`) of chunks, each with a name, a size and padding to four bytes. Its
literals (`LitT`) lie compressed behind their size. The version among its attributes is the MD5 digest of its code, and
so is the first part of each function's number in `FunT`: both follow from the other chunks, and do not count where they
are as they must be (`beam_asm:build_file/9`, `beam_lib:md5/1`; ERTS, "External Term Format", 131 80).
"""

from __future__ import annotations

import hashlib
import re
import zlib
from dataclasses import replace
from typing import Final, NamedTuple

from verifier.formats.deflate import Budget, inflate_raw
from verifier.formats.field import Node
from verifier.formats.limits import MAX_MEMBERS
from verifier.formats.spans import Cutter
from verifier.formats.tar_archive import Unfolder

_COMPRESSED_TERM: Final = b"\x83P"
_ZLIB_HEADERS: Final = (b"\x78\x01", b"\x78\x5e", b"\x78\x9c", b"\x78\xda")
_HEADER_BYTES: Final = 12
_CHUNK_BYTES: Final = 8
_FUNCTION_BYTES: Final = 24
_UNIQUE_BITS: Final = 27
_ESSENTIAL: Final = (
    (b"Atom", b"AtU8"),
    *((name,) for name in (b"Code", b"StrT", b"ImpT", b"ExpT", b"FunT", b"LitT", b"Meta")),
)
"""Chunks that the digest is of, in its order; the last one since OTP 25."""

_VERSION: Final = re.compile(rb"(?:d\0|w|s)\x03vsnl\0\0\0\x01n([\x01-\x10])\0", re.DOTALL)
"""`{vsn, [Integer]}` up to the integer's own bytes, of which there are so many, the lowest first."""


class _Chunk(NamedTuple):
    """One chunk: its name, where its data begin, and how many bytes they are."""

    name: bytes
    start: int
    size: int


def is_module(data: bytes) -> bool:
    """Tell by the form's and the module's magic."""
    return len(data) >= _HEADER_BYTES and data[:4] == b"FOR1" and data[8:12] == b"BEAM"


def is_compressed_term(data: bytes) -> bool:
    """Tell by the version, the tag, and zlib's header."""
    return data[:2] == _COMPRESSED_TERM and data[6:8] in _ZLIB_HEADERS


def unfold_compressed_term(data: bytes, name: str, offset: int, unfold: Unfolder, budget: Budget) -> Node:
    """Unfold a term: version and tag, size, and zlib's stream. Raises ValueError for damage."""
    cutter = Cutter(data)
    cutter.take("version and tag", "term", 2)
    _take_stream(cutter, len(data), "term", unfold, budget)
    return cutter.finish(name, "compressed term", offset)


def unfold_module(data: bytes, name: str, offset: int, unfold: Unfolder, budget: Budget) -> Node:
    """Unfold a module. Raises ValueError where it is none, or is damaged."""
    chunks = _read_chunks(data)
    digest = _digest(data, chunks)
    cutter = Cutter(data)
    cutter.take("form", "beam", 4)
    cutter.take("size", "beam", 4, derived=int.from_bytes(data[4:8], "big") == len(data) - 8)
    cutter.take("magic", "beam", 4)
    for chunk in chunks:
        _take_chunk(cutter, chunk, digest, unfold, budget)
    return cutter.finish(name, "beam", offset)


def _read_chunks(data: bytes) -> list[_Chunk]:
    chunks: list[_Chunk] = []
    position = _HEADER_BYTES
    while position < len(data):
        size = int.from_bytes(data[position + 4 : position + _CHUNK_BYTES], "big")
        start = position + _CHUNK_BYTES
        if start + size > len(data) or len(chunks) >= MAX_MEMBERS:
            raise ValueError("a chunk is cut off, or there are too many")
        chunks.append(_Chunk(data[position : position + 4], start, size))
        position = start + size + -size % 4
    return chunks


def _digest(data: bytes, chunks: list[_Chunk]) -> bytes:
    """Digest the essential chunks as the compiler does: before functions have their numbers."""
    digest = hashlib.md5(usedforsecurity=False)
    held = {chunk.name: data[chunk.start : chunk.start + chunk.size] for chunk in chunks}
    for names in _ESSENTIAL:
        content = next((held[name] for name in names if name in held), b"")
        if names == (b"FunT",):
            table = bytearray(content)
            for end in range(4 + _FUNCTION_BYTES, len(table) + 1, _FUNCTION_BYTES):
                table[end - 4 : end] = bytes(4)
            content = bytes(table)
        digest.update(content)
    return digest.digest()


def _take_chunk(cutter: Cutter, chunk: _Chunk, digest: bytes, unfold: Unfolder, budget: Budget) -> None:
    label = chunk.name.decode("ascii", "backslashreplace")
    cutter.take(f"{label}: name", "beam", 4)
    end = chunk.start + chunk.size
    content = cutter.data[chunk.start : end]
    is_literals = chunk.name == b"LitT" and content[4:6] in _ZLIB_HEADERS
    # what is inside tells where it ends
    cutter.take(f"{label}: size", "beam", 4, derived=is_literals or is_compressed_term(content))
    if is_literals:
        _take_stream(cutter, end, label, unfold, budget)
    elif chunk.name == b"FunT":
        _take_functions(cutter, end, digest)
    elif chunk.name == b"Attr":
        _take_attributes(cutter, content, digest)
    elif chunk.size:
        cutter.nest(unfold(content, label, chunk.start), chunk.size)
    padding = cutter.peek(-chunk.size % 4)
    is_usual = padding == bytes(-chunk.size % 4)
    # none at all is padding as well: sizes may differ
    cutter.tell(f"{label}: padding", "beam", padding, len(padding), derived=is_usual)


def _take_stream(cutter: Cutter, end: int, label: str, unfold: Unfolder, budget: Budget) -> None:
    """Take a size of 32 bits and zlib's stream (RFC 1950), which ends at `end`."""
    start = cutter.position
    found = inflate_raw(cutter.data[:end], start + 6, budget)
    if found is None or start + 6 + found.used + 4 != end:
        raise ValueError("damaged, or too large")
    size = len(found.content).to_bytes(4, "big")
    cutter.take(f"{label}: size of the content", "beam", 4, derived=cutter.peek(4) == size)
    cutter.take(f"{label}: header", "beam", 2)
    node = unfold(found.content, f"{label}: content", cutter.position)
    stream = None if found.encoder else cutter.peek(found.used)
    cutter.nest(replace(node, encoder=found.encoder, stream=stream), found.used)
    checksum = zlib.adler32(found.content).to_bytes(4, "big")
    cutter.take(f"{label}: checksum", "beam", 4, derived=cutter.peek(4) == checksum)


def _take_functions(cutter: Cutter, end: int, digest: bytes) -> None:
    number = (int.from_bytes(digest, "big") >> (128 - _UNIQUE_BITS)).to_bytes(4, "big")
    cutter.take("FunT: count", "beam", min(4, end - cutter.position))
    while end - cutter.position >= _FUNCTION_BYTES:
        cutter.take("FunT: function", "beam", _FUNCTION_BYTES - 4)
        cutter.take("FunT: number", "beam", 4, derived=cutter.peek(4) == number)
    cutter.take("FunT: rest", "beam", end - cutter.position)


def _take_attributes(cutter: Cutter, content: bytes, digest: bytes) -> None:
    """Take the attributes; a version that is the module's digest follows."""
    version = int.from_bytes(digest, "big")
    written = version.to_bytes(max(1, (version.bit_length() + 7) // 8), "little")
    position = 0
    match = _VERSION.search(content)
    if match is not None and match[1][0] == len(written) and content.startswith(written, match.end()):
        cutter.take("Attr: before the version", "beam", match.start(1))
        cutter.take("Attr: size of the version", "beam", 1, derived=True)
        cutter.take("Attr: sign of the version", "beam", 1)
        cutter.take("Attr: version", "beam", len(written), derived=True)
        position = match.end() + len(written)
    cutter.take("Attr: attributes", "beam", len(content) - position)
