"""Berkeley DB, cpio, GnuPG's files, rpm's headers, lists of packages: taken apart, no byte lost, no two alike."""

from __future__ import annotations

import random
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.formats.artefacts import cpio, hash_table, keybox, old_cpio, rpm_header, trust_database
from tests.formats.test_sqlite import fields
from verifier.formats.package_records import apk_stretches, dpkg_stretches
from verifier.formats.unfold import unfold

MOMENT = 1_795_000_000
MEMBERS = [("init", b"#!/bin/sh\n", MOMENT, 7), ("etc/motd", b"hello", MOMENT + 1, 8)]
PAIRS = [(b"YP_LAST_MODIFIED", b"1795000000"), (b"root", b"postmaster")]

ARTEFACTS: dict[str, tuple[str, Callable[[], bytes]]] = {
    "newc": ("cpio", lambda: cpio(MEMBERS)),
    "crc": ("cpio", lambda: cpio(MEMBERS, crc=True)),
    "odc": ("cpio", lambda: old_cpio(MEMBERS)),
    "two archives": ("cpio", lambda: cpio(MEMBERS) + bytes(512) + cpio(MEMBERS[:1])),
    "rpm": ("rpm header", lambda: rpm_header(MOMENT)),
    "berkeley": ("berkeley db", lambda: hash_table(bytes(range(1, 21)), PAIRS)),
    "big-endian": ("berkeley db", lambda: hash_table(bytes(range(1, 21)), PAIRS, order=">")),
    "keybox": ("gnupg keybox", lambda: keybox(MOMENT, MOMENT + 1)),
    "trust": ("gnupg trust database", lambda: trust_database(MOMENT)),
}


@pytest.mark.parametrize(("form", "make"), ARTEFACTS.values(), ids=ARTEFACTS)
def test_every_byte_is_in_one_field(form: str, make: Callable[[], bytes]) -> None:
    data = make()
    node = unfold(data)
    assert node.format == form
    assert b"".join(field.value for field in fields(node)) == data
    assert not any(field.derived and field.value == b"" for field in fields(node))


@pytest.mark.parametrize(("form", "make"), ARTEFACTS.values(), ids=ARTEFACTS)
def test_one_bit_gives_another_tree(form: str, make: Callable[[], bytes]) -> None:
    data = make()
    node = unfold(data)
    chance = random.Random(form)
    for position in (*range(min(len(data), 300)), *chance.sample(range(len(data)), min(len(data), 300))):
        changed = bytearray(data)
        changed[position] ^= 1 << chance.randrange(8)
        assert unfold(bytes(changed)) != node, position
    assert unfold(data[:-1]) != node
    assert unfold(data + b"\0") != node


@pytest.mark.parametrize(("form", "make"), ARTEFACTS.values(), ids=ARTEFACTS)
def test_damage_loses_nothing(form: str, make: Callable[[], bytes]) -> None:
    data = make()
    chance = random.Random(form)
    for _ in range(200):
        changed = bytearray(data)
        for _ in range(chance.randrange(1, 9)):
            changed[chance.randrange(len(changed))] = chance.choice((0, 0x30, 0x66, 0x7F, 0xFF, chance.randrange(256)))
        cut = bytes(changed[: chance.randrange(len(changed)) or None])
        assert b"".join(field.value for field in fields(unfold(cut))) == cut


def test_times_numbers_and_links_in_a_cpio_archive() -> None:
    named = {(field.kind, field.name): field.value for field in fields(unfold(cpio(MEMBERS)))}
    assert named["cpio-mtime", "init: mtime"] == b"%08X" % MOMENT
    assert named["cpio-inode", "etc/motd: inode"] == b"%08X" % 8
    linked = cpio([("a", b"", MOMENT, 7), ("b", b"x", MOMENT, 7)])
    assert [field.name for field in fields(unfold(linked)) if field.kind == "cpio-inode"][:2] == [
        "a: inode",
        "a: inode",
    ]


def test_a_copy_of_the_identifier_follows_from_it() -> None:
    data = hash_table(bytes(range(1, 21)), PAIRS)
    found = list(fields(unfold(data)))
    assert [field.derived for field in found if "identifier" in field.name] == [False, True]
    assert any(field.name == "value of root" and field.value == b"postmaster" for field in found)
    other = bytearray(data)
    other[8192 + 52] ^= 1
    assert not any(field.derived for field in fields(unfold(bytes(other))))


@pytest.mark.skipif(shutil.which("gpg") is None, reason="gpg is not installed")
def test_what_gpg_itself_writes(tmp_path: Path) -> None:
    """Let gpg import a key that it makes in another home."""
    homes = [tmp_path / name for name in "ab"]
    for home in homes:
        home.mkdir(mode=0o700)
    gpg = ["gpg", "--batch", "--quiet", "--no-autostart"]
    keyring = next(iter(Path("/usr/share/keyrings").glob("*.gpg")), None)
    if keyring is None:
        pytest.skip("no keys are at hand")
    done = subprocess.run([*gpg, "--homedir", homes[0], "--import", keyring], capture_output=True, check=False)
    ring, trust = homes[0] / "pubring.kbx", homes[0] / "trustdb.gpg"
    assert ring.is_file(), done.stderr
    found = list(fields(unfold(ring.read_bytes())))
    assert sum(field.kind == "gnupg-time" for field in found) >= 3
    assert all(field.derived for field in found if field.name.endswith("digest"))
    if trust.is_file():
        assert sum(field.kind == "gnupg-time" for field in fields(unfold(trust.read_bytes()))) == 1


def test_records_of_packages() -> None:
    status = (
        b"Package: a\nStatus: install ok installed\nInstalled-Size: 9\nArchitecture: amd64\n"
        b"Version: 1.2-3\nDepends: b\n"
        b"\nPackage: b\nStatus: install ok installed\nArchitecture: all\nVersion: 1:2\n\n"
    )
    found = [(status[item.start : item.end], item.package, item.is_version) for item in dpkg_stretches(status)]
    assert found == [
        (b"Installed-Size: 9\n", "a", False),
        (b"Version: ", "a", False),
        (b"1.2-3", "a", True),
        (b"\nDepends: b\n", "a", False),
        (b"Version: ", "b", False),
        (b"1:2", "b", True),
        (b"\n", "b", False),
    ]
    installed = b"C:Q1abc=\nP:a\nV:1-r0\nA:x86_64\nS:9\nF:bin\nM:0:0:1777\nR:sh\na:0:0:4755\nZ:Q1def=\n\n"
    pieces = [(installed[item.start : item.end], item.is_version) for item in apk_stretches(installed)]
    kept = [(b"C:Q1abc=\n", False), (b"V:", False), (b"1-r0", True), (b"\n", False), (b"S:9\n", False)]
    assert pieces == [*kept, (b"Q1def=", False)]
