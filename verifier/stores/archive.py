"""An archive that holds an image: a tar file, or a compressed one that is inflated into the workspace first."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import IO

from verifier.errors import MalformedImageError, StoreError
from verifier.oci.digest import Digest
from verifier.stores.files import blob_name, errors_about, open_file, open_window, read_bounded
from verifier.stores.members import Member, scan_members
from verifier.stores.spool import compression_of, spool


class Archive:
    """An opened archive; its members are read in place, and it is a source of blobs where it is an image layout."""

    def __init__(self, path: Path, workspace: Path) -> None:
        """Open `path` and walk over its headers. Raises StoreError."""
        self.path = path
        self._spooled: Path | None = None
        self._descriptor: int | None = open_file(path)
        try:
            with errors_about(str(path)):
                self._inflate(self._descriptor, workspace)
                self._members = scan_members(self.descriptor)
        except BaseException:
            self.close()
            raise

    def _inflate(self, descriptor: int, workspace: Path) -> None:
        if compression_of(descriptor) != "none":
            self._spooled = spool(descriptor, workspace)
            self._descriptor = None
            os.close(descriptor)
            self._descriptor = open_file(self._spooled)

    def __contains__(self, name: str) -> bool:
        return name in self._members

    def find(self, name: str) -> Member | None:
        """Give the regular file that a name stands for, links followed. Raises MalformedImageError."""
        with errors_about(str(self.path)):
            return self._members.find(name)

    def read(self, name: str, limit: int) -> bytes | None:
        """Read a whole member, None when there is none of that name. Raises MalformedImageError past `limit` bytes."""
        member = self.find(name)
        if member is None:
            return None
        if member.size > limit:
            raise MalformedImageError(f"{self.path}: {name} has {member.size} bytes, over the limit of {limit}")
        return read_bounded(self.descriptor, member.offset, member.size, f"{self.path}: {name}")

    def size_of(self, digest: Digest) -> int | None:
        """Give the size of a blob of the layout in bytes, None when it is not there."""
        member = self.find(blob_name(digest))
        return None if member is None else member.size

    def open(self, digest: Digest) -> IO[bytes]:
        """Open a blob of the layout. Raises StoreError when it is not there."""
        member = self.find(blob_name(digest))
        if member is None:
            raise StoreError(f"{self.path}: blob {digest} is missing")
        return self.open_member(member)

    def open_member(self, member: Member) -> IO[bytes]:
        """Open a member's content."""
        return open_window(self.descriptor, member.offset, member.size)

    @property
    def descriptor(self) -> int:
        """The archive's own file descriptor. Raises StoreError once it is closed."""
        if self._descriptor is None:
            raise StoreError(f"{self.path} is closed")
        return self._descriptor

    def close(self) -> None:
        """Close the file, and remove what was inflated; safe to call twice."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
        if self._spooled is not None:
            with contextlib.suppress(OSError):
                self._spooled.unlink()
            self._spooled = None
