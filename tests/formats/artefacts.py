"""What distributions' tools write, made in memory by the formats' specifications."""

from __future__ import annotations

import hashlib
import sqlite3
import struct
from collections.abc import Sequence
from pathlib import Path

META_BYTES = 4096


def rpm_header(moment: int, *, name: bytes = b"hi", transaction: int | None = None) -> bytes:
    """Write a header as it stands in rpm's database (rpm, docs/manual/format_header.md)."""
    values = name + b"\0"
    entries = [(1000, 6, 0, 1)]
    values += bytes(-len(values) % 4)
    for tag, value in ((1008, moment), (1128, moment if transaction is None else transaction), (1009, 4096)):
        entries.append((tag, 4, len(values), 1))
        values += struct.pack(">I", value)
    entries.insert(0, (63, 7, len(values), 16))
    values += struct.pack(">iIiI", 63, 7, -16 * len(entries), 16)
    index = b"".join(struct.pack(">IIiI", *entry) for entry in entries)
    return struct.pack(">II", len(entries), len(values)) + index + values


def package_database(path: Path, moment: int, **more: int) -> bytes:
    """Let SQLite write what rpm keeps of one package, with a header that needs overflow pages."""
    path.unlink(missing_ok=True)
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE 'Packages' (hnum INTEGER PRIMARY KEY AUTOINCREMENT, blob BLOB NOT NULL)")
    connection.execute("CREATE TABLE 'Installtid' (key 'BLOB' NOT NULL, hnum INTEGER NOT NULL, idx INTEGER NOT NULL)")
    connection.execute("CREATE INDEX 'Installtid_key_idx' ON 'Installtid'(key ASC)")
    header = rpm_header(moment, name=b"hi" * 5000, transaction=more.get("transaction"))
    connection.execute("INSERT INTO Packages (blob) VALUES (?)", (header,))
    key = struct.pack("<I", more.get("transaction", moment))
    connection.execute("INSERT INTO Installtid VALUES (?, 1, 0)", (key,))
    connection.commit()
    connection.close()
    return path.read_bytes()


def history_database(path: Path, begin: int, end: int, command: str = "install hi") -> bytes:
    """Let SQLite write dnf's history of one transaction, whose end was added afterwards."""
    path.unlink(missing_ok=True)
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA secure_delete=0")
    connection.execute(
        "CREATE TABLE trans (id INTEGER PRIMARY KEY AUTOINCREMENT, dt_begin INTEGER NOT NULL, dt_end INTEGER,"
        " rpmdb_version_begin TEXT, cmdline TEXT)"
    )
    connection.execute("INSERT INTO trans (dt_begin, cmdline) VALUES (?, ?)", (begin, command))
    connection.execute("INSERT INTO trans (dt_begin, cmdline) VALUES (?, ?)", (begin, command))
    connection.commit()
    connection.execute("UPDATE trans SET dt_end = ?, rpmdb_version_begin = '1:abc' WHERE id = 1", (end,))
    connection.commit()
    connection.close()
    return path.read_bytes()


def hash_table(
    identifier: bytes, pairs: Sequence[tuple[bytes, bytes]], *, order: str = "<", reused: bool = False
) -> bytes:
    """Write a Berkeley DB hash table of one bucket with values, and one that is empty (dbinc/db_page.h).

    With `reused` the page with values was made in the first one's memory as well.
    """
    meta = bytearray(META_BYTES)
    struct.pack_into(f"{order}IIIIIIBBBBI", meta, 0, 0, 1, 0, 0x061561, 9, META_BYTES, 0, 8, 0, 0, 0)
    meta[52:72] = identifier
    page = bytearray(meta if reused else META_BYTES)
    items = [b"\1" + item for pair in pairs for item in pair]
    struct.pack_into(f"{order}QIIIHHBB", page, 0, 0, 1, 0, 0, len(items), 0, 0, 13)
    position = META_BYTES
    for number, item in enumerate(items):
        position -= len(item)
        page[position : position + len(item)] = item
        struct.pack_into(f"{order}H", page, 26 + 2 * number, position)
    # what the memory held before: the first page
    empty = bytearray(meta)
    struct.pack_into(f"{order}QIIIHHBB", empty, 0, 0, 2, 0, 0, 0, META_BYTES - 1, 0, 13)
    return bytes(meta + page + empty)


def cpio(members: Sequence[tuple[str, bytes, int, int]], *, crc: bool = False, mode: int = 0o100644) -> bytes:
    """Write a cpio archive of the new format: name, content, time, inode number of each member."""
    out = b""
    for name, content, moment, inode in (*members, ("TRAILER!!!", b"", 0, 0)):
        raw = name.encode() + b"\0"
        numbers = (inode, mode, 0, 0, 1, moment, len(content), 8, 1, 0, 0, len(raw), sum(content) if crc else 0)
        head = (b"070702" if crc else b"070701") + b"".join(b"%08X" % number for number in numbers) + raw
        out += head + bytes(-len(head) % 4) + content + bytes(-len(content) % 4)
    return out


def old_cpio(members: Sequence[tuple[str, bytes, int, int]]) -> bytes:
    """Write a cpio archive of the POSIX format."""
    out = b""
    for name, content, moment, inode in (*members, ("TRAILER!!!", b"", 0, 0)):
        raw = name.encode() + b"\0"
        head = b"070707" + b"".join(b"%06o" % number for number in (8, inode, 0o100644, 0, 0, 1, 0))
        out += head + b"%011o%06o%011o" % (moment, len(raw), len(content)) + raw + content
    return out


def keybox(made: int, added: int) -> bytes:
    """Write a keyring with one key (GnuPG, kbx/keybox-blob.c)."""
    header = struct.pack(">IBBH4sIIIII", 32, 1, 1, 2, b"KBXf", 0, made, made, 0, 0)
    keyblock = b"\x99" + bytes(range(60))
    body = struct.pack(">BBHII", 2, 1, 0, 126, len(keyblock))
    body += struct.pack(">HH", 1, 28) + bytes(28) + struct.pack(">H", 0)
    body += struct.pack(">HH", 1, 12) + bytes(12) + struct.pack(">HH", 1, 4) + bytes(4)
    body += struct.pack(">BBHII", 0, 0, 0, 0, 1_000_000_000)
    body += struct.pack(">II", added, 0) + keyblock
    blob = struct.pack(">I", 4 + len(body) + 20) + body
    return header + blob + hashlib.sha1(blob).digest()  # noqa: S324 - the format's own


def trust_database(made: int, marginals: int = 3) -> bytes:
    """Write a trust database of one record (GnuPG, doc/DETAILS)."""
    return struct.pack(">B3sBBBBBBHII", 1, b"gpg", 3, marginals, 1, 5, 1, 2, 0, made, 0) + bytes(20)
