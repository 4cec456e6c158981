"""Write a layer's tar stream again with other values in some entries, and take its `diff_id`. Nothing is stored.

Entry by entry as it was: header blocks, content, padding, trailer; only what an edit names is other. Memory is that of
one edited content.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Final

from verifier.compare.content import open_reader, pieces_of
from verifier.errors import MalformedImageError
from verifier.oci.blob import stream_layer
from verifier.oci.digest import Digest
from verifier.oci.image import Image
from verifier.oci.tar import ZEROS, TarReader
from verifier.oci.tar_edit import Edits, EntryEdit, edit_header
from verifier.oci.tar_entry import BLOCK

MAX_TRAILER: Final = 16 * 1024 * 1024
"""Bytes of zeros behind the last entry that are written again."""


def normalised_diff_id(image: Image, layer: int, edits: Edits, limit_bytes: int) -> Digest:
    """Digest a layer's tar stream as it is with `edits`; a content to be edited has at most `limit_bytes`.

    Raises MalformedImageError for what cannot be written so (a sparse file, a number that is not octal, data behind the
    end of the archive), StoreError and DigestMismatchError as reading does, and what an edit raises.
    """
    described = image.layers[layer]
    reader = open_reader(image, described, stream_layer(image.blobs, described))
    hasher = hashlib.sha256()
    counts: dict[bytes, int] = {}
    edited_paths = {path for path, _ in edits}
    while (raw := reader.next_header()) is not None:
        entry = reader.parse(raw)
        reader.begin(entry)
        if entry.sparse is not None:
            raise MalformedImageError("a sparse file is not written again")
        edit = None
        if entry.path in edited_paths:
            number = counts.get(entry.path, -1) + 1
            counts[entry.path] = number
            edit = edits.get((entry.path, number))
        if edit is None:
            _take_as_it_is(reader, raw, hasher.update)
        elif entry.size > limit_bytes and edit.content is not None:
            raise MalformedImageError(f"a content of {entry.size} bytes is too large to be written again")
        else:
            _take_edited(reader, raw, edit, hasher.update)
    _take_trailer(reader, hasher.update)
    return Digest(f"sha256:{hasher.hexdigest()}")


def _take_as_it_is(reader: TarReader, raw: bytes, update: Callable[[bytes], None]) -> None:
    update(raw)
    for piece in pieces_of(reader):
        update(piece)
    update(reader.end())


def _take_edited(reader: TarReader, raw: bytes, edit: EntryEdit, update: Callable[[bytes], None]) -> None:
    if edit.content is None:
        _take_as_it_is(reader, edit_header(raw, mtime=edit.mtime, mode=edit.mode), update)
        return
    content = edit.content(b"".join(pieces_of(reader)))
    padding = reader.end()
    if padding.strip(b"\0"):
        raise MalformedImageError("the padding of a content that is written again is not zeros")
    update(edit_header(raw, mtime=edit.mtime, mode=edit.mode, size=len(content)))
    update(content)
    update(bytes(-len(content) % BLOCK))


def _take_trailer(reader: TarReader, update: Callable[[bytes], None]) -> None:
    trailer = reader.trailer()
    left, check = trailer.size, hashlib.sha256()
    if left > MAX_TRAILER:
        raise MalformedImageError(f"{left} bytes follow the end of the archive")
    while left:
        piece = ZEROS[:left]
        check.update(piece)
        update(piece)
        left -= len(piece)
    if f"sha256:{check.hexdigest()}" != trailer.digest:
        raise MalformedImageError("what follows the end of the archive is not zeros")
