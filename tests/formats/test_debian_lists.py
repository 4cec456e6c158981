"""What Debian's tools make of many packages, without some of these."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from hashlib import md5

import pytest

from verifier.formats.debian_lists import DEBIAN_LISTS
from verifier.formats.installed_packages import Away

CERTIFICATES = [
    b"-----BEGIN CERTIFICATE-----\nMIIB%s\n-----END CERTIFICATE-----\n" % name for name in (b"one", b"two", b"three")
]
FILES = {
    b"/usr/share/ca-certificates/mozilla/%s.crt" % name: {f"md5:{md5(content, usedforsecurity=False).hexdigest()}"}
    for name, content in zip((b"one", b"two"), CERTIFICATES, strict=False)
}


def without(
    path: str,
    text: bytes,
    alone: Iterable[str] = (),
    changed: Iterable[str] = (),
    files: Mapping[bytes, Collection[str]] = FILES,
) -> bytes:
    return DEBIAN_LISTS[path.encode()](text, Away(frozenset(alone), frozenset(changed), files))


def test_packages_that_one_side_alone_has() -> None:
    text = b"Package: a\nArchitecture: amd64\n\nPackage: b\nArchitecture: all\n\n"
    for path in ("/var/lib/dpkg/status", "/var/lib/dpkg/status-old", "/var/lib/apt/extended_states"):
        assert without(path, text, alone=["a:amd64"]) == b"Package: b\nArchitecture: all\n\n"
        assert without(path, text, changed=["a:amd64"]) == text


def test_templates_whose_owners_are_all_such_packages() -> None:
    own = b"Name: a/q\nType: note\nOwners: a/q\n\n"
    shared = b"Name: s\nType: note\nOwners: a/s, b/s\n\n"
    other = b"Name: a/other\nType: note\nOwners: b/q\n\nName: lonely\n\n"
    path = "/var/cache/debconf/templates.dat"
    assert without(path, own + shared + other, changed=["a:amd64"]) == shared + other
    assert without(path, own + shared + other, alone=["b:all"], changed=["a:amd64"]) == b"Name: lonely\n\n"


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        (b"# mozilla/one.crt\nmozilla/one.crt\nmozilla/two.crt\n", b"# mozilla/one.crt\n"),
        (b"mozilla/three.crt\n!mozilla/two.crt\n", b"mozilla/three.crt\n"),
        (b"local/mozilla/one.crt\n/mozilla/one.crt\nmozilla/one.crt.bak\n", None),
    ],
)
def test_names_of_certificates(text: bytes, kept: bytes | None) -> None:
    found = without("/etc/ca-certificates.conf", text)
    assert found.rstrip(b"\n") == (text if kept is None else kept).rstrip(b"\n")


def test_names_of_certificates_in_answers() -> None:
    path = "/var/cache/debconf/config.dat"
    text = (
        b"Name: ca-certificates/enable_crts\nValue: mozilla/one.crt, local.crt, mozilla/two.crt\n"
        b"Owners: ca-certificates\nVariables:\n enable_crts = mozilla/one.crt\n choices = mozilla/one.crt\n\n"
    )
    assert without(path, text) == (
        b"Name: ca-certificates/enable_crts\nValue: local.crt\n"
        b"Owners: ca-certificates\nVariables:\n enable_crts = \n choices = mozilla/one.crt\n\n"
    )
    secret = b"Name: a/password\nValue: secret\nOwners: a\n\n"
    assert without(path, secret, changed=["a:all"]) == secret


def test_certificates_in_a_bundle() -> None:
    path = "/etc/ssl/certs/ca-certificates.crt"
    assert without(path, b"".join(CERTIFICATES)) == CERTIFICATES[2]
    assert without(path, b"".join(CERTIFICATES), files={b"/srv/one.crt": FILES[next(iter(FILES))]}) == b"".join(
        CERTIFICATES
    )
    assert without(path, b"x" + CERTIFICATES[0] + b"y\n") == b"xy\n"
