"""Unfold a content into a tree of fields, by what its bytes say it is; bounded in depth and in size.

The formats are tried in order. What a format's reader objects to (damage, an unknown variant) stays one field, so
that the unfolding never fails and never drops a byte.
"""

from __future__ import annotations

import struct

from verifier.formats.ar_archive import is_ar, unfold_ar
from verifier.formats.deflate import Budget
from verifier.formats.field import Field, Node
from verifier.formats.font_cache import is_font_cache, unfold_font_cache
from verifier.formats.gzip_stream import is_gzip, unfold_gzip
from verifier.formats.java_keystore import is_keystore, unfold_keystore
from verifier.formats.library_cache import is_library_cache, unfold_library_cache
from verifier.formats.limits import MAX_DEPTH, MAX_UNFOLDED_BYTES
from verifier.formats.python_bytecode import is_bytecode, unfold_bytecode
from verifier.formats.tar_archive import is_tar, unfold_tar
from verifier.formats.text import is_text
from verifier.formats.zip_archive import is_zip, unfold_zip


def unfold(data: bytes) -> Node:
    """Unfold one whole content."""
    return _Unfolding().unfold(data, "", 0)


class _Unfolding:
    """One content's unfolding: how deep it is by now, and how much may still be inflated."""

    def __init__(self) -> None:
        self._depth = 0
        self._budget = Budget(MAX_UNFOLDED_BYTES)

    def unfold(self, data: bytes, name: str, offset: int) -> Node:
        """Unfold a content, or a member of one."""
        if self._depth < MAX_DEPTH:
            self._depth += 1
            try:
                node = self._structured(data, name, offset)
            except (ValueError, IndexError, struct.error):
                node = None
            finally:
                self._depth -= 1
            if node is not None:
                return node
        kind = "text" if is_text(data) else "bytes"
        parts = (Field(name="", kind=kind, value=data, offset=0),) if data else ()
        return Node(name=name, format=kind, parts=parts, offset=offset)

    def _structured(self, data: bytes, name: str, offset: int) -> Node | None:
        if is_gzip(data):
            return unfold_gzip(data, name, offset, self.unfold, self._budget)
        if is_zip(data):
            return unfold_zip(data, name, offset, self.unfold, self._budget)
        if is_ar(data):
            return unfold_ar(data, name, offset, self.unfold)
        if is_tar(data):
            return unfold_tar(data, name, offset, self.unfold)
        for is_format, read in (
            (is_bytecode, unfold_bytecode),
            (is_keystore, unfold_keystore),
            (is_library_cache, unfold_library_cache),
            (is_font_cache, unfold_font_cache),
        ):
            if is_format(data):
                return read(data, name, offset)
        return None
