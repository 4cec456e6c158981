"""What distributions' tools and services leave: each cause fires, stays silent on a near miss, and hides nothing."""

from __future__ import annotations

import base64
import hashlib
import io
import os
import random
import re
import sqlite3
import struct
import subprocess
import sys
import tarfile
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.causes.sides import FIRST, SECOND, WINDOWS, at, causes, explain_contents, explain_layers
from tests.compare.layer_images import file, tar
from tests.formats.artefacts import (
    cpio,
    hash_table,
    history_database,
    keybox,
    old_cpio,
    package_database,
    trust_database,
)
from tests.formats.test_sqlite import fields
from verifier.causes import CAUSES
from verifier.causes.cause import Place, SideContext
from verifier.causes.trial import try_causes
from verifier.formats.unfold import unfold
from verifier.model.finding import Explanation

NO_WINDOWS = (SideContext(), SideContext())
IN = (FIRST + 4, SECOND + 4)
OUT = (FIRST - 400_000, SECOND + 4)


def two(make: Callable[[int], bytes], path: str = "some/file", moments: tuple[int, int] = IN) -> Explanation:
    """Explain what two builds made at two moments."""
    return explain_contents(make(moments[0]), make(moments[1]), path)


def proven(explanation: Explanation) -> list[tuple[str, str]]:
    """List the causes with how sure they are."""
    assert causes(explanation) == [finding.cause for finding in explanation.findings]
    return [(finding.cause, finding.confidence) for finding in explanation.findings]


class TestRpm:
    def test_the_time_of_an_installation_in_any_path(self, tmp_path: Path) -> None:
        explanation = two(lambda moment: package_database(tmp_path / "d", moment), "opt/whatever")
        assert proven(explanation) == [("rpmdb-install-time", "proven")]
        assert "Packages 1: blob > INSTALLTIME" in str(explanation.findings[0].evidence)

    def test_another_time_is_residue(self, tmp_path: Path) -> None:
        assert causes(two(lambda moment: package_database(tmp_path / "d", moment), moments=OUT)) == ["residue"]

    def test_another_transaction_of_another_time_is_residue(self, tmp_path: Path) -> None:
        pair = [package_database(tmp_path / "d", moment, transaction=moment - 5 * 10**6) for moment in IN]
        assert causes(explain_contents(pair[0], pair[1])) == ["residue"]

    def test_what_else_differs_is_residue(self, tmp_path: Path) -> None:
        first, second = (package_database(tmp_path / "d", moment) for moment in IN)
        assert causes(explain_contents(first, second.replace(b"hihihi", b"hahaha", 1))) == ["residue"]

    def test_without_windows_it_is_likely(self, tmp_path: Path) -> None:
        first, second = (package_database(tmp_path / "d", moment) for moment in IN)
        explanation = explain_contents(first, second, sides=NO_WINDOWS)
        assert proven(explanation) == [("rpmdb-install-time", "likely")]


class TestDnf:
    PATH = "var/lib/dnf/history.sqlite"

    def test_a_transactions_times_and_what_was_replaced(self, tmp_path: Path) -> None:
        explanation = two(lambda moment: history_database(tmp_path / "d", moment, moment + 1), self.PATH)
        assert proven(explanation) == [("dnf-history", "proven")]

    def test_another_command_is_residue(self, tmp_path: Path) -> None:
        first = history_database(tmp_path / "d", IN[0], IN[0], "install hi")
        second = history_database(tmp_path / "d", IN[1], IN[1], "install ho")
        assert causes(explain_contents(first, second, self.PATH)) == ["residue"]

    def test_another_time_is_residue(self, tmp_path: Path) -> None:
        assert causes(two(lambda moment: history_database(tmp_path / "d", moment, moment), self.PATH, OUT)) == [
            "residue"
        ]

    def test_the_log_beside_the_history(self, tmp_path: Path) -> None:
        pair = []
        for number, moment in enumerate(IN):
            path = tmp_path / str(number)
            connection = sqlite3.connect(path)
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("CREATE TABLE trans (id INTEGER PRIMARY KEY, dt_begin INTEGER, dt_end INTEGER)")
            connection.execute("INSERT INTO trans (dt_begin, dt_end) VALUES (?, ?)", (moment, moment + 1))
            connection.commit()
            pair.append(path.with_name(path.name + "-wal").read_bytes())
            connection.close()
        explanation = explain_contents(pair[0], pair[1], self.PATH + "-wal")
        assert proven(explanation) == [("dnf-history", "proven"), ("sqlite-wal", "likely")]
        found = causes(explain_contents(pair[0], pair[1], "srv/other-wal"))
        assert "dnf-history" not in found

    LINES = "%Y-%m-%dT%H:%M:%S+0000 INFO --- logging initialized ---\n"

    @pytest.mark.parametrize("name", ["dnf.log", "dnf.rpm.log", "dnf.librepo.log", "hawkey.log", "dnf5.log"])
    def test_logs(self, name: str) -> None:
        path = f"var/log/{name}"
        assert proven(two(lambda moment: at(moment, self.LINES), path)) == [("dnf-residue", "proven")]
        assert causes(two(lambda moment: at(moment, self.LINES), path, OUT)) == ["residue"]
        assert causes(two(lambda moment: at(moment, self.LINES), f"srv/root/{path}")) == ["dnf-residue"]
        assert "dnf-residue" not in causes(two(lambda moment: at(moment, self.LINES), "srv/dnf.log"))

    def test_durations_no_longer_than_the_build(self) -> None:
        form = "%Y-%m-%dT%H:%M:%S+0000 DDEBUG timer: config: {} ms\n"
        first, second = at(IN[0], form.format(2)), at(IN[1], form.format(1437))
        assert causes(explain_contents(first, second, "var/log/dnf.log")) == ["dnf-residue"]
        second = at(IN[1], form.format(6_000_000))
        assert causes(explain_contents(first, second, "var/log/dnf.log")) == ["residue"]

    def test_caches_are_taken_as_given(self) -> None:
        explanation = explain_contents(b"\1one", b"\1two.", "var/cache/dnf/base-1.solv")
        assert proven(explanation) == [("dnf-residue", "likely")]
        assert explanation.findings[0].opaque
        assert causes(explain_contents(b"\1one", b"\1two", "var/cache/other/base.solv")) == ["residue"]


class TestSqliteLog:
    @staticmethod
    def left(folder: Path, word: str = "hello") -> dict[str, bytes]:
        """Let a process write, and end without closing."""
        folder.mkdir()
        code = (
            "import os, sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.execute('PRAGMA journal_mode=WAL');"
            " c.execute('CREATE TABLE t (a TEXT)'); c.execute('INSERT INTO t VALUES (?)', (sys.argv[2],)); c.commit();"
            " os._exit(0)"
        )
        subprocess.run([sys.executable, "-c", code, str(folder / "d"), word], check=True)
        return {path.name: path.read_bytes() for path in folder.iterdir()}

    def test_salts_and_what_counts_them_in(self, tmp_path: Path) -> None:
        first, second = (self.left(tmp_path / name) for name in ("first", "second"))
        for name in ("d-wal", "d-shm"):
            assert proven(explain_contents(first[name], second[name])) == [("sqlite-wal", "likely")]

    def test_another_row_is_residue(self, tmp_path: Path) -> None:
        first, second = self.left(tmp_path / "first"), self.left(tmp_path / "second", "hallo")
        assert causes(explain_contents(first["d-wal"], second["d-wal"])) == ["residue"]


class TestPacman:
    RECORD = b"%%NAME%%\nhi\n\n%%VERSION%%\n1-1\n\n%%BUILDDATE%%\n1700000000\n\n%%INSTALLDATE%%\n%d\n\n%%SIZE%%\n3\n"
    PATH = "var/lib/pacman/local/hi-1-1/desc"

    def test_the_date_of_an_installation(self) -> None:
        assert proven(two(lambda moment: self.RECORD % moment, self.PATH)) == [("pacman-residue", "proven")]
        assert causes(two(lambda moment: self.RECORD % moment, self.PATH, OUT)) == ["residue"]
        other = (self.RECORD % IN[1]).replace(b"1-1", b"1-2")
        assert causes(explain_contents(self.RECORD % IN[0], other, self.PATH)) == ["residue"]

    def test_the_log(self) -> None:
        form = "[%Y-%m-%dT%H:%M:%S+0000] [ALPM] installed hi (1-1)\n"
        assert proven(two(lambda moment: at(moment, form), "var/log/pacman.log")) == [("pacman-residue", "proven")]
        assert causes(two(lambda moment: at(moment, form), "var/log/pacman.log", OUT)) == ["residue"]


class TestApk:
    INSTALLED = "lib/apk/db/installed"

    @staticmethod
    def virtual(moment: int, name: str = ".build-deps") -> bytes:
        checksum = hashlib.sha256(str(moment).encode()).hexdigest()[:27]
        version = at(moment, "%Y%m%d.%H%M%S").decode()
        return f"C:Q1{checksum}=\nP:{name}\nV:{version}\nA:noarch\nT:virtual meta package\nD:gcc\n\n".encode()

    def test_a_time_as_version(self) -> None:
        assert causes(two(self.virtual, self.INSTALLED)) == ["apk-virtual-version"]
        world = two(lambda moment: at(moment, "bash\n.build-deps=%Y%m%d.%H%M%S\n"), "etc/apk/world")
        assert proven(world) == [("apk-virtual-version", "proven")]

    def test_other_times_and_other_packages(self) -> None:
        world = two(lambda moment: at(moment, ".build-deps=%Y%m%d.%H%M%S\n"), "etc/apk/world", OUT)
        assert causes(world) == ["residue"]
        pair = self.virtual(IN[0]), self.virtual(IN[1], ".other-deps")
        assert causes(explain_contents(*pair, self.INSTALLED)) == ["residue"]

    @staticmethod
    def scripts(moment: int, mode: int = 0o755) -> bytes:
        out = io.BytesIO()
        with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as archive:
            member = tarfile.TarInfo("bash-5-r0.Q1abc=.post-install")
            member.size, member.mtime, member.mode = 3, moment, mode
            archive.addfile(member, io.BytesIO(b"abc"))
        return out.getvalue()

    def test_times_of_scripts(self) -> None:
        path = "lib/apk/db/scripts.tar"
        assert proven(two(self.scripts, path)) == [("apk-scripts-tar", "proven")]
        assert causes(two(self.scripts, path, OUT)) == ["residue"]
        assert causes(explain_contents(self.scripts(IN[0]), self.scripts(IN[1], 0o4755), path)) == ["residue"]
        assert causes(two(self.scripts, "srv/scripts.tar")) == ["archive-in-run"]

    RECORD = b"C:Q1%s=\nP:busybox\nV:1.37.0-r%d\nA:x86_64\nS:%d\nF:bin\nR:busybox\na:0:0:%s\nZ:Q1%s=\n\n"

    def test_another_version_of_a_package(self) -> None:
        first = self.RECORD % (b"a" * 27, 1, 500, b"755", b"b" * 27)
        second = self.RECORD % (b"c" * 27, 2, 501, b"755", b"d" * 27)
        explanation = explain_contents(first, second, self.INSTALLED)
        assert proven(explanation) == [("unpinned-apk", "likely")]
        assert "busybox" in str(explanation.findings[0].evidence)
        setuid = self.RECORD % (b"c" * 27, 2, 501, b"4755", b"d" * 27)
        assert causes(explain_contents(first, setuid, self.INSTALLED)) == ["residue"]


class TestApt:
    STATUS = (
        "Package: libssl3\nStatus: install ok {}\nInstalled-Size: {}\nArchitecture: amd64\nVersion: 3.0.17-1~deb12u{}\n"
        "Description: tls\n\nPackage: bash\nStatus: install ok installed\nArchitecture: amd64\nVersion: 5.2\n\n"
    )
    PATH = "var/lib/dpkg/status"

    def status(self, *values: object) -> bytes:
        return self.STATUS.format(*values).encode()

    def test_another_version_of_a_package(self) -> None:
        explanation = explain_contents(self.status("installed", 6000, 1), self.status("installed", 6001, 2), self.PATH)
        assert proven(explanation) == [("unpinned-apt", "likely")]
        assert "libssl3" in str(explanation.findings[0].evidence)
        only = explain_contents(self.status("installed", 6000, 1), self.status("installed", 6000, 2), self.PATH)
        assert proven(only) == [("unpinned-apt", "proven")]
        assert "3.0.17-1~deb12u2" in str(only.findings[0].evidence)

    def test_another_state_another_package_another_place(self) -> None:
        first = self.status("installed", 6000, 1)
        for second in (self.status("unpacked", 6000, 2), first.replace(b"Package: bash", b"Package: dash")):
            assert causes(explain_contents(first, second, self.PATH)) == ["residue"]
        assert causes(explain_contents(first, self.status("installed", 6000, 2), "srv/status")) == ["residue"]

    def test_lists_are_taken_as_given(self) -> None:
        path = "var/lib/apt/lists/deb.debian.org_debian_dists_bookworm_InRelease"
        explanation = explain_contents(b"Date: x\n", b"Date: yy\n", path)
        assert proven(explanation) == [("apt-lists", "likely")]
        assert causes(explain_contents(b"x", b"y", "var/lib/apt/other")) == ["residue"]
        modes = [tar([file(path, content, mode=mode)]) for content, mode in ((b"x", 0o644), (b"y", 0o4755))]
        assert causes(explain_layers(modes[0], modes[1])) == ["apt-lists", "residue"]

    @pytest.mark.parametrize("path", ["etc/passwd-", "var/cache/debconf/config.dat-old", "var/lib/dpkg/status-old"])
    def test_backup_files(self, path: str) -> None:
        explanation = explain_contents(b"before: one\n", b"before: another\n", path)
        assert proven(explanation) == [("backup-file", "likely")]
        assert causes(explain_contents(b"a", b"b", path.rstrip("-").removesuffix("-old") + ".other")) == ["residue"]


class TestServices:
    @pytest.mark.parametrize(
        ("path", "form", "values", "miss"),
        [
            (
                "etc/bind/rndc.key",
                'key "rndc-key" {{\n\tsecret "{}";\n}};\n',
                ("p29XP2DITNvGfeMG", "Q6+vq2DJ5Uoex0dX"),
                "short",
            ),
            (
                "etc/iscsi/initiatorname.iscsi",
                "## a comment\nInitiatorName=iqn.1993-08.org.debian:01:{}\n",
                ("a21e8d1c8013", "95835322c3c"),
                "not-hex",
            ),
            (
                "etc/nvme/hostnqn",
                "nqn.2014-08.org.nvmexpress:uuid:{}\n",
                ("0b7e1b0c-9d6c-1a4e-8f5e-1d2c3b4a5f60", "f3a0c1d2-0001-1fff-b123-000000000001"),
                "none",
            ),
            (
                "etc/cups/printers.conf",
                "<Printer front>\nUUID urn:uuid:{}\nType 4\n</Printer>\n",
                ("6499df53-a15b-3009-771a-fdb21285ec82", "6e3d0530-d558-323d-5d21-f6f012730446"),
                "none",
            ),
            ("etc/popularity-contest.conf", 'MY_HOSTID="{}"\nDAY="6"\n', ("2c" * 16, "49" * 16), "49" * 15),
            ("etc/popularity-contest.conf", 'MY_HOSTID="abc"\nDAY="{}"\n', ("6", "4"), "9"),
            (
                "etc/cron.d/popularity-contest",
                "{} * * *   root    test -x /etc/cron.daily/popularity-contest && /etc/cron.daily/popularity-contest\n",
                ("29 21", "5 4"),
                "* *",
            ),
        ],
    )
    def test_identifiers_by_their_grammar(self, path: str, form: str, values: tuple[str, str], miss: str) -> None:
        first, second = (form.format(value).encode() for value in values)
        assert proven(explain_contents(first, second, path)) == [("service-unique-id", "likely")]
        assert causes(explain_contents(first, form.format(miss).encode(), path)) == ["residue"]
        assert "service-unique-id" not in causes(explain_contents(first, second, "srv/" + path))

    def test_a_seed_is_random_from_end_to_end(self) -> None:
        first, second = os.urandom(512), os.urandom(512)
        assert causes(explain_contents(first, second, "var/lib/systemd/random-seed")) == ["service-unique-id"]
        assert causes(explain_contents(first, second[:-1], "var/lib/systemd/random-seed")) == ["residue"]

    def test_a_views_definition(self) -> None:
        form = b"TYPE=VIEW\nquery=select 1\nmd5=%032d\ntimestamp=%019d\ncreate-version=2\n"
        explanation = two(lambda moment: form % (0, moment * 1_000_000 + 64621), "var/lib/mysql/sys/version.frm")
        assert proven(explanation) == [("database-datadir", "proven")]

    @staticmethod
    def ldif(moment: int, node: str, password: bytes, *, suffix: str = "dc=nodomain") -> bytes:
        """Write an entry of slapd's configuration as it writes them, back-ldif's checksum and all."""
        ticks = (moment + 12_219_292_800) * 10**7
        entry = (
            f"dn: olcDatabase={{1}}mdb\nolcSuffix: {suffix}\n".encode()
            + b"olcRootPW:: " + base64.b64encode(password) + b"\n"
            + f"entryUUID: {ticks % 2**32:08x}-{ticks >> 32 & 0xFFFF:04x}-1{ticks >> 48:03x}-{node}\n".encode()
            + at(moment, "createTimestamp: %Y%m%d%H%M%SZ\nentryCSN: %Y%m%d%H%M%S.978159Z#000000#000#000000\n")
            + at(moment, "modifyTimestamp: %Y%m%d%H%M%SZ\n")
        )  # fmt: skip
        head = f"# AUTO-GENERATED FILE - DO NOT EDIT!! Use ldapmodify.\n# CRC32 {zlib.crc32(entry):08x}\n"
        return head.encode() + entry

    def test_slapds_configuration(self) -> None:
        first = self.ldif(IN[0], "9c42-0162e9b169fc", b"{SSHA}9IJdvzsmjEjuAj/T5cElTHIDlcEBUjD6")
        password = b"{SSHA}Rw7FKUPXv6jkc4Gv836ROCIhY5KeIT6y"
        second = self.ldif(IN[1], "85aa-85c002b95531", password)
        path = "etc/ldap/slapd.d/cn=config/olcDatabase={1}mdb.ldif"
        explanation = explain_contents(first, second, path)
        assert proven(explanation) == [("database-datadir", "likely")]
        assert base64.b64encode(password).decode() not in str(explanation)
        for other in (
            self.ldif(IN[1], "85aa-85c002b95531", password, suffix="dc=other"),
            self.ldif(IN[1], "85aa-85c002b95531", b"a word in the clear"),
            self.ldif(OUT[0], "85aa-85c002b95531", password),
            re.sub(rb"(?<=CRC32 ).{8}", b"00000000", second),
        ):
            assert causes(explain_contents(first, other, path))[-1] == "residue"
        assert causes(explain_contents(b"\0\1", b"\0\2", "var/lib/ldap/data.mdb")) == ["database-datadir"]

    def test_a_data_directory_is_taken_as_given(self) -> None:
        for path in (
            "var/lib/mysql/ib_logfile0",
            "var/lib/mysql/mysql/innodb_index_stats.ibd",
            "var/lib/postgresql/15/main/global/pg_control",
            "var/lib/postgresql/15/main/pg_wal/000000010000000000000001",
        ):
            explanation = explain_contents(b"\1\2\0", b"\1\3\0\0", path)
            assert proven(explanation) == [("database-datadir", "likely")]
            assert explanation.findings[0].opaque
        for path in ("var/lib/mysql/readme.txt", "srv/mysql/ib_logfile0", "var/lib/postgresql/15/main/pg_hba.conf"):
            assert causes(explain_contents(b"\1\2\0", b"\1\3\0", path)) == ["residue"]

    def test_tex_formats(self) -> None:
        for magic in (b"W2TX", b"W2MF"):
            explanation = explain_contents(magic + b"\0\0\1", magic + b"\0\0\2\3", "opt/any")
            assert proven(explanation) == [("tex-format", "likely")]
        assert causes(explain_contents(b"W2TY\0\0\1", b"W2TY\0\0\2", "opt/any")) == ["residue"]
        log = "var/lib/texmf/web2c/pdftex/pdftex.log"
        assert causes(explain_contents(b"2926 strings\n", b"2928 strings\n", log)) == ["tex-format"]
        assert causes(explain_contents(b"a\nb\n", b"a\nc\n", "var/lib/texmf/ls-R")) == ["tex-format"]
        assert causes(explain_contents(b"a\n", b"c\n", "var/lib/texmf/tex/generic/config/language.dat")) == ["residue"]


class TestBerkeley:
    @staticmethod
    def aliases(moment: int, target: bytes = b"postmaster") -> bytes:
        identifier = struct.pack("<IIII4x", moment % 1000, 39, moment * 7 % 2**32, 361)
        return hash_table(identifier, [(b"YP_LAST_MODIFIED", b"%d" % moment), (b"root", target)])

    def test_its_identifier_copies_and_time(self) -> None:
        assert proven(two(self.aliases)) == [("berkeley-db", "proven")]

    def test_another_value_or_another_time_is_residue(self) -> None:
        assert causes(explain_contents(self.aliases(IN[0]), self.aliases(IN[1], b"hostmaster"))) == ["residue"]
        assert causes(two(self.aliases, moments=OUT)) == ["residue"]

    def test_a_copy_in_the_free_part_of_a_page_with_values(self) -> None:
        pairs = [(b"alpha", b"5"), (b"beta", b"4")]
        first, second = (hash_table(identifier, pairs, reused=True) for identifier in (b"\1" * 20, b"\2" * 20))
        assert proven(explain_contents(first, second)) == [("berkeley-db", "proven")]
        page = len(first) // 3
        free = bytearray(second)
        free[page + 52] ^= 1
        assert causes(explain_contents(first, bytes(free))) == ["residue"]
        # eighteen pairs take 72 bytes for the list of their places: there is no copy then, but part of that list
        many = [(b"%c" % number, b"x") for number in range(18)]
        pair = [bytearray(hash_table(bytes(20), many)) for _ in range(2)]
        for side, value in zip(pair, (b"\1" * 20, b"\2" * 20), strict=True):
            side[52:72] = side[page + 52 : page + 72] = value
        assert causes(explain_contents(bytes(pair[0]), bytes(pair[1]))) == ["residue"]

    def test_an_identifier_alone_where_it_does_not_belong(self) -> None:
        first, second = bytearray(self.aliases(IN[0])), bytearray(self.aliases(IN[0]))
        second[8192 + 52] ^= 1
        assert causes(explain_contents(bytes(first), bytes(second))) == ["residue"]


class TestGnupg:
    def test_times_in_keyring_and_trust_database(self) -> None:
        assert proven(two(lambda moment: keybox(moment, moment + 1), "any/ring")) == [("gnupg-home", "proven")]
        assert proven(two(trust_database, "any/trust")) == [("gnupg-home", "proven")]

    def test_other_times_and_other_contents(self) -> None:
        assert causes(two(lambda moment: keybox(moment, moment), moments=OUT)) == ["residue"]
        assert causes(explain_contents(keybox(IN[0], IN[0]), keybox(IN[1], OUT[0]))) == ["residue"]
        assert causes(explain_contents(trust_database(IN[0]), trust_database(IN[1], 2))) == ["residue"]
        damaged = bytearray(keybox(IN[1], IN[1]))
        damaged[-1] ^= 1
        assert causes(explain_contents(keybox(IN[0], IN[0]), bytes(damaged))) == ["residue"]

    def test_secrets_are_taken_as_given(self) -> None:
        path = f"root/.gnupg/private-keys-v1.d/{'A1' * 20}.key"
        assert proven(explain_contents(b"(one", b"(two", path)) == [("gnupg-home", "likely")]


class TestInitrd:
    def test_times_and_inode_numbers(self) -> None:
        for make in (cpio, old_cpio):
            pair = [make([("init", b"x", moment, moment % 1000)]) for moment in IN]
            assert proven(explain_contents(pair[0], pair[1])) == [("initrd", "proven")]

    def test_near_misses(self) -> None:
        first = cpio([("init", b"x", IN[0], 1)])
        for second in (
            cpio([("init", b"y", IN[1], 1)]),
            cpio([("int", b"x", IN[1], 1)]),
            cpio([("init", b"x", IN[1], 1)], mode=0o104755),
            cpio([("init", b"x", OUT[0], 1)]),
        ):
            assert causes(explain_contents(first, second)) == ["residue"]

    def test_links_stay_links(self) -> None:
        first = cpio([("a", b"", IN[0], 7), ("b", b"x", IN[0], 7)])
        same = cpio([("a", b"", IN[1], 9), ("b", b"x", IN[1], 9)])
        apart = cpio([("a", b"", IN[1], 7), ("b", b"x", IN[1], 8)])
        assert causes(explain_contents(first, same)) == ["initrd"]
        assert causes(explain_contents(first, apart)) == ["residue"]


MADE: dict[str, tuple[str, Callable[[Path, int], bytes]]] = {
    "rpm": ("var/lib/rpm/rpmdb.sqlite", package_database),
    "dnf": ("var/lib/dnf/history.sqlite", lambda path, moment: history_database(path, moment, moment + 1)),
    "berkeley": ("etc/aliases.db", lambda _, moment: TestBerkeley.aliases(moment)),
    "keyring": ("root/.gnupg/pubring.kbx", lambda _, moment: keybox(moment, moment)),
    "trust": ("root/.gnupg/trustdb.gpg", lambda _, moment: trust_database(moment)),
    "initrd": ("boot/initrd.img-1", lambda _, moment: cpio([("init", b"echo", moment, moment % 1000)])),
}
CLAIMED = {"rpm-install", "berkeley-identifier", "gnupg-time", "cpio-mtime", "cpio-inode", "cpio-device"}


@pytest.mark.parametrize("name", MADE)
def test_one_more_changed_byte_is_never_explained(name: str, tmp_path: Path) -> None:
    path, make = MADE[name]
    place = Place(part="layer", field="content", path=b"/" + path.encode(), type="file")
    first, second = (make(tmp_path / "d", moment) for moment in IN)
    assert try_causes((unfold(first), unfold(second)), place, (WINDOWS[0], WINDOWS[1]), CAUSES).equal
    values = {field.value for field in fields(unfold(second)) if field.kind in CLAIMED}
    values |= {struct.pack(f"{order}I", moment) for moment in (IN[1], IN[1] + 1) for order in "<>"}
    values |= {b"%d" % IN[1], at(IN[1], "%Y%m%d.%H%M%S")}
    spans = [match.span() for value in values for match in re.finditer(re.escape(value), second)]
    chance = random.Random(name)
    for position in chance.sample(range(len(second)), min(len(second), 150)):
        changed = bytearray(second)
        changed[position] ^= 1 << chance.randrange(8)
        trial = try_causes((unfold(first), unfold(bytes(changed))), place, (WINDOWS[0], WINDOWS[1]), CAUSES)
        assert not trial.equal or any(start <= position < end for start, end in spans), position
