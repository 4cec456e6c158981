"""The ledger of one machine: an SQLite file, safe under parallel runs, and whole after a kill at any moment.

SQLite's own journal sees to both (https://www.sqlite.org/atomiccommit.html): each record is one transaction, written
through to the disk before it counts.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from verifier.errors import MalformedImageError, ResourceError
from verifier.model.ledger import Record, read_record, record_bytes, record_digest

WAIT_SECONDS: Final = 30.0
"""How long one run waits for others that are writing."""

_SCHEMA: Final = (
    "create table if not exists records (digest text primary key, inputs text not null, record text not null)"
)
_INDEX: Final = "create index if not exists records_by_inputs on records (inputs)"


def default_ledger(environment: Mapping[str, str]) -> Path:
    """Say where a user's ledger is (XDG base directory specification: state). Raises ResourceError without a home."""
    state, home = environment.get("XDG_STATE_HOME", ""), environment.get("HOME", "")
    if not state.startswith("/") and not home.startswith("/"):
        raise ResourceError("there is no home folder for a ledger", "name a file: --ledger FILE")
    folder = Path(state) if state.startswith("/") else Path(home) / ".local" / "state"
    return folder / "verify-build" / "ledger.sqlite3"


class LocalLedger:
    """A ledger in a file; it is made with the first record."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def append(self, record: Record) -> None:
        """Add a record; one that is there already is not added twice. Raises ResourceError."""
        raw = record_bytes(record)
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ResourceError.from_system(error) from None
        with self._open() as database:
            database.execute(_SCHEMA)
            database.execute(_INDEX)
            database.execute(
                "insert or ignore into records values (?, ?, ?)", (record_digest(raw), record.inputs, raw.decode())
            )

    def records(self, inputs: str = "") -> tuple[Record, ...]:
        """List the records whose inputs' digest begins with `inputs`, the earliest first. Raises ResourceError."""
        if not self._path.exists():
            return ()
        with self._open() as database:
            query = "select record from records where substr(inputs, 1, ?) = ?"
            rows = database.execute(query, (len(inputs), inputs)).fetchall()
        found = [_read(row[0]) for row in rows]
        return tuple(sorted((each for each in found if each), key=lambda each: each.recorded))

    @contextlib.contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        """Run one transaction."""
        try:
            with contextlib.closing(sqlite3.connect(self._path, timeout=WAIT_SECONDS)) as database:
                database.execute("pragma synchronous = full")
                with database:
                    yield database
        except sqlite3.Error as error:
            raise ResourceError(f"the ledger {self._path} cannot be used: {error}", "another: --ledger FILE") from None


def _read(text: str) -> Record | None:
    try:
        return read_record(text.encode())
    except MalformedImageError:
        return None
