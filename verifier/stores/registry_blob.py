"""One blob as a registry sends it: a stream that goes on where a broken connection ended.

What is read is not yet verified; `verifier.oci.blob` does that, of any store's blobs.
"""

from __future__ import annotations

import io
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, cast

from verifier.errors import MalformedImageError, StoreError, UnreachableError
from verifier.oci.digest import Digest

if TYPE_CHECKING:
    import requests
    from _typeshed import WriteableBuffer

    from verifier.stores.registry_transport import Transport

MUCH: Final = 1024 * 1024
"""Bytes after which failures before are forgotten: a bad line ends no download, one that gives nothing does."""


class BlobStream(io.RawIOBase):
    """One blob, read once from its start; nothing is asked before the first read."""

    def __init__(self, connect: Callable[[], Transport], registry: str, path: str, digest: Digest, size: int) -> None:
        """Take the path of the blob below `/v2/`, and its size in bytes: more is never read."""
        super().__init__()
        self._connect = connect
        self._registry = registry
        self._path = path
        self._digest = digest
        self._size = size
        self._position = 0
        self._response: requests.Response | None = None
        self._failures = 0
        self._since_failure = 0
        self._started = time.monotonic()

    def readable(self) -> bool:
        """Tell that this can be read."""
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        """Fill `buffer` with what comes next."""
        view = memoryview(buffer).cast("B")
        data = self.read(len(view))
        view[: len(data)] = data
        return len(data)

    def read(self, size: int = -1) -> bytes:
        """Read up to `size` bytes; nothing at the blob's end. Raises StoreError."""
        if size is None or size < 0:
            return self.readall()
        wanted = min(size, self._size - self._position)
        while wanted:
            data, trouble = self._read_some(wanted)
            if data:
                self._position += len(data)
                self._since_failure += len(data)
                return data
            self._pause(trouble)
        self._drop()
        return b""

    def close(self) -> None:
        """Give the connection back; safe to call twice."""
        self._drop()
        super().close()

    def _read_some(self, wanted: int) -> tuple[bytes, StoreError]:
        """Read from where we are, or say what is in the way."""
        from verifier.stores.registry_errors import NETWORK_ERRORS, network_error  # noqa: PLC0415 - not without requests

        cut = UnreachableError(f"the registry {self._registry} broke off blob {self._digest} at byte {self._position}")
        try:
            if self._response is None:
                self._response = self._opened(self._connect())
            return cast("bytes", self._response.raw.read(wanted, decode_content=False)), cut
        except StoreError:
            raise
        except NETWORK_ERRORS as error:
            trouble, may_help = network_error(error, self._registry)
            if not may_help:
                raise trouble from None
            return b"", cut

    def _opened(self, transport: Transport) -> requests.Response:
        from verifier.stores.registry_answers import failure, length_of  # noqa: PLC0415 - not without requests

        headers = {"Range": f"bytes={self._position}-"} if self._position else {}
        response = transport.do_request(transport.url(self._path), headers=headers)
        if response.status_code == 206 and self._position:
            self._check_range(response)
            return response
        if response.status_code != 200:
            raise failure(response, self._registry, f"blob {self._digest}")
        length = length_of(response)
        if length is not None and length != self._size:
            response.close()
            raise MalformedImageError(f"blob {self._digest} has {length} bytes where its descriptor says {self._size}")
        self._skip(response)
        return response

    def _check_range(self, response: requests.Response) -> None:
        told = response.headers.get("Content-Range", "")
        if not told.startswith(f"bytes {self._position}-"):
            response.close()
            raise UnreachableError(f"the registry {self._registry} sends another part of blob {self._digest}")

    def _skip(self, response: requests.Response) -> None:
        """Read past what we have: this registry has no ranges."""
        left = self._position
        while left:
            piece = response.raw.read(min(left, MUCH), decode_content=False)
            if not piece:
                break
            left -= len(piece)

    def _pause(self, trouble: StoreError) -> None:
        self._drop()
        if self._since_failure >= MUCH:
            self._failures = 0
        if self._failures == 0:
            self._started = time.monotonic()
        self._failures += 1
        self._since_failure = 0
        self._connect().pause(self._failures, self._started, trouble)

    def _drop(self) -> None:
        response: Any = self._response
        self._response = None
        if response is not None:
            response.close()
