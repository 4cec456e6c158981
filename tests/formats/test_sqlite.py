"""SQLite databases, taken apart by their file format and held against what SQLite itself says."""

from __future__ import annotations

import random
import sqlite3
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest

from verifier.formats.field import Field, Node
from verifier.formats.sqlite_record import number_of, read_record, read_varint, real_of
from verifier.formats.sqlite_schema import column_names
from verifier.formats.unfold import unfold

PRAGMAS = ("", "page_size=512", "page_size=65536", "auto_vacuum=1", "auto_vacuum=2")
MOMENT = 1_795_000_000


def fields(node: Node) -> Iterator[Field]:
    """List the leaves in their order."""
    for part in node.parts:
        if isinstance(part, Field):
            yield part
        else:
            yield from fields(part)


def database(path: Path, pragma: str = "", rows: int = 300) -> bytes:
    """Let SQLite write a database with long rows, indexes, a table without row numbers, and deleted rows."""
    path.unlink(missing_ok=True)
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA secure_delete=0")
    if pragma:
        connection.execute(f"PRAGMA {pragma}")
    connection.execute(
        'CREATE TABLE "the log" (id INTEGER PRIMARY KEY, word TEXT UNIQUE, data BLOB, "at" INT, half REAL)'
    )
    connection.execute('CREATE INDEX by_time ON "the log" ("at", half)')
    connection.execute("CREATE TABLE pairs (name TEXT PRIMARY KEY, at INT) WITHOUT ROWID")
    connection.execute("CREATE VIEW seen AS SELECT word FROM 'the log'")
    chance = random.Random(7)
    for number in range(rows):
        data = b"\xff" + chance.randbytes(number * 11 % 5000)
        row = (number, f"the word {number} {'x' * (number % 90)}", data, MOMENT + number, number / 3)
        connection.execute('INSERT INTO "the log" VALUES (?, ?, ?, ?, ?)', row)
        connection.execute("INSERT INTO pairs VALUES (?, ?)", (f"name number {number}", MOMENT - number))
    connection.execute('DELETE FROM "the log" WHERE id % 5 = 0')
    connection.commit()
    connection.close()
    return path.read_bytes()


@pytest.mark.parametrize("pragma", PRAGMAS)
def test_every_row_and_every_byte_is_found(tmp_path: Path, pragma: str) -> None:
    data = database(tmp_path / "d", pragma)
    node = unfold(data)
    assert node.format == "sqlite"
    found = list(fields(node))
    assert sum(len(field.value) for field in found) == len(data)
    named = {field.name: field for field in found}
    connection = sqlite3.connect(tmp_path / "d")
    rows = connection.execute('SELECT id, word, data, at, half FROM "the log"').fetchall()
    connection.close()
    assert rows
    for number, word, blob, moment, half in rows:
        assert named[f"the log {number}: word"].value == word.encode()
        assert named[f"the log {number}: word"].kind == "text"
        assert number_of(named[f"the log {number}: at"].value) == moment
        if len(blob) >= 4:
            assert named[f"the log {number}: data"].value == blob
        if half % 1:
            assert real_of(named[f"the log {number}: half"].value) == half
    assert sum(field.name == "pairs: at" for field in found) == 300
    assert sum(field.name == "by_time: at" for field in found) == len(rows)


def test_what_was_deleted_is_named_so(tmp_path: Path) -> None:
    free = b"".join(field.value for field in fields(unfold(database(tmp_path / "d"))) if field.kind == "sqlite-free")
    assert b"the word 295 xxx" in free
    assert b"the word 296 xxx" not in free


@pytest.mark.parametrize("pragma", ["page_size=512", "auto_vacuum=1"])
def test_one_byte_more_or_less_gives_another_tree(tmp_path: Path, pragma: str) -> None:
    data = database(tmp_path / "d", pragma, rows=16)
    node = unfold(data)
    chance = random.Random(3)
    for position in (*range(120), *chance.sample(range(len(data)), 150)):
        changed = bytearray(data)
        changed[position] ^= 1 << chance.randrange(8)
        assert unfold(bytes(changed)) != node, position
    assert unfold(data + bytes(512)) != node
    assert unfold(data[:-512]) != node


def test_damage_leaves_one_field(tmp_path: Path) -> None:
    data = database(tmp_path / "d", "page_size=512", rows=16)
    chance = random.Random(5)
    whole = 0
    for _ in range(120):
        changed = bytearray(data)
        for _ in range(chance.randrange(1, 30)):
            changed[chance.randrange(100, len(changed))] = chance.choice(
                (0, 1, 0x7F, 0x80, 0xFF, chance.randrange(256))
            )
        node = unfold(bytes(changed))
        assert sum(len(field.value) for field in fields(node)) == len(data)
        whole += node.format == "bytes"
    assert whole > 10


def test_pages_in_a_circle_are_damage() -> None:
    page = bytearray(512)
    header = b"SQLite format 3\0" + struct.pack(">HBBBBBB", 512, 1, 1, 0, 64, 32, 32)
    page[: len(header)] = header
    page[56:60] = b"\0\0\0\1"
    # an inner page whose only child is itself
    page[100:112] = struct.pack(">BHHHBI", 5, 0, 0, 512, 0, 1)
    assert unfold(bytes(page)).format == "bytes"


def test_a_blob_is_unfolded_further(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "d")
    connection.execute("CREATE TABLE t (a BLOB)")
    inner = database(tmp_path / "e", rows=3)
    connection.execute("INSERT INTO t VALUES (?)", (inner,))
    connection.commit()
    connection.close()
    names = [field.name for field in fields(unfold((tmp_path / "d").read_bytes()))]
    assert "the log 1: word" in names


def log_of(path: Path) -> tuple[bytes, bytes]:
    """Let SQLite write a log, and give it and its index while both are there."""
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("CREATE TABLE t (a TEXT, b INT)")
    connection.execute("INSERT INTO t VALUES (?, ?)", ("a word that is long", MOMENT))
    connection.commit()
    log, index = (path.with_name(path.name + end).read_bytes() for end in ("-wal", "-shm"))
    connection.close()
    return log, index


def test_a_log_and_its_index(tmp_path: Path) -> None:
    log, index = log_of(tmp_path / "d")
    found = list(fields(unfold(log)))
    assert unfold(log).format == "sqlite log"
    assert sum(len(field.value) for field in found) == len(log)
    assert any(field.kind == "text" and field.value == b"a word that is long" for field in found)
    assert any(field.kind == "sqlite-integer" and number_of(field.value) == MOMENT for field in found)
    assert all(field.derived for field in found if field.name.endswith("checksum"))
    salts = [field for field in found if field.kind == "sqlite-salt"]
    assert [field.derived for field in salts] == [False] + [True] * (len(salts) - 1)
    inside = list(fields(unfold(index)))
    assert unfold(index).format == "sqlite log index"
    assert b"".join(field.value for field in inside) == index
    assert [field.derived for field in inside if field.name.endswith("header: checksum")] == [True, True]


def test_a_frame_whose_checksum_is_wrong_keeps_it(tmp_path: Path) -> None:
    log = bytearray(log_of(tmp_path / "d")[0])
    log[-1] ^= 1
    checksums = [field.derived for field in fields(unfold(bytes(log))) if field.name.endswith("checksum")]
    assert checksums[-1] is False
    assert all(checksums[:-1])


def test_numbers_of_every_length() -> None:
    assert read_varint(b"\x05", 0) == (5, 1)
    assert read_varint(b"\x81\x00", 0) == (128, 2)
    assert read_varint(b"\xff" * 9, 0) == (2**64 - 1, 9)
    with pytest.raises(IndexError):
        read_varint(b"\x81", 0)


@pytest.mark.parametrize("record", [b"\x05\x01", b"\x02\x0a\x00", b"\x02\x01", b"\x02\x01\0\0", b"\x02\x06" + bytes(9)])
def test_records_that_are_none(record: bytes) -> None:
    with pytest.raises((ValueError, IndexError)):
        read_record(record)


@pytest.mark.parametrize(
    ("sql", "names"),
    [
        ("CREATE TABLE t (a INT, b VARCHAR(10, 2) DEFAULT 'x, y', PRIMARY KEY (a))", ("a", "b")),
        ('CREATE TABLE "t(x)" ("a b", [c], `d`, \'e\' TEXT)', ("a b", "c", "d", "e")),
        ("CREATE TABLE t (a -- one, two\n, /* b, */ c CHECK (c > 0), CONSTRAINT k UNIQUE (a))", ("a", "c")),
        ("CREATE INDEX i ON t (a COLLATE NOCASE DESC, b)", ("a", "b")),
        ("", ()),
        ("CREATE VIRTUAL", ()),
    ],
)
def test_the_names_of_columns(sql: str, names: tuple[str, ...]) -> None:
    assert column_names(sql) == names
