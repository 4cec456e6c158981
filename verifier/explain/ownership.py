"""What one side's own records say of the files of some packages, and whether the side holds just that."""

from __future__ import annotations

import hashlib
import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from verifier.causes.inventory import Inventory
from verifier.formats.installed_packages import Package
from verifier.formats.limits import MIB
from verifier.oci.tar_entry import DIRECTORY, FILE, SYMLINK, HeldEntry

Entries = Mapping[tuple[bytes, int], HeldEntry]
"""What one side's layer holds, by path and occurrence."""

_CACHE: Final = b"/__pycache__"
_OPTIMISED: Final = re.compile(rb"opt-[A-Za-z0-9]+")

MAX_LISTED_BYTES: Final = 64 * MIB
"""Of the paths that one side's records list, and of the folders that these lie in, all together."""


class Ownership:
    """One side's packages in question, with what their records say."""

    def __init__(self, inventory: Inventory, packages: Iterable[Package], records: Mapping[bytes, bytes]) -> None:
        """Join the records, by their paths, with the packages. What cannot be read says nothing, nor does too much."""
        self._inventory = inventory
        self._listed: dict[bytes, set[str]] = {}
        self._stems: set[bytes] = set()
        budget = MAX_LISTED_BYTES
        for package in packages:
            files = _files(inventory, package, records)
            budget -= sum(map(len, files))
            if budget < 0:
                break
            if files:
                self._stems.update(filter(None, map(inventory.stem, package.records)))
            for path, digest in files.items():
                self._listed.setdefault(path, set()).update([] if digest is None else [digest])
        self._folders = _folders(self._listed)

    @property
    def files(self) -> Mapping[bytes, frozenset[str]]:
        """Give the paths that the records list, with their digests."""
        return {path: frozenset(digests) for path, digests in self._listed.items()}

    @property
    def algorithms(self) -> frozenset[str]:
        """Name the algorithms of the digests in the records."""
        named = {digest.partition(":")[0] for digests in self._listed.values() for digest in digests}
        return frozenset(named & hashlib.algorithms_guaranteed)

    def asked_for(self, path: bytes) -> Iterator[bytes]:
        """Yield the paths whose entries tell whether a path is as recorded; none where nothing is recorded of it."""
        source = _source(path)
        is_known = path in self._listed or path in self._folders or self._inventory.stem(path) in self._stems
        if is_known or source in self._listed or self._is_cache(path):
            yield path
        if source is not None and source in self._listed:
            yield source

    def holds(self, path: bytes, entries: Entries) -> bool:
        """Tell whether there is at a path what the records say."""
        held = entries.get((path, 0))
        if held is None:
            return False
        if held.type == DIRECTORY:
            return path in self._listed or path in self._folders or self._is_cache(path)
        if held.type == SYMLINK:
            return self._holds_link(path, held)
        if held.type != FILE:
            return False
        if recorded := self._listed.get(path):
            return not recorded.isdisjoint(held.digests)
        return self._inventory.stem(path) in self._stems or self._holds_bytecode(path, held, entries)

    def gives_time(self, path: bytes, entries: Entries) -> bool:
        """Tell whether the time of what is held came with it: not that of bytecode, which was made on the spot.

        A folder's time is that of what was last put into it, whoever did that: only an empty one has its own.
        """
        kind = entries[path, 0].type
        if kind == DIRECTORY:
            return path in self._listed and path not in self._folders
        return kind == SYMLINK or bool(self._listed.get(path)) or self._inventory.stem(path) in self._stems

    def _holds_link(self, path: bytes, held: HeldEntry) -> bool:
        recorded = self._listed.get(path)
        if recorded is None:
            return False
        if recorded:
            written = {f"{name}:{hashlib.new(name, held.linkname).hexdigest()}" for name in self.algorithms}
            return not recorded.isdisjoint(written)
        target = target_of(path, held)
        return target in self._listed or target in self._folders

    def _holds_bytecode(self, path: bytes, held: HeldEntry, entries: Entries) -> bool:
        """Tell whether bytecode was compiled from a source of that size which is as recorded; see PEP 3147 and 552."""
        source = _source(path)
        if source is None or not self._listed.get(source) or not self.holds(source, entries):
            return False
        flags, size = held.head[4:8], held.head[12:16]
        return flags == bytes(4) and size == (entries[source, 0].size & 0xFFFFFFFF).to_bytes(4, "little")

    def _is_cache(self, path: bytes) -> bool:
        return path.endswith(_CACHE) and path.removesuffix(_CACHE) in self._folders


def target_of(path: bytes, held: HeldEntry) -> bytes:
    """Give the path that a link names."""
    return posixpath.normpath(posixpath.join(posixpath.dirname(path), held.linkname))


def _files(inventory: Inventory, package: Package, records: Mapping[bytes, bytes]) -> Mapping[bytes, str | None]:
    own = {path: records[path] for path in package.records if path in records}
    try:
        return inventory.files(package, own)
    except ValueError:
        return {}


def _source(path: bytes) -> bytes | None:
    """Give the source beside a `__pycache__`, by the name MODULE.TAG.pyc or MODULE.TAG.opt-LEVEL.pyc."""
    folder, _, name = path.rpartition(b"/")
    parts = name.split(b".")
    is_optimised = len(parts) == 4 and _OPTIMISED.fullmatch(parts[2]) is not None
    if not folder.endswith(_CACHE) or parts[-1] != b"pyc" or not (len(parts) == 3 or is_optimised):
        return None
    return folder.removesuffix(_CACHE) + b"/" + parts[0] + b".py"


def _folders(paths: Iterable[bytes]) -> frozenset[bytes]:
    found: set[bytes] = set()
    budget = MAX_LISTED_BYTES
    for path in paths:
        folder = posixpath.dirname(path)
        while folder not in (b"", b"/") and folder not in found and budget > 0:
            budget -= len(folder)
            found.add(folder)
            folder = posixpath.dirname(folder)
    return frozenset(found)
