"""The engine's export of an image, streamed into a file and bounded."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from verifier.errors import ResourceError, StoreError

PIECE: Final = 1024 * 1024


def _check_size(written: int, limit: int | None, what: str) -> None:
    if limit is not None and written > limit:
        raise StoreError(f"{what} is larger than the limit of {limit} bytes")


def write_bounded(response: Any, destination: Path, limit: int | None, what: str) -> None:
    """Write a streamed answer to a new file of at most `limit` bytes; on any failure no file stays.

    Raises StoreError past the limit, ResourceError when the file cannot be written, and what the connection raises.
    """
    written = 0
    try:
        with destination.open("xb") as file:
            for piece in response.raw.stream(PIECE, decode_content=True):
                written += len(piece)
                _check_size(written, limit, what)
                file.write(piece)
    except FileExistsError:
        raise ResourceError(f"{destination} exists already") from None
    except OSError as error:
        destination.unlink(missing_ok=True)
        if error.errno is None or isinstance(error, (ConnectionError, TimeoutError)):
            raise
        raise ResourceError(f"{destination} cannot be written: {error.strerror}") from error
    except BaseException:
        destination.unlink(missing_ok=True)
        raise
