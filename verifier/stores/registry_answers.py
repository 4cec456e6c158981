"""What registries answer: bounded bodies, their error codes, the errors that these mean."""

from __future__ import annotations

import contextlib
import json
import re
from typing import TYPE_CHECKING, Final

from verifier.errors import MalformedImageError, NotFoundError, StoreError, UnauthorizedError, UnreachableError

if TYPE_CHECKING:
    import requests

_MAX_ERROR_BYTES: Final = 64 * 1024
_CODE: Final = re.compile(r"[A-Z][A-Z_]{2,39}")


class StorageRefusedError(UnauthorizedError):
    """The storage that a registry redirects to does not let us."""


def read_bounded(response: requests.Response, limit: int, what: str) -> bytes:
    """Read a whole body of at most `limit` bytes, as it was sent, and close it.

    Raises MalformedImageError for a longer one, before anything of it is read where its length is told, and for one
    that ends before the length that was told; urllib3's exceptions for a broken connection.
    """
    try:
        told = length_of(response)
        if told is not None and told > limit:
            raise MalformedImageError(f"{what} has {told} bytes, over the limit of {limit}")
        pieces: list[bytes] = []
        read = 0
        while piece := response.raw.read(min(64 * 1024, limit + 1 - read), decode_content=False):
            pieces.append(piece)
            read += len(piece)
            if read > limit:
                raise MalformedImageError(f"{what} has more than the limit of {limit} bytes")
        return b"".join(pieces)
    finally:
        response.close()


def let_go(response: requests.Response) -> None:
    """Close an answer of which nothing more is wanted; a short rest is read, so that its connection stays of use."""
    with contextlib.suppress(Exception):  # there is nothing that this could spoil
        read_bounded(response, _MAX_ERROR_BYTES, "rest")


def length_of(response: requests.Response) -> int | None:
    """Give the length that an answer tells, None where it tells none that can be read."""
    text = response.headers.get("Content-Length", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 20 else None


def media_type_of(response: requests.Response) -> str:
    """Give an answer's media type without its parameters, in lower case; empty where it tells none."""
    return response.headers.get("Content-Type", "").partition(";")[0].strip().lower()


def error_code(response: requests.Response) -> str | None:
    """Give the first code of an error answer, such as MANIFEST_UNKNOWN (distribution specification, "Error codes").

    Its message is left out: it may repeat what it was sent.
    """
    try:
        value = json.loads(read_bounded(response, _MAX_ERROR_BYTES, "error"))
        code = value["errors"][0]["code"]
    except Exception:  # noqa: BLE001 - an error's details are worth no failure
        return None
    return code if isinstance(code, str) and _CODE.fullmatch(code) else None


def failure(response: requests.Response, registry: str, what: str, *, when: str = "asked for") -> StoreError:
    """Turn an answer that is none of the good ones into an error; `what` was asked for (or `when` says what else)."""
    status = response.status_code
    code = error_code(response)
    told = f"{status} ({code})" if code else str(status)
    if status == 404:
        return NotFoundError(f"the registry {registry} has no {what}")
    if status == 429:
        return UnreachableError(
            f"the registry {registry} has had too many requests from here", "try later, or log in for a higher limit"
        )
    kind = UnreachableError if status >= 500 else StoreError
    return kind(f"the registry {registry} answers with {told} when {when} {what}")
