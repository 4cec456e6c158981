"""What a cause may know of a package manager's own records: which files came with a package whose version varies."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from verifier.formats.installed_packages import Away, Digests, Package


def _none(path: bytes) -> bytes | None:  # noqa: ARG001
    return None


def _no_list(path: bytes) -> bool:  # noqa: ARG001
    return False


def _as_it_is(path: bytes, text: bytes, away: Away) -> bytes:  # noqa: ARG001
    return text


@dataclass(frozen=True, slots=True, kw_only=True)
class Inventory:
    """How one package manager records what is installed; every part sees one side alone, and is pure.

    `is_database` tells by its path a file that names packages, and `packages` reads it, by path and content; what it
    objects to is a ValueError. `files` joins what a package's further records (by their paths) say of its files.
    `stem` gives, of the path of a file that the manager keeps of one package, what all of that package's share.
    `is_list` tells the files that are made of many packages, and `without` leaves some out of one, by path and content.
    """

    is_database: Callable[[bytes], bool]
    packages: Callable[[bytes, bytes], Iterator[Package]]
    files: Callable[[Package, Mapping[bytes, bytes]], Digests]
    stem: Callable[[bytes], bytes | None] = _none
    is_list: Callable[[bytes], bool] = _no_list
    without: Callable[[bytes, bytes, Away], bytes] = _as_it_is
