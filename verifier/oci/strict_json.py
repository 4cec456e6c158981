"""JSON as digests need it: bounded in size and depth, no duplicate keys, UTF-8 alone.

Two parsers that resolve a duplicate key differently see two images under one digest; such a document is refused.
"""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

from verifier.errors import MalformedImageError
from verifier.oci.limits import MAX_JSON_BYTES, MAX_JSON_DEPTH


def parse_object(raw: bytes, what: str, *, max_bytes: int = MAX_JSON_BYTES) -> dict[str, Any]:
    """Parse `raw` into an object.

    `what` names the document in messages. Raises MalformedImageError for a document over `max_bytes`, nested deeper
    than MAX_JSON_DEPTH, with a duplicate key, a NaN or an infinity, or that is no object.
    """
    value = _parse(raw, what, max_bytes)
    if not isinstance(value, dict):
        raise MalformedImageError(f"{what} is not a JSON object")
    return value


def parse_list(raw: bytes, what: str, *, max_bytes: int = MAX_JSON_BYTES) -> list[Any]:
    """Parse `raw` into a list, as `parse_object` does an object. Raises MalformedImageError."""
    value = _parse(raw, what, max_bytes)
    if not isinstance(value, list):
        raise MalformedImageError(f"{what} is not a JSON list")
    return value


def _parse(raw: bytes, what: str, max_bytes: int) -> Any:
    if len(raw) > max_bytes:
        raise MalformedImageError(f"{what} has {len(raw)} bytes, over the limit of {max_bytes}")
    _check_depth(raw, what)

    def object_of(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        result = dict(pairs)
        if len(result) != len(pairs):
            duplicate = next(key for key, count in Counter(key for key, _ in pairs).items() if count > 1)
            raise MalformedImageError(f"{what} has the key {duplicate[:100]!r} twice in one object")
        return result

    def refuse_constant(name: str) -> Any:
        raise MalformedImageError(f"{what} holds {name}, which is not JSON")

    try:
        return json.loads(raw.decode("utf-8"), object_pairs_hook=object_of, parse_constant=refuse_constant)
    except (ValueError, RecursionError) as error:
        raise MalformedImageError(f"{what} is not JSON: {error}") from None


def _check_depth(raw: bytes, what: str) -> None:
    depth = 0
    in_string = escaped = False
    for byte in raw:
        if in_string:
            if escaped:
                escaped = False
            elif byte == 0x5C:  # backslash
                escaped = True
            elif byte == 0x22:  # quote
                in_string = False
        elif byte == 0x22:
            in_string = True
        elif byte in b"[{":
            depth += 1
            if depth > MAX_JSON_DEPTH:
                raise MalformedImageError(f"{what} nests deeper than {MAX_JSON_DEPTH} levels")
        elif byte in b"]}":
            depth -= 1
