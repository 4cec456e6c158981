"""An image layout in a folder (OCI image specification, "Image Layout")."""

from __future__ import annotations

import os
from pathlib import Path
from typing import IO

from verifier.errors import MalformedImageError, StoreError
from verifier.oci.digest import Digest
from verifier.stores.files import blob_name, open_inside, open_window, read_bounded


class Folder:
    """A layout's folder; nothing outside it is ever opened, whatever links it holds."""

    def __init__(self, path: Path) -> None:
        """Take a folder. Raises StoreError when there is none, or it cannot be entered."""
        self.path = path
        try:
            os.close(os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC))
        except NotADirectoryError:
            hint = f"for an archive: oci-archive:{path} or docker-archive:{path}"
            raise StoreError(f"{path} is not a folder", hint) from None
        except OSError as error:
            raise StoreError(f"{path} cannot be read: {os.strerror(error.errno or 0)}") from None

    def read(self, name: str, limit: int) -> bytes | None:
        """Read a whole file, None when there is none of that name. Raises MalformedImageError past `limit` bytes."""
        descriptor = open_inside(self.path, name)
        if descriptor is None:
            return None
        try:
            size = os.fstat(descriptor).st_size
            if size > limit:
                raise MalformedImageError(f"{self.path}/{name} has {size} bytes, over the limit of {limit}")
            return read_bounded(descriptor, 0, size, f"{self.path}/{name}")
        finally:
            os.close(descriptor)

    def size_of(self, digest: Digest) -> int | None:
        """Give a blob's size in bytes, None when it is not there."""
        descriptor = open_inside(self.path, blob_name(digest))
        if descriptor is None:
            return None
        try:
            return os.fstat(descriptor).st_size
        finally:
            os.close(descriptor)

    def open(self, digest: Digest) -> IO[bytes]:
        """Open a blob. Raises StoreError when it is not there."""
        descriptor = open_inside(self.path, blob_name(digest))
        if descriptor is None:
            raise StoreError(f"{self.path}: blob {digest} is missing")
        try:
            return open_window(descriptor, 0, os.fstat(descriptor).st_size)
        finally:
            os.close(descriptor)

    def close(self) -> None:
        """Do nothing: no file stays open."""
