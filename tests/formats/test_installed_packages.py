"""What package managers record: read by the grammar, and nothing else."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

import pytest

from verifier.formats.installed_packages import (
    Away,
    Package,
    apk_packages,
    dpkg_files,
    dpkg_packages,
    normalised_name,
    wheel_files,
    wheel_packages,
    without_apk_records,
    without_stanzas,
)
from verifier.formats.package_logs import logged_versions

STATUS = b"""Package: liba1
Status: install ok installed
Architecture: amd64
Multi-Arch: same
Version: 1:2.0-1+b1
Depends: libc6 (>= 2.36), b:any | c-alternative <!x>,
 d
Pre-Depends: e
Recommends: f
Suggests: not-this
Provides: virtual (= 1)
Conffiles:
 /etc/a.conf 0123456789abcdef0123456789abcdef
 /etc/a b.conf fedcba9876543210fedcba9876543210 obsolete
 /etc/no newconffile
Description: a library
 Version: not this

Package: removed
Status: deinstall ok config-files
Architecture: all

Package: ../../evil
Architecture: all
Version: 1
"""


def away(
    alone: Iterable[str] = (), changed: Iterable[str] = (), files: Mapping[bytes, Collection[str]] | None = None
) -> Away:
    return Away(frozenset(alone), frozenset(changed), files or {})


def test_dpkgs_status() -> None:
    (package,) = dpkg_packages(STATUS)
    assert (package.key, package.version) == ("liba1:amd64", "1:2.0-1+b1")
    assert package.needs == {b"libc6", b"b", b"c-alternative", b"d", b"e", b"f"}
    assert package.provides == {b"liba1", b"virtual"}
    assert package.records[2:] == (b"/var/lib/dpkg/info/liba1:amd64.list", b"/var/lib/dpkg/info/liba1:amd64.md5sums")
    assert package.files == {
        b"/etc/a.conf": "md5:0123456789abcdef0123456789abcdef",
        b"/etc/a b.conf": "md5:fedcba9876543210fedcba9876543210",
    }


def test_dpkgs_lists_and_digests() -> None:
    (package,) = dpkg_packages(STATUS)
    sums = b"a" * 32 + b"  lib/liba.so.1\n" + b"b" * 32 + b"  usr/share/unlisted\nnonsense  usr/bin/a\n"
    listed = b"/.\n/lib\n/lib/liba.so.1\n/usr/bin/a\n/etc/a.conf\nrelative\n\n"
    files = dpkg_files(package, {package.records[2]: listed, package.records[3]: sums})
    assert files == {
        b"/lib": None,
        b"/usr/lib": None,
        b"/lib/liba.so.1": "md5:" + "a" * 32,
        b"/usr/lib/liba.so.1": "md5:" + "a" * 32,
        b"/usr/bin/a": None,
        b"/etc/a.conf": "md5:0123456789abcdef0123456789abcdef",
    }
    assert dpkg_files(package, {}) == {}


def test_stanzas_are_left_out_whole() -> None:
    text = b"Package: a\nArchitecture: amd64\nAuto-Installed: 1\n\nPackage: ab\nArchitecture: amd64\n\n"
    assert without_stanzas(text, []) == text
    assert without_stanzas(text, ["a:amd64"]) == b"Package: ab\nArchitecture: amd64\n\n"
    assert without_stanzas(text, ["a:i386", "b:amd64"]) == text


def test_apks_database() -> None:
    text = (
        b"C:Q1x=\nP:zlib\nV:1.3-r0\nD:so:libc.so.1 a>=1.2 !conflict b~3\np:so:libz.so.1=1.3 cmd:z\n"
        b"F:\nR:top\nF:lib\nM:0:0:1777\nR:libz.so\na:0:0:4755\nZ:Q1qvTGHdzF6KLavt4PO0gs2a6pQ00=\nR:bad\nZ:Q1***\n\n"
    )
    (package,) = apk_packages(text)
    assert (package.key, package.version) == ("zlib", "1.3-r0")
    assert package.needs == {b"so:libc.so.1", b"a", b"b"}
    assert package.provides == {b"zlib", b"so:libz.so.1", b"cmd:z"}
    assert package.files == {
        b"/top": None,
        b"/lib": None,
        b"/lib/libz.so": "sha1:aaf4c61ddcc5e8a2dabede0f3b482cd9aea9434d",
        b"/lib/bad": None,
    }
    cut = without_apk_records(text, away(changed=["zlib"]))
    assert cut.endswith(b"cmd:z\nF:\nM:0:0:1777\na:0:0:4755\n\n")
    assert without_apk_records(text, away(["zlib"])) == b""
    assert without_apk_records(text, away(["other"], ["other"])) == text


METADATA = (
    b"Metadata-Version: 2.1\nName: Foo.Bar_baz\nVersion: 1.0\nRequires-Dist: A_b[x] (>=1); extra == 'c'\n\nName: no\n"
)


def test_a_wheels_metadata_and_record() -> None:
    place = b"/usr/lib/python3/site-packages"
    path = place + b"/foo_bar_baz-1.0.dist-info/METADATA"
    (package,) = wheel_packages(path, METADATA)
    assert (package.key, package.version) == ("/usr/lib/python3/site-packages/foo-bar-baz", "1.0")
    assert (package.needs, package.provides) == ({b"a-b"}, {b"foo-bar-baz"})
    assert package.records == (place + b"/foo_bar_baz-1.0.dist-info/RECORD",)
    record = (
        b'foo/__init__.py,sha256=47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU,0\n"foo/a,b.py",,\n'
        b"../../../bin/foo,md5=abc,3\nbroken\nfoo/x,sha256=!,1\n"
    )
    assert wheel_files({package.records[0]: record}) == {
        place + b"/foo/__init__.py": "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        place + b"/foo/a,b.py": None,
        b"/usr/bin/foo": None,
        place + b"/foo/x": None,
    }


def test_a_record_that_is_no_table_is_refused() -> None:
    with pytest.raises(ValueError, match="expected"):
        wheel_files({b"/a/b.dist-info/RECORD": b'"a"b,,\n'})


def test_a_package_that_no_index_gave_has_no_files() -> None:
    record = b"a.py,sha256=47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU,0\nb.dist-info/direct_url.json,,\n"
    assert wheel_files({b"/a/b.dist-info/RECORD": record}) == {}
    assert b"/a/a.py" in wheel_files({b"/a/b.dist-info/RECORD": record.partition(b"\n")[0] + b"\n"})


@pytest.mark.parametrize("path", [b"/a/METADATA", b"/a/b.dist-info/RECORD", b"METADATA"])
def test_other_files_are_no_metadata(path: bytes) -> None:
    assert not list(wheel_packages(path, METADATA))


def test_names_are_compared_as_the_specification_does() -> None:
    assert normalised_name(b"Foo.-_Bar") == b"foo-bar"
    assert isinstance(next(dpkg_packages(STATUS)), Package)


LOGS = {
    b"/var/log/dpkg.log": (
        (
            b"2026-01-01 10:00:00 startup archives unpack\n"
            b"2026-01-01 10:00:00 install a:amd64 <none> 1:1.0-1\n"
            b"2026-01-01 10:00:00 upgrade b:all 2.0 2.1\n"
            b"2026-01-01 10:00:00 status half-installed b:all 2.1\n"
            b"2026-01-01 10:00:00 conffile /etc/b 3.0\n"
            b"2026-01-01 10:00:00 status unknown b:all 2.1\n"
        ),
        ["1:1.0-1", "2.0", "2.1", "2.1"],
    ),
    b"/var/log/apt/history.log": (
        (
            b"\nStart-Date: 2026-01-01  10:00:00\nCommandline: apt-get install a (1.0)\n"
            b"Install: a:amd64 (1.0-1), b:amd64 (2.0, automatic)\nUpgrade: c:amd64 (3.0, 3.1)\nEnd-Date: x\n"
        ),
        ["1.0-1", "2.0", "3.0", "3.1"],
    ),
    b"/var/log/apt/term.log": (
        (
            b"Preparing to unpack .../00-a_1%3a1.0-1_amd64.deb ...\nUnpacking a:amd64 (1:1.0-1) over (0.9) ...\n"
            b"Setting up b (2.0) ...\nProcessing triggers for c (3.0) ...\nsaid by a script: b (2.0)\n"
        ),
        ["1%3a1.0-1", "1:1.0-1", "0.9", "2.0", "3.0"],
    ),
    b"/var/log/other.log": (b"2026-01-01 10:00:00 install a:amd64 <none> 1.0\n", []),
}


@pytest.mark.parametrize("path", LOGS)
def test_versions_in_logs(path: bytes) -> None:
    text, versions = LOGS[path]
    assert [text[item.start : item.end].decode() for item in logged_versions(path, text)] == versions
