"""Causes inside of files: each fires, stays silent on a near miss, and is gone under its remedy."""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import os
import py_compile
import shutil
import struct
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterable
from pathlib import Path

import pytest

from tests.causes.sides import FIRST, SECOND, at, causes, explain_contents
from verifier.causes.cause import SideContext, Window

NO_WINDOWS = (SideContext(), SideContext())
IN = (FIRST + 4, SECOND + 4)
OUT = (FIRST - 400_000, SECOND + 4)


class TestAptLog:
    LOGS = (
        ("var/log/dpkg.log", "%Y-%m-%d %H:%M:%S startup archives unpack\n"),
        ("var/log/alternatives.log", "update-alternatives %Y-%m-%d %H:%M:%S: run with --install /usr/bin/x x /y 1\n"),
        (
            "var/log/apt/history.log",
            "\nStart-Date: %Y-%m-%d  %H:%M:%S\nCommandline: apt-get\nEnd-Date: %Y-%m-%d  %H:%M:%S\n",
        ),
        ("var/log/apt/term.log", "\nLog started: %Y-%m-%d  %H:%M:%S\nUnpacking\nLog ended: %Y-%m-%d  %H:%M:%S\n\n"),
    )

    @pytest.mark.parametrize(("path", "form"), LOGS)
    def test_its_grammar_within_the_windows(self, path: str, form: str) -> None:
        explanation = explain_contents(at(IN[0], form), at(IN[1], form), path)
        assert causes(explanation) == ["apt-log"]
        assert explanation.findings[0].confidence == "proven"

    @pytest.mark.parametrize(("path", "form"), LOGS)
    def test_other_times_are_residue(self, path: str, form: str) -> None:
        assert causes(explain_contents(at(OUT[0], form), at(OUT[1], form), path)) == ["residue"]

    def test_another_version_is_unpinned_apts(self) -> None:
        form = "%Y-%m-%d %H:%M:%S install hello:amd64 <none> {}\n"
        first, second = at(IN[0], form.format("2.10-3")), at(IN[1], form.format("2.10-4"))
        assert causes(explain_contents(first, second, "var/log/dpkg.log")) == ["apt-log", "unpinned-apt"]

    @pytest.mark.parametrize(("path", "form"), LOGS)
    def test_in_the_zone_that_the_image_has_by_then(self, path: str, form: str) -> None:
        utc = [at(moment, form) for moment in IN]
        berlin = [at(moment + 3600 + 20, form) for moment in IN]
        first, second = (one + other for one, other in zip(utc, berlin, strict=True))
        assert causes(explain_contents(first, second, path)) == ["apt-log"]
        # one zone on one side and another on the other is no matter of times alone
        assert causes(explain_contents(first, utc[1] + at(IN[1] + 7200, form), path)) == ["residue"]

    def test_another_package_is_residue(self) -> None:
        form = "%Y-%m-%d %H:%M:%S install {}:amd64 <none> 2.10-3\n"
        first, second = at(IN[0], form.format("hello")), at(IN[1], form.format("hallo"))
        assert causes(explain_contents(first, second, "var/log/dpkg.log")) == ["residue"]

    @pytest.mark.parametrize(("path", "form"), LOGS)
    def test_what_was_rotated(self, path: str, form: str) -> None:
        first, second = at(IN[0], form), at(IN[1], form)
        for name in (f"{path}.1", f"{path}-20261118"):
            assert causes(explain_contents(first, second, name)) == ["apt-log"]
        packed = [gzip.compress(content, mtime=0) for content in (first, second)]
        assert causes(explain_contents(packed[0], packed[1], f"{path}.2.gz")) == ["apt-log"]
        for name in (f"{path}.1.mine", f"{path}.old", f"srv/{path}.1"):
            assert "apt-log" not in causes(explain_contents(first, second, name))

    def test_another_path_is_not_apts(self) -> None:
        form = self.LOGS[0][1]
        assert causes(explain_contents(at(IN[0], form), at(IN[1], form), "srv/dpkg.log")) == ["embedded-timestamp"]


class TestEmbeddedTimestamp:
    FORMS = (
        "%Y-%m-%d %H:%M:%S",
        "%Y-%m-%dT%H:%M:%SZ",
        "%Y-%m-%dT%H:%M:%S+00:00",
        "%Y-%m-%d %H:%M:%S UTC",
        "%Y-%m-%d %H:%M:%S,123",
        "%Y-%m-%dT%H:%M:%S.123456Z",
        "%Y/%m/%d %H:%M:%S",
        "%Y%m%dT%H%M%SZ",
        "%Y%m%d%H%M%S",
        "%a %b %d %H:%M:%S UTC %Y",
        "%a %b %e %H:%M:%S %Y",
        "%a, %d %b %Y %H:%M:%S +0000",
        "%a, %d %b %Y %H:%M:%S GMT",
        "%a %d %b %Y %H:%M:%S UTC",
        "[%d/%b/%Y:%H:%M:%S +0000]",
    )

    @pytest.mark.parametrize("form", FORMS)
    def test_every_form_that_programs_print(self, form: str) -> None:
        text = f"# generated {form} by tool 1.2.3\n"
        explanation = explain_contents(at(IN[0], text), at(IN[1], text))
        assert causes(explanation) == ["embedded-timestamp"]
        assert explanation.findings[0].confidence == "proven"

    @pytest.mark.parametrize("form", FORMS)
    def test_no_form_outside_of_the_windows(self, form: str) -> None:
        assert causes(explain_contents(at(OUT[0], form), at(OUT[1], form))) == ["residue"]
        assert causes(explain_contents(at(IN[0], form), at(IN[0] + 1, form))) == ["residue"]

    @pytest.mark.parametrize("scale", [1, 1_000, 1_000_000, 1_000_000_000])
    def test_counts_since_1970(self, scale: int) -> None:
        first, second = (b"built=%d;" % (moment * scale + scale // 3) for moment in IN)
        assert causes(explain_contents(first, second)) == ["embedded-timestamp"]
        first, second = (b"built=%d;" % (moment * scale) for moment in OUT)
        assert causes(explain_contents(first, second)) == ["residue"]

    def test_a_zone_counts(self) -> None:
        first, second = (at(moment + 7200, "%Y-%m-%dT%H:%M:%S+02:00\n") for moment in IN)
        assert causes(explain_contents(first, second)) == ["embedded-timestamp"]
        first, second = (at(moment, "%Y-%m-%dT%H:%M:%S+02:00\n") for moment in IN)
        assert causes(explain_contents(first, second)) == ["residue"]

    def test_a_weekday_that_is_not_the_dates_is_no_time(self) -> None:
        form = "%a %b %d %H:%M:%S UTC %Y\n"
        first, second = at(IN[0], form), at(IN[1], form)
        wrong = second.replace(second[:3], b"Sun" if second[:3] != b"Sun" else b"Mon")
        assert causes(explain_contents(first, wrong)) == ["residue"]

    def test_two_forms_of_one_moment_are_not_the_same(self) -> None:
        first, second = at(IN[0], "%Y-%m-%d %H:%M:%S\n"), at(IN[1], "%Y-%m-%dT%H:%M:%S\n")
        assert causes(explain_contents(first, second)) == ["residue"]

    @pytest.mark.parametrize("text", ["1.{}", "v{}", "{}.5.1", "a{}", "{}0"])
    def test_versions_and_longer_numbers_are_no_times(self, text: str) -> None:
        first, second = (text.format(moment).encode() for moment in IN)
        assert causes(explain_contents(first, second)) == ["residue"]

    def test_more_than_a_time_is_residue(self) -> None:
        first, second = at(IN[0], "%Y-%m-%d %H:%M:%S a\n"), at(IN[1], "%Y-%m-%d %H:%M:%S b\n")
        explanation = explain_contents(first, second)
        assert causes(explanation) == ["residue"]
        assert "embedded-timestamp" in explanation.residue[0].ruled_out[0]

    def test_without_windows_nothing_is_claimed(self) -> None:
        form = "%Y-%m-%d %H:%M:%S\n"
        explanation = explain_contents(at(IN[0], form), at(IN[1], form), sides=NO_WINDOWS)
        assert causes(explanation) == ["residue"]

    def test_sizes_go_with_their_content(self) -> None:
        first, second = at(IN[0], "%Y-%m-%dT%H:%M:%S.5\n"), at(IN[1], "%Y-%m-%dT%H:%M:%S.123456789\n")
        explanation = explain_contents(first, second)
        assert causes(explanation) == ["embedded-timestamp"]
        assert explanation.of == 2


class TestRandomValue:
    FIRST, SECOND = b"0b7e1b0c-9d6c-4a4e-8f5e-1d2c3b4a5f60", b"f3a0c1d2-0001-4fff-b123-000000000001"

    def test_a_uuid_of_version_4(self) -> None:
        explanation = explain_contents(b"id=" + self.FIRST, b"id=" + self.SECOND)
        assert causes(explanation) == ["random-value"]
        assert explanation.findings[0].confidence == "likely"
        assert explanation.opaque == 1
        assert self.FIRST.decode() not in str(explanation.findings[0].evidence)

    @pytest.mark.parametrize(
        "second", [SECOND.replace(b"-4fff", b"-1fff"), SECOND.replace(b"-b", b"-c"), SECOND[:-1], SECOND.upper()]
    )
    def test_other_values_are_residue(self, second: bytes) -> None:
        assert causes(explain_contents(self.FIRST, second)) == ["residue"]

    def test_a_date_whose_colons_javas_properties_escape(self) -> None:
        form = "build.name=app\nbuild.time=%Y-%m-%dT%H\\:%M\\:%S.144Z\n"
        first, second = (at(moment, form) for moment in IN)
        assert rb"\:" in first
        assert causes(explain_contents(first, second)) == ["embedded-timestamp"]
        assert causes(explain_contents(at(OUT[0], form), second)) == ["residue"]

    def test_phps_uniqid_with_more_entropy(self) -> None:
        # sec and usec by PHP itself: uniqid("", true)
        first, second = (
            f's:1:"u";s:23:"{moment:08x}{usec:05x}{rest}";'.encode()
            for moment, usec, rest in ((IN[0], 0xC4868, "4.40009812"), (IN[1], 0xF4E85, "1.10677419"))
        )
        explanation = explain_contents(first, second)
        assert causes(explanation) == ["random-value"]
        assert explanation.opaque == 1
        assert causes(explain_contents(first, second.replace(f"{IN[1]:x}".encode(), f"{OUT[0]:x}".encode()))) == [
            "residue"
        ]

    def test_a_digest_is_not_called_random(self) -> None:
        first, second = (hashlib.sha256(name).hexdigest().encode() for name in (b"a", b"b"))
        assert causes(explain_contents(first, second)) == ["residue"]


@pytest.fixture(scope="module")
def host_keys(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    if shutil.which("ssh-keygen") is None:
        pytest.skip("ssh-keygen is not installed")
    folders = []
    for comment in ("root@a", "root@b"):
        folder = tmp_path_factory.mktemp("keys")
        command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", comment, "-f", str(folder / "key")]
        subprocess.run(command, check=True)
        folders.append(folder)
    return folders[0], folders[1]


class TestKeys:
    MACHINE_IDS = (b"0123456789abcdef0123456789abcdef\n", b"fedcba9876543210fedcba9876543210\n")

    @pytest.mark.parametrize("path", ["etc/machine-id", "var/lib/dbus/machine-id"])
    def test_a_machines_identity(self, path: str) -> None:
        assert causes(explain_contents(*self.MACHINE_IDS, path)) == ["machine-id"]

    def test_a_machines_identity_elsewhere_or_misshapen(self) -> None:
        assert causes(explain_contents(*self.MACHINE_IDS, "etc/other")) == ["residue"]
        assert causes(explain_contents(self.MACHINE_IDS[0], b"uninitialized\n", "etc/machine-id")) == ["residue"]

    @pytest.mark.parametrize("name", ["key", "key.pub"])
    def test_a_servers_host_keys(self, host_keys: tuple[Path, Path], name: str) -> None:
        first, second = ((folder / name).read_bytes() for folder in host_keys)
        path = "etc/ssh/ssh_host_ed25519_" + name
        explanation = explain_contents(first, second, path)
        assert causes(explanation) == ["ssh-host-keys"]
        assert explanation.findings[0].opaque
        assert first.decode().split()[1] not in str(explanation)

    def test_a_store_of_pkcs_12(self, tmp_path: Path) -> None:
        stores = [self.pkcs12(tmp_path, name) for name in ("first", "second")]
        explanation = explain_contents(*stores, "srv/any")
        assert causes(explanation) == ["generated-key"]
        assert explanation.findings[0].opaque
        assert causes(explain_contents(stores[0], stores[1] + b"\0", "srv/any")) == ["residue"]
        trusted = [self.pkcs12(tmp_path, name, "-nokeys") for name in ("first", "second")]
        assert causes(explain_contents(*trusted, "srv/any")) == ["residue"]

    @staticmethod
    def pkcs12(folder: Path, name: str, *more: str) -> bytes:
        if shutil.which("openssl") is None:
            pytest.skip("openssl is not installed")
        key, out = folder / f"{name}.pem", folder / f"{name}.p12"
        words = [
            "openssl",
            "req",
            "-x509",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-subj",
            "/CN=x",
            "-keyout",
            key,
            "-out",
            key,
        ]
        if not key.exists():
            certificate = subprocess.run([*words[:-1], "-"], check=True, capture_output=True).stdout
            key.write_bytes(key.read_bytes() + certificate)
        words = ["openssl", "pkcs12", "-export", "-in", key, "-out", out, "-passout", "pass:changeit", *more]
        subprocess.run(words, check=True, capture_output=True)
        return out.read_bytes()

    def test_the_keys_of_a_java_keystore(self) -> None:
        def store(moment: float, key: bytes, alias: bytes = b"a") -> bytes:
            body = b"\xfe\xed\xfe\xed\0\0\0\2\0\0\0\1\0\0\0\1" + struct.pack(">H", len(alias)) + alias
            body += struct.pack(">Q", int(moment * 1000)) + struct.pack(">I", len(key)) + key + b"\0\0\0\0"
            seal = "changeit".encode("utf-16-be") + b"Mighty Aphrodite" + body
            return body + hashlib.sha1(seal, usedforsecurity=False).digest()

        first, second = store(IN[0], os.urandom(1296)), store(IN[1], os.urandom(1297))
        assert causes(explain_contents(first, second)) == ["java-cacerts", "generated-key"]
        assert causes(explain_contents(first, store(OUT[0], os.urandom(1297))))[-1] == "residue"
        assert causes(explain_contents(first, store(IN[1], os.urandom(1297), b"b")))[-1] == "residue"

    def test_keys_elsewhere_are_not_the_servers(self, host_keys: tuple[Path, Path]) -> None:
        first, second = ((folder / "key").read_bytes() for folder in host_keys)
        assert causes(explain_contents(first, second, "srv/key")) == ["generated-key"]
        first, second = ((folder / "key.pub").read_bytes() for folder in host_keys)
        assert causes(explain_contents(first, second, "srv/key.pub")) == ["residue"]

    def test_fingerprints_in_apts_terminal_log(self) -> None:
        lines = (
            b"3072 SHA256:%s root@host (RSA)\r\n" % base64.b64encode(hashlib.sha256(c).digest()).rstrip(b"=")
            for c in (b"a", b"b")
        )
        first, second = lines
        assert causes(explain_contents(first, second, "var/log/apt/term.log")) == ["ssh-host-keys"]
        assert causes(explain_contents(first, second, "var/log/other.log")) == ["residue"]

    @staticmethod
    def certificate(moment: int, name: bytes = b"a") -> bytes:
        """Make as much of a certificate as is looked at (RFC 5280, section 4.1)."""

        def element(tag: int, content: bytes) -> bytes:
            return bytes((tag, len(content))) + content

        times = element(0x17, at(moment, "%y%m%d%H%M%SZ")) + element(0x17, at(moment + 86400, "%y%m%d%H%M%SZ"))
        body = element(0xA0, b"\2\1\2") + element(2, name) + element(0x30, b"") + element(0x30, b"")
        der = element(0x30, element(0x30, body + element(0x30, times)))
        text = base64.b64encode(der)
        return b"-----BEGIN CERTIFICATE-----\n%s\n-----END CERTIFICATE-----\n" % text

    def test_a_certificate_that_the_build_made(self) -> None:
        first, second = self.certificate(IN[0]), self.certificate(IN[1], b"b")
        assert causes(explain_contents(first, second)) == ["generated-key"]

    def test_a_certificate_that_it_did_not_make(self) -> None:
        first, second = self.certificate(OUT[0]), self.certificate(OUT[0], b"b")
        assert causes(explain_contents(first, second)) == ["residue"]

    def test_a_certificate_without_windows(self) -> None:
        first, second = self.certificate(IN[0]), self.certificate(IN[1])
        assert causes(explain_contents(first, second, sides=NO_WINDOWS)) == ["residue"]


class TestShadow:
    def test_days(self) -> None:
        first, second = (b"root:*:%d:0:99999:7:::\n" % day for day in (FIRST // 86400, SECOND // 86400 - 1))
        assert causes(explain_contents(first, second, "etc/shadow")) == ["residue"]
        midnight = 86400 * (FIRST // 86400)
        sides = tuple(
            SideContext(window=Window(start=start, end=start + 60)) for start in (midnight - 90.0, midnight + 30.0)
        )
        first, second = (b"root:*:%d:0:99999:7:::\n" % day for day in (midnight // 86400 - 1, midnight // 86400))
        assert causes(explain_contents(first, second, "etc/shadow", sides)) == ["shadow-lastchg"]
        assert causes(explain_contents(first, second, "etc/other", sides)) == ["residue"]

    @pytest.mark.parametrize(
        "hashes", [("$y$j9T$" + "a" * 22 + "$" + c * 43 for c in "xy"), ("$6$salt$" + c * 86 for c in "xy")]
    )
    def test_salts(self, hashes: Iterable[str]) -> None:
        first, second = (f"a:{text}:20000:0:99999:7:::\n".encode() for text in hashes)
        explanation = explain_contents(first, second, "etc/shadow")
        assert causes(explanation) == ["password-salt"]
        assert explanation.findings[0].confidence == "likely"

    def test_another_user_or_another_method_is_residue(self) -> None:
        for first, second in ((b"a:*:1:0:9:7:::\n", b"b:*:1:0:9:7:::\n"), (b"a:*:1:0:9:7:::\n", b"a:!:1:0:9:7:::\n")):
            assert causes(explain_contents(first, second, "etc/shadow")) == ["residue"]
        first, second = b"a:$6$s$" + b"x" * 86 + b":1:\n", b"a:$y$j9T$" + b"a" * 22 + b"$" + b"x" * 43 + b":1:\n"
        assert causes(explain_contents(first, second, "etc/shadow")) == ["residue"]


class TestBytecode:
    @staticmethod
    def compiled(tmp_path: Path, moment: int, code: str = "x = 1\n", mode: str = "TIMESTAMP") -> bytes:
        source, target = tmp_path / "m.py", tmp_path / "m.pyc"
        source.write_text(code)
        os.utime(source, (moment, moment))
        py_compile.compile(
            str(source), str(target), dfile="m.py", invalidation_mode=py_compile.PycInvalidationMode[mode], doraise=True
        )
        return target.read_bytes()

    def test_the_sources_mtime_in_any_path(self, tmp_path: Path) -> None:
        first, second = (self.compiled(tmp_path, moment) for moment in IN)
        explanation = explain_contents(first, second, "opt/whatever")
        assert causes(explanation) == ["pyc-mtime"]
        assert explanation.findings[0].evidence[0].offset == 8

    def test_other_code_other_times_other_sizes(self, tmp_path: Path) -> None:
        first = self.compiled(tmp_path, IN[0])
        assert causes(explain_contents(first, self.compiled(tmp_path, IN[1], "x = 2\n"))) == ["residue"]
        assert causes(explain_contents(first, self.compiled(tmp_path, IN[1], "x = 1 \n"))) == ["residue"]
        assert causes(explain_contents(*(self.compiled(tmp_path, moment) for moment in OUT))) == ["residue"]

    def test_hash_based_files_have_no_time(self, tmp_path: Path) -> None:
        first, second = (self.compiled(tmp_path, moment, mode="UNCHECKED_HASH") for moment in IN)
        assert explain_contents(first, second).of == 0
        first, second = bytearray(first), bytearray(first)
        first[8:12], second[8:12] = (struct.pack("<I", moment) for moment in IN)
        assert causes(explain_contents(bytes(first), bytes(second))) == ["residue"]


def zipped(moment: float, content: bytes = b"hello " * 99, *, extra: bool = False, name: str = "a/b.txt") -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        parts = [int(part) for part in at(moment, "%Y %m %d %H %M %S").split()]
        info = zipfile.ZipInfo(name, (parts[0], parts[1], parts[2], parts[3], parts[4], parts[5]))
        info.compress_type = zipfile.ZIP_DEFLATED
        if extra:
            info.extra = struct.pack("<HHBI", 0x5455, 5, 1, int(moment))
        archive.writestr(info, content)
    return out.getvalue()


class TestZip:
    @pytest.mark.parametrize("extra", [False, True])
    def test_times_of_members(self, extra: bool) -> None:
        explanation = explain_contents(*(zipped(moment, extra=extra) for moment in IN), "lib/x.jar")
        assert causes(explanation) == ["zip-time"]
        assert explanation.findings[0].confidence == "proven"

    def test_an_archive_in_an_archive(self) -> None:
        first, second = (zipped(moment, zipped(moment), name="inner.jar") for moment in IN)
        explanation = explain_contents(first, second)
        assert causes(explanation) == ["zip-time"]

    def test_what_lies_in_a_member_is_looked_into(self) -> None:
        first, second = (zipped(moment, at(moment, "#%a %b %d %H:%M:%S UTC %Y\nversion=1\n")) for moment in IN)
        assert causes(explain_contents(first, second)) == ["zip-time", "embedded-timestamp"]

    @pytest.mark.parametrize("who", ["Generated by Maven", "Created by Apache Maven 3.8.7"])
    def test_the_comment_of_mavens_archiver_goes_with_the_members_times(self, who: str) -> None:
        form = f"#{who}\n#%a %b %d %H:%M:%S UTC %Y\nversion=1\ngroupId=g\nartifactId=a\n"
        name = "META-INF/maven/g/a/pom.properties"
        first, second = (zipped(moment, at(moment, form), name=name) for moment in IN)
        assert causes(explain_contents(first, second)) == ["zip-time"]
        assert causes(explain_contents(at(IN[0], form), at(IN[1], form))) == ["zip-time"]
        first, second = (zipped(moment, at(moment - 400_000, form), name=name) for moment in IN)
        assert causes(explain_contents(first, second)) == ["residue"]

    def test_near_misses(self) -> None:
        assert causes(explain_contents(*(zipped(moment) for moment in OUT))) == ["residue"]
        assert causes(explain_contents(zipped(IN[0]), zipped(IN[1], b"other"))) == ["residue"]
        assert causes(explain_contents(zipped(IN[0]), zipped(IN[1], name="a/c.txt"))) == ["residue"]
        assert causes(explain_contents(zipped(IN[0]), zipped(IN[1]) + b"\0")) == ["residue"]

    def test_a_stream_of_an_unknown_compressor_is_taken_as_given(self) -> None:
        first, second = (zipped_by_hand(moment, at(moment, "%Y-%m-%d %H:%M:%S\n") * 3) for moment in IN)
        explanation = explain_contents(first, second)
        assert causes(explanation) == ["zip-time", "embedded-timestamp"]
        assert explanation.opaque == 1
        assert {finding.confidence for finding in explanation.findings} == {"likely"}

    def test_such_a_stream_must_be_the_same_over_the_same_content(self) -> None:
        first, second = zipped(IN[0], b"same\n"), zipped_by_hand(IN[1], b"same\n")
        assert causes(explain_contents(first, second)) == ["residue"]


def zipped_by_hand(moment: float, content: bytes) -> bytes:
    """Deflate in stored blocks of one byte, as no compressor does."""
    made = bytearray(zipped(moment, content))
    blocks = b"".join(
        bytes((number == len(content) - 1,)) + struct.pack("<HH", 1, 0xFFFE) + content[number : number + 1]
        for number in range(len(content))
    )
    start = 30 + len("a/b.txt")
    directory = made.index(b"PK\1\2")
    made[start:directory] = blocks
    struct.pack_into("<I", made, 18, len(blocks))
    directory = made.index(b"PK\1\2")
    struct.pack_into("<I", made, directory + 20, len(blocks))
    struct.pack_into("<I", made, made.index(b"PK\5\6") + 16, directory)
    assert zipfile.ZipFile(io.BytesIO(bytes(made))).read("a/b.txt") == content
    return bytes(made)


class TestOtherArchives:
    @staticmethod
    def tar(moment: int, mode: int = 0o644) -> bytes:
        out = io.BytesIO()
        with tarfile.open(fileobj=out, mode="w", format=tarfile.GNU_FORMAT) as archive:
            info = tarfile.TarInfo("inner/file")
            info.size, info.mtime, info.mode = 3, moment, mode
            archive.addfile(info, io.BytesIO(b"abc"))
        return out.getvalue()

    @staticmethod
    def seventh(moment: int, checksum: bytes | None = None) -> bytes:
        """Write one file as `tar cho` does: no magic, no names, devices all the same."""
        fields = b"inner/file".ljust(100, b"\0") + b"0000644\0" + b"0000000\0" * 2 + b"00000000003\0%011o\0" % moment
        block = bytearray((fields + b" " * 8 + b"0").ljust(512, b"\0"))
        block[329:345] = b"0000000\0" * 2
        block[148:156] = b"%b\0 " % (b"%06o" % sum(block) if checksum is None else checksum[:6])
        return bytes(block) + b"abc".ljust(512, b"\0") + bytes(1024)

    def test_mtimes_in_a_tar_and_in_a_gzip_header(self) -> None:
        assert causes(explain_contents(*(self.tar(moment) for moment in IN))) == ["archive-in-run"]
        assert causes(explain_contents(*(self.seventh(moment) for moment in IN))) == ["archive-in-run"]
        assert causes(explain_contents(*(self.seventh(moment, b"0000000") for moment in IN))) == ["residue"]
        assert causes(explain_contents(*(gzip.compress(b"same", mtime=moment) for moment in IN))) == ["archive-in-run"]
        first, second = (gzip.compress(self.tar(moment), mtime=moment) for moment in IN)
        assert causes(explain_contents(first, second)) == ["archive-in-run"]

    def test_near_misses(self) -> None:
        assert causes(explain_contents(*(self.tar(moment) for moment in OUT))) == ["residue"]
        assert causes(explain_contents(self.tar(IN[0]), self.tar(IN[1], 0o4755))) == ["residue"]
        assert causes(explain_contents(*(gzip.compress(b"same", mtime=moment) for moment in OUT))) == ["residue"]
        first, second = gzip.compress(b"one", mtime=IN[0]), gzip.compress(b"two", mtime=IN[1])
        assert causes(explain_contents(first, second)) == ["residue"]
        first, second = gzip.compress(b"a" * 999, 1, mtime=IN[0]), gzip.compress(b"a" * 999, 9, mtime=IN[1])
        assert causes(explain_contents(first, second)) == ["residue"]

    def test_gzip_without_a_time(self) -> None:
        assert explain_contents(gzip.compress(b"same", mtime=0), gzip.compress(b"same", mtime=0)).of == 0

    @staticmethod
    def library(moment: int, owner: int = 0, content: bytes = b"object") -> bytes:
        header = b"%-16s%-12d%-6d%-6d%-8o%-10d`\n" % (b"a.o/", moment, owner, 0, 0o100644, len(content))
        return b"!<arch>\n" + header + content

    def test_times_in_a_static_library(self) -> None:
        assert causes(explain_contents(*(self.library(moment) for moment in IN))) == ["ar-timestamp"]
        assert causes(explain_contents(*(self.library(moment) for moment in OUT))) == ["residue"]
        assert causes(explain_contents(self.library(IN[0]), self.library(IN[1], 1000))) == ["residue"]
        assert causes(explain_contents(self.library(IN[0]), self.library(IN[1], 0, b"Object"))) == ["residue"]
        assert explain_contents(self.library(0), self.library(0)).of == 0


class TestBinaryFormats:
    @staticmethod
    def keystore(moment: int, certificate: bytes = b"DER", seal: str = "changeit") -> bytes:
        body = struct.pack(">III", 0xFEEDFEED, 2, 1) + struct.pack(">I", 2) + struct.pack(">H", 2) + b"ca"
        body += struct.pack(">Q", moment * 1000 + 250) + struct.pack(">H", 5) + b"X.509"
        body += struct.pack(">I", len(certificate)) + certificate
        return body + hashlib.sha1(seal.encode("utf-16-be") + b"Mighty Aphrodite" + body).digest()  # noqa: S324

    def test_dates_in_a_java_keystore(self) -> None:
        explanation = explain_contents(*(self.keystore(moment) for moment in IN))
        assert causes(explanation) == ["java-cacerts"]
        assert causes(explain_contents(*(self.keystore(moment) for moment in OUT))) == ["residue"]
        assert causes(explain_contents(self.keystore(IN[0]), self.keystore(IN[1], b"RED"))) == ["residue"]

    def test_a_keystore_under_another_password_cannot_be_checked(self) -> None:
        assert causes(explain_contents(*(self.keystore(moment, seal="p") for moment in IN))) == ["residue"]

    @staticmethod
    def font_cache(moment: int, nanoseconds: int = 5, rest: bytes = b"fonts") -> bytes:
        size = 64 + len(rest)
        head = struct.pack("<IIQQQQQ", 0xFC02FC04, 8, size, 64, 0, 0, 0)
        return head + struct.pack("<IIQ", moment, 0, nanoseconds) + rest

    def test_the_time_in_a_font_cache(self) -> None:
        assert causes(explain_contents(self.font_cache(IN[0]), self.font_cache(IN[1], 7))) == ["fontconfig-cache"]
        assert causes(explain_contents(*(self.font_cache(moment) for moment in OUT))) == ["residue"]
        assert causes(explain_contents(self.font_cache(IN[0]), self.font_cache(IN[1], 5, b"other"))) == ["residue"]
        assert causes(explain_contents(self.font_cache(IN[0]), self.font_cache(IN[1], 10**9))) == ["residue"]

    @staticmethod
    def library_cache(records: list[tuple[str, int, int]], size: int = 100) -> bytes:
        """Write ldconfig's auxiliary cache, version 2, of (name, inode, change time)."""
        table, names = b"", b"\0"
        for name, inode, changed in records:
            table += struct.pack("<QQQQiII4x", inode, changed, size, 7, 0x303, len(names), 0)
            names += name.encode() + b"\0"
        return b"glibc-ld.so.auxcache-2.0" + struct.pack("<II", len(records), len(names)) + table + names

    def test_inodes_and_their_order_in_ldconfigs_cache(self) -> None:
        first = self.library_cache([("liba.so.1", 11, IN[0]), ("libb.so.2", 12, FIRST - 10**6)])
        second = self.library_cache([("libb.so.2", 5, SECOND - 10**6), ("liba.so.1", 90, IN[1])])
        explanation = explain_contents(first, second)
        assert causes(explanation) == ["ldconfig-aux-cache"]
        assert explanation.findings[0].confidence == "proven"

    def test_the_size_of_a_library_is_taken_as_given(self) -> None:
        first = self.library_cache([("liba.so.1", 11, IN[0])])
        explanation = explain_contents(first, self.library_cache([("liba.so.1", 11, IN[1])], 101))
        assert causes(explanation) == ["ldconfig-aux-cache"]
        assert (explanation.findings[0].confidence, explanation.opaque) == ("likely", 1)

    def test_another_library_or_a_time_to_come(self) -> None:
        first = self.library_cache([("liba.so.1", 11, IN[0])])
        assert causes(explain_contents(first, self.library_cache([("liba.so.2", 11, IN[1])]))) == ["residue"]
        assert causes(explain_contents(first, self.library_cache([("liba.so.1", 11, SECOND + 99)]))) == ["residue"]

    def test_apts_caches_by_path_and_signature(self) -> None:
        first, second = (b"\x98\xfe\x76\xdc" + bytes(100) + tail for tail in (b"a", b"bc"))
        explanation = explain_contents(first, second, "var/cache/apt/pkgcache.bin")
        assert causes(explanation) == ["apt-pkgcache"]
        assert explanation.findings[0].confidence == "likely"
        assert causes(explain_contents(first, second, "var/cache/apt/other.bin")) == ["residue"]
        assert causes(explain_contents(first, b"\0" + second, "var/cache/apt/pkgcache.bin")) == ["residue"]


def test_python_of_this_machine_writes_what_is_recognised(tmp_path: Path) -> None:
    """Let the interpreter itself write a bytecode file, by importing."""
    made = []
    for number, moment in enumerate(IN):
        folder = tmp_path / str(number)
        folder.mkdir()
        source = folder / "m.py"
        source.write_text("def f():\n    return 1\n")
        os.utime(source, (moment, moment))
        environment = {**os.environ, "PYTHONPYCACHEPREFIX": str(folder / "cache"), "PYTHONDONTWRITEBYTECODE": ""}
        environment.pop("SOURCE_DATE_EPOCH", None)
        subprocess.run([sys.executable, "-c", "import m"], cwd=folder, env=environment, check=True)
        made.append(next((folder / "cache").rglob("m.*.pyc")).read_bytes())
    # the folder's name is in the code
    first, second = (content.replace(f"/{number}/m.py".encode(), b"/0/m.py") for number, content in enumerate(made))
    assert causes(explain_contents(first, second)) == ["pyc-mtime"]
