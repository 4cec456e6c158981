"""Unfold a content into a tree of fields, by what its bytes say it is; bounded in depth and in size.

The formats are tried in order. What a format's reader objects to (damage, an unknown variant) stays one field, so
that the unfolding never fails and never drops a byte.
"""

from __future__ import annotations

import struct
from collections.abc import Callable

from verifier.formats.ar_archive import is_ar, unfold_ar
from verifier.formats.beam_file import is_compressed_term, is_module, unfold_compressed_term, unfold_module
from verifier.formats.berkeley_database import is_berkeley_database, unfold_berkeley_database
from verifier.formats.bzip2_stream import is_bzip2, unfold_bzip2
from verifier.formats.coverage_notes import is_coverage_notes, unfold_coverage_notes
from verifier.formats.cpio_archive import is_cpio, unfold_cpio
from verifier.formats.deflate import Budget
from verifier.formats.elf_file import unfold_elf
from verifier.formats.elf_header import is_elf
from verifier.formats.field import Field, Node
from verifier.formats.font_cache import is_font_cache, unfold_font_cache
from verifier.formats.git_index import is_git_index, unfold_git_index
from verifier.formats.gnupg_files import is_keybox, is_trust_database, unfold_keybox, unfold_trust_database
from verifier.formats.gzip_stream import is_gzip, unfold_gzip
from verifier.formats.hdf5_file import is_hdf5, unfold_hdf5
from verifier.formats.java_keystore import is_keystore, unfold_keystore
from verifier.formats.library_cache import is_library_cache, unfold_library_cache
from verifier.formats.limits import MAX_DEPTH, MAX_UNFOLDED_BYTES
from verifier.formats.message_catalog import is_message_catalog, unfold_message_catalog
from verifier.formats.numeric_array import is_numpy, is_safetensors, unfold_numpy, unfold_safetensors
from verifier.formats.pickle_stream import is_pickle, unfold_pickle
from verifier.formats.python_bytecode import is_bytecode, unfold_bytecode
from verifier.formats.rpm_header import is_rpm_header, unfold_rpm_header
from verifier.formats.sqlite_database import is_database, unfold_database
from verifier.formats.sqlite_log import is_log, is_log_index, unfold_log, unfold_log_index
from verifier.formats.tar_archive import is_tar, unfold_tar
from verifier.formats.text import is_text
from verifier.formats.xz_stream import is_xz, unfold_xz
from verifier.formats.zip_archive import is_zip, unfold_zip
from verifier.formats.zlib_stream import is_zlib, unfold_zlib
from verifier.formats.zstd_stream import is_zstd, unfold_zstd

Noting = Callable[[str, bytes], None]
"""Is told of each member of a container what it is called there, and its content."""


def unfold(data: bytes, note: Noting | None = None) -> Node:
    """Unfold one whole content; `note` is told of what is found inside."""
    return _Unfolding(note).unfold(data, "", 0)


class _Unfolding:
    """One content's unfolding: how deep it is by now, and how much may still be inflated."""

    def __init__(self, note: Noting | None) -> None:
        self._depth = 0
        self._budget = Budget(MAX_UNFOLDED_BYTES)
        self._note = note

    def unfold(self, data: bytes, name: str, offset: int) -> Node:
        """Unfold a content, or a member of one."""
        if self._note is not None and self._depth > 0:
            self._note(name, data)
        if self._depth < MAX_DEPTH:
            self._depth += 1
            try:
                node = self._structured(data, name, offset)
            except (ValueError, LookupError, struct.error):
                node = None
            finally:
                self._depth -= 1
            if node is not None:
                return node
        kind = "text" if is_text(data) else "bytes"
        parts = (Field(name="", kind=kind, value=data, offset=0),) if data else ()
        return Node(name=name, format=kind, parts=parts, offset=offset)

    def _structured(self, data: bytes, name: str, offset: int) -> Node | None:
        for is_format, read_stream in (
            (is_gzip, unfold_gzip),
            (is_zip, unfold_zip),
            (is_xz, unfold_xz),
            (is_zstd, unfold_zstd),
            (is_module, unfold_module),
            (is_compressed_term, unfold_compressed_term),
            (is_zlib, unfold_zlib),
            (is_bzip2, unfold_bzip2),
        ):
            if is_format(data):
                return read_stream(data, name, offset, self.unfold, self._budget)
        if is_elf(data):
            return unfold_elf(data, name, offset, self._budget)
        for is_format, read_nested in (
            (is_ar, unfold_ar),
            (is_tar, unfold_tar),
            (is_cpio, unfold_cpio),
            (is_database, unfold_database),
            (is_log, unfold_log),
        ):
            if is_format(data):
                return read_nested(data, name, offset, self.unfold)
        for is_format, read in (
            (is_bytecode, unfold_bytecode),
            (is_keystore, unfold_keystore),
            (is_library_cache, unfold_library_cache),
            (is_font_cache, unfold_font_cache),
            (is_git_index, unfold_git_index),
            (is_pickle, unfold_pickle),
            (is_numpy, unfold_numpy),
            (is_safetensors, unfold_safetensors),
            (is_log_index, unfold_log_index),
            (is_berkeley_database, unfold_berkeley_database),
            (is_keybox, unfold_keybox),
            (is_trust_database, unfold_trust_database),
            (is_rpm_header, unfold_rpm_header),
            (is_coverage_notes, unfold_coverage_notes),
            (is_message_catalog, unfold_message_catalog),
            (is_hdf5, unfold_hdf5),
        ):
            if is_format(data):
                return read(data, name, offset)
        return None
