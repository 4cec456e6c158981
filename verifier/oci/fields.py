"""Typed access to parsed JSON; every error carries the value's path (`layers[2].digest`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from verifier.errors import MalformedImageError


def string_at(value: Mapping[str, Any], key: str, where: str) -> str:
    """Get a string that must be there. Raises MalformedImageError."""
    found = value.get(key)
    if not isinstance(found, str):
        raise MalformedImageError(f"{where}.{key}: a string is needed")
    return found


def optional_string_at(value: Mapping[str, Any], key: str, where: str) -> str | None:
    """Get a string that may be missing or null. Raises MalformedImageError for another type."""
    return None if value.get(key) is None else string_at(value, key, where)


def size_at(value: Mapping[str, Any], key: str, where: str) -> int:
    """Get a non-negative integer. Raises MalformedImageError."""
    found = value.get(key)
    if not isinstance(found, int) or isinstance(found, bool) or found < 0:
        raise MalformedImageError(f"{where}.{key}: a size in bytes is needed")
    return found


def object_at(value: Mapping[str, Any], key: str, where: str) -> dict[str, Any]:
    """Get an object that must be there. Raises MalformedImageError."""
    found = value.get(key)
    if not isinstance(found, dict):
        raise MalformedImageError(f"{where}.{key}: an object is needed")
    return found


def list_at(value: Mapping[str, Any], key: str, where: str, *, limit: int) -> list[Any]:
    """Get a list that must be there, of at most `limit` elements. Raises MalformedImageError."""
    found = value.get(key)
    if not isinstance(found, list):
        raise MalformedImageError(f"{where}.{key}: a list is needed")
    if len(found) > limit:
        raise MalformedImageError(f"{where}.{key} has {len(found)} elements, over the limit of {limit}")
    return found


def strings_at(value: Mapping[str, Any], key: str, where: str) -> tuple[tuple[str, str], ...]:
    """Get a map of strings as sorted pairs; empty when missing or null. Raises MalformedImageError."""
    found = value.get(key)
    if found is None:
        return ()
    if not isinstance(found, dict) or not all(isinstance(item, str) for item in found.values()):
        raise MalformedImageError(f"{where}.{key}: a map of strings is needed")
    return tuple(sorted(found.items()))
