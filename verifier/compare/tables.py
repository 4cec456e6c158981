"""Tables and lists that go to disk once they outgrow a limit: a layer of a million entries costs no more memory."""

from __future__ import annotations

import itertools
import sqlite3
import struct
import weakref
from collections.abc import Iterable, Iterator
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Final, Self

from verifier.compare.kept import KeptContents
from verifier.errors import ResourceError

MIB: Final = 1024 * 1024

_ITEM_OVERHEAD: Final = 160
"""What a key and a value cost beyond their bytes, in bytes, roughly: two objects and a slot."""

_FILTER_BITS: Final = 2**25
"""Size of the filter in front of a database: most keys that are looked up are new, and need no look at the disk."""

_LENGTHS: Final = struct.Struct("<II")
_numbers: Final = itertools.count()


class SpillSpace:
    """A folder for tables and lists; as a context manager it closes whatever of them is still open, failed or not.

    `kept` takes in contents that differ; it is another's to close.
    """

    def __init__(self, folder: Path, kept: KeptContents | None = None) -> None:
        self.folder = folder
        self.kept = kept
        self._open: weakref.WeakSet[SpillTable | SpillList] = weakref.WeakSet()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for item in list(self._open):
            item.close()

    def remember(self, item: SpillTable | SpillList) -> None:
        """Close `item` at the end."""
        self._open.add(item)


class SpillTable:
    """A map of bytes to bytes, in memory up to `limit` bytes, in a database in the space's folder from then on.

    Raises ResourceError where the disk is full.
    """

    def __init__(self, space: SpillSpace, limit: int) -> None:
        self._space = space
        space.remember(self)
        self._room = self._limit = limit
        self._items: dict[bytes, bytes | None] = {}
        self._database: sqlite3.Connection | None = None
        self._path: Path | None = None
        self._filter = bytearray()

    def get(self, key: bytes) -> bytes | None:
        """Look a key up."""
        if self._database is None:
            return self._items.get(key)
        if key in self._items:
            return self._items[key]
        bit = hash(key) % _FILTER_BITS
        if not self._filter[bit >> 3] >> (bit & 7) & 1:
            return None
        row = self._database.execute("SELECT value FROM items WHERE key = ?", (key,)).fetchone()
        return None if row is None else bytes(row[0])

    def put(self, key: bytes, value: bytes) -> None:
        """Set a key's value."""
        items = self._items
        if key not in items:
            self._room -= len(key) + len(value) + _ITEM_OVERHEAD
            if self._room < 0:
                self._flush()
        items[key] = value

    def add(self, key: bytes) -> bool:
        """Put a key without a value; tell whether it is new."""
        if self.get(key) is not None:
            return False
        self.put(key, b"")
        return True

    def remove(self, key: bytes) -> None:
        """Forget a key that may be there."""
        if self._database is None:
            self._items.pop(key, None)
        else:
            self._items[key] = None

    def items(self) -> Iterator[tuple[bytes, bytes]]:
        """Yield every key and value in the order of their keys' bytes; the table may not change meanwhile."""
        if self._database is None:
            items = self._items
            for key in sorted(items):
                value = items[key]
                if value is not None:
                    yield key, value
            return
        self._flush()
        for key, value in self._database.execute("SELECT key, value FROM items ORDER BY key"):
            yield bytes(key), bytes(value)

    def any(self) -> bool:
        """Tell whether the table holds anything (or, once on disk, ever held)."""
        return bool(self._items) or self._database is not None

    def copy(self) -> SpillTable:
        """Make an independent copy."""
        other = SpillTable(self._space, self._limit)
        other._items, other._room = dict(self._items), self._room
        if self._database is not None:
            other._open()
            other._filter = bytearray(self._filter)
            assert other._database is not None  # noqa: S101 - _open sets it
            self._database.commit()
            self._database.backup(other._database)
        return other

    def same_as(self, other: SpillTable) -> bool:
        """Tell cheaply whether both hold the same; False where that is not cheap to know."""
        return self._database is None and other._database is None and self._items == other._items

    def close(self) -> None:
        """Drop everything, the database's file too; safe to call twice."""
        self._items = {}
        if self._database is not None:
            self._database.close()
            self._database = None
        if self._path is not None:
            self._path.unlink(missing_ok=True)

    def _open(self) -> None:
        self._path = self._space.folder / f"table-{next(_numbers)}.sqlite"
        self._filter = bytearray(_FILTER_BITS // 8)
        try:
            self._database = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False)
            # nothing here outlives the run: no journal, no waiting for the disk
            self._database.executescript(
                "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -8192;"
                "PRAGMA locking_mode = EXCLUSIVE; PRAGMA temp_store = FILE;"
                "CREATE TABLE IF NOT EXISTS items (key BLOB PRIMARY KEY, value BLOB) WITHOUT ROWID;"
            )
        except sqlite3.Error as error:
            raise ResourceError(f"a table of entries cannot be kept in {self._space.folder}: {error}") from None

    def _flush(self) -> None:
        if self._database is None:
            self._open()
        assert self._database is not None  # noqa: S101 - _open sets it
        kept = [(key, value) for key, value in self._items.items() if value is not None]
        gone = [(key,) for key, value in self._items.items() if value is None]
        for key, _ in kept:
            bit = hash(key) % _FILTER_BITS
            self._filter[bit >> 3] |= 1 << (bit & 7)
        try:
            self._database.execute("BEGIN")
            self._database.executemany("INSERT OR REPLACE INTO items VALUES (?, ?)", sorted(kept))
            self._database.executemany("DELETE FROM items WHERE key = ?", gone)
            self._database.execute("COMMIT")
        except sqlite3.Error as error:
            raise ResourceError(f"a table of entries cannot be kept in {self._space.folder}: {error}") from None
        self._items.clear()
        self._room = self._limit


class SpillList:
    """A list of pairs of bytes that only grows, in memory up to `limit` bytes, in a file from then on."""

    def __init__(self, space: SpillSpace, limit: int) -> None:
        self._space = space
        space.remember(self)
        self._room = self._limit = limit
        self._items: list[tuple[bytes, bytes]] = []
        self._file: IO[bytes] | None = None
        self._length = 0

    def __len__(self) -> int:
        return self._length

    def append(self, key: bytes, value: bytes) -> None:
        """Add a pair. Raises ResourceError where the disk is full."""
        self._items.append((key, value))
        self._length += 1
        self._room -= len(key) + len(value) + _ITEM_OVERHEAD
        if self._room < 0:
            self._flush()

    def copy(self) -> SpillList:
        """Make an independent copy."""
        other = SpillList(self._space, self._limit)
        for key, value in self:
            other.append(key, value)
        return other

    def __iter__(self) -> Iterator[tuple[bytes, bytes]]:
        if self._file is not None:
            self._file.seek(0)
            while lengths := self._file.read(_LENGTHS.size):
                key_size, value_size = _LENGTHS.unpack(lengths)
                both = self._file.read(key_size + value_size)
                yield both[:key_size], both[key_size:]
            self._file.seek(0, 2)
        yield from self._items

    def key_at(self, index: int) -> bytes:
        """Find the key of one pair; linear where the list is on disk."""
        if self._file is None:
            return self._items[index][0]
        return next(itertools.islice(self, index, None))[0]

    def close(self) -> None:
        """Drop everything; safe to call twice."""
        self._items = []
        if self._file is not None:
            self._file.close()
            self._file = None

    def _flush(self) -> None:
        try:
            if self._file is None:
                # closed by `close`: it lives as long as the list
                self._file = TemporaryFile(dir=self._space.folder, prefix="list-")  # noqa: SIM115
            self._file.seek(0, 2)
            self._file.writelines(_packed(self._items))
            self._file.flush()
        except OSError as error:
            raise ResourceError(f"a list of entries cannot be kept in {self._space.folder}: {error}") from None
        self._items = []
        self._room = self._limit


def _packed(items: Iterable[tuple[bytes, bytes]]) -> Iterator[bytes]:
    for key, value in items:
        yield _LENGTHS.pack(len(key), len(value)) + key + value
