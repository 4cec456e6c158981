"""Take fields out of parsed JSON, each of its type or with an error that names the place."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any, NoReturn, TypeVar

from verifier.errors import MalformedImageError, UsageError
from verifier.oci.digest import Digest, parse_digest

T = TypeVar("T")


class Fields:
    """One JSON object at a place of the report. Every method raises UsageError."""

    def __init__(self, value: object, where: str) -> None:
        if not isinstance(value, dict):
            refuse(where, "an object is needed")
        self._value: dict[str, Any] = value
        self.where = where

    def get(self, key: str) -> Any:
        """Give any value; a key that is missing is refused."""
        if key not in self._value:
            refuse(f"{self.where}.{key}", "is missing")
        return self._value[key]

    def text(self, key: str) -> str:
        """Give a string."""
        return self._typed(key, str)

    def number(self, key: str) -> int:
        """Give a whole number of at least 0."""
        value = self._typed(key, int)
        if isinstance(value, bool) or value < 0:
            refuse(f"{self.where}.{key}", "a number of at least 0 is needed")
        return value

    def flag(self, key: str) -> bool:
        """Give a truth value."""
        return self._typed(key, bool)

    def digest(self, key: str) -> Digest:
        """Give a digest."""
        try:
            return parse_digest(self.get(key), f"{self.where}.{key}")
        except MalformedImageError as error:
            raise UsageError(f"the report is malformed: {error.message}") from None

    def digests(self, key: str) -> tuple[Digest, ...]:
        """Give an array of digests."""
        try:
            return tuple(parse_digest(text, f"{self.where}.{key}") for text in self.texts(key))
        except MalformedImageError as error:
            raise UsageError(f"the report is malformed: {error.message}") from None

    def bytes(self, key: str) -> bytes:
        """Give bytes that are written in base64."""
        try:
            return base64.b64decode(self.text(key), validate=True)
        except (binascii.Error, ValueError):
            refuse(f"{self.where}.{key}", "is not base64")

    def time(self, key: str) -> datetime:
        """Give a moment."""
        try:
            moment = datetime.fromisoformat(self.text(key))
        except ValueError:
            refuse(f"{self.where}.{key}", "is no time")
        if moment.tzinfo is None:
            refuse(f"{self.where}.{key}", "has no time zone")
        return moment

    def word(self, key: str, allowed: frozenset[Any]) -> Any:
        """Give one of a few words."""
        value = self.get(key)
        if not (value is None or isinstance(value, str)) or value not in allowed:
            refuse(f"{self.where}.{key}", f"{value!r:.40} is none of its words")
        return value

    def inner(self, key: str) -> Fields:
        """Give an object."""
        return Fields(self.get(key), f"{self.where}.{key}")

    def optional(self, key: str, read: Callable[[str], T]) -> T | None:
        """Read a value unless it is null."""
        return None if self.get(key) is None else read(key)

    def each(self, key: str) -> Iterator[Fields]:
        """Walk an array of objects."""
        for number, item in enumerate(self._typed(key, list)):
            yield Fields(item, f"{self.where}.{key}[{number}]")

    def texts(self, key: str) -> tuple[str, ...]:
        """Give an array of strings."""
        return self._all(key, str)

    def numbers(self, key: str, below: int | None = None) -> tuple[int, ...]:
        """Give an array of whole numbers of at least 0, and below `below`."""
        found = self._all(key, int)
        if any(item < 0 or (below is not None and item >= below) for item in found):
            refuse(f"{self.where}.{key}", "points at nothing")
        return found

    def _all(self, key: str, kind: type[T]) -> tuple[T, ...]:
        found = self._typed(key, list)
        if not all(isinstance(item, kind) and not isinstance(item, bool) for item in found):
            refuse(f"{self.where}.{key}", f"holds more than {kind.__name__}")
        return tuple(found)

    def _typed(self, key: str, kind: type[T]) -> T:
        value = self.get(key)
        if not isinstance(value, kind):
            refuse(f"{self.where}.{key}", f"{kind.__name__} is needed")
        return value


def refuse(where: str, why: str) -> NoReturn:
    """Say what is wrong with a report, and where."""
    raise UsageError(f"the report is malformed: {where}: {why}")
