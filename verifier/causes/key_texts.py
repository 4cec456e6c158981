"""Keys in text, in the frames that name them, and what goes with a key where the instruction makes one."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from typing import Final

from verifier.causes.cause import Claim, Place, SideContext
from verifier.formats.certificate import issued_at, valid_from

_END: Final = rb"(?:\n|\\n)"
"""The end of a line, in a JSON string too."""

_FRAME: Final = re.compile(
    rb"-----BEGIN ((?:[A-Z]+ )*PRIVATE KEY|CERTIFICATE|X509 CRL|OpenVPN tls-crypt-v2 (?:server|client) key)-----"
    + _END
    + rb"((?:[A-Za-z0-9+/=]+"
    + _END
    + rb")+)-----END \1-----"
)
_PUBLIC_FRAME: Final = re.compile(
    rb"-----BEGIN ((?:RSA )?PUBLIC KEY|(?:NEW )?CERTIFICATE REQUEST|(?:X9\.42 )?DH PARAMETERS|DSA PARAMETERS)-----"
    + _END
    + rb"((?:[A-Za-z0-9+/=]+"
    + _END
    + rb")+)-----END \1-----"
)
_STATIC_KEY: Final = re.compile(
    rb"-----BEGIN OpenVPN Static key V1-----\n((?:[0-9a-f]{32}\n){16})-----END OpenVPN Static key V1-----"
)
_ARMOR: Final = re.compile(
    rb"-----BEGIN PGP (PRIVATE KEY BLOCK|PUBLIC KEY BLOCK|SIGNATURE)-----\n(?:[A-Za-z]+: [^\n]*\n)*\n"
    rb"((?:[A-Za-z0-9+/=]+\n)+)-----END PGP \1-----"
)
_SSH_SIGNATURE: Final = re.compile(rb"-----BEGIN (SSH SIGNATURE)-----\n((?:[A-Za-z0-9+/=]+\n)+)-----END \1-----")

_MAKER: Final = re.compile(
    r"\bopenssl\s+(?:req|genrsa|genpkey|gendsa|ecparam|dsaparam|dhparam|ca)\b|\bssh-keygen\b|\bdropbearkey\b|\bkeytool\b"
    r"|\bcerttool\b|\bmkcert\b|\beasyrsa\b|\bmake-ssl-cert\b|\bstep\s+(?:ca|certificate)\b|\bcfssl\b|\bwg\s+genkey\b"
    r"|\bopendkim-genkey\b"
)
_SSH_MAKER: Final = re.compile(r"\bssh-keygen\b[^;&|]{0,400}\s-t\b")
_BIND_MAKER: Final = re.compile(r"\b(?:rndc-confgen|tsig-keygen|ddns-confgen)\b")
_WIREGUARD_MAKER: Final = re.compile(r"\bwg\s+gen(?:key|psk)\b")
_OPENPGP_MAKER: Final = re.compile(r"\bgpg2?\b[^;&|]{0,400}\s--(?:full-|quick-)?gen(?:erate)?-key\b")

_SSH_KEY: Final = re.compile(
    rb"(?<![\w-])((?:sk-)?(?:ssh-(?:rsa|dss|ed25519)|ecdsa-sha2-nistp\d{3})(?:-cert-v01)?(?:@openssh\.com)?) "
    rb"(AAAA[A-Za-z0-9+/]{60,4000}={0,2})(?![A-Za-z0-9+/=])"
)
_SSH_ELSEWHERE: Final = "ssh-keyscan"
_SSH_PRINTED: Final = re.compile(
    rb"(?<![\w:])SHA256:(?P<fingerprint>[A-Za-z0-9+/]{43})(?![A-Za-z0-9+/=])"
    rb"|^\+-{1,8}\[[^\]\n]{1,16}\]-{1,8}\+\n(?P<art>(?:\|[ -~]{17}\|\n){9})(?=\+-{1,8}\[)"
    rb"|^ +Valid: from (?P<validity>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d to \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)$",
    re.MULTILINE,
)
_OCTETS: Final = re.compile(
    rb"(?:(?<![\w:])|(?<=keyid:)|(?<=serial:))"
    rb"(?:[0-9a-f]{2}|[0-9A-F]{2})(?::\s*(?:[0-9a-f]{2}|[0-9A-F]{2})){15,}+(?P<more>[\w:]?)"
)
_NOT_AFTER: Final = re.compile(
    rb"^ *(?:Not After ?: |notAfter=|Next Update: )([A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \d{4} GMT)$", re.MULTILINE
)
_LISTED_SERIAL: Final = re.compile(
    rb"^ +Serial Number:\s+([0-9A-F]{16,40}|\d{16,20} \(0x[0-9a-f]{14,16}\)|(?:[0-9a-f]{2}:){7,19}[0-9a-f]{2})$",
    re.MULTILINE,
)
_ISSUED: Final = re.compile(
    rb"^[VRE]\t(?P<end>\d{12}Z|\d{14}Z)\t[^\t\n]*\t(?:(?P<serial>[0-9A-F]{16,40})|[0-9A-F]+)\t[^\t\n]+\t[^\t\n]*$",
    re.MULTILINE,
)
"""A line of what `openssl ca` keeps in index.txt: state, end of validity, when revoked, serial number, file, name."""

_SERIAL: Final = re.compile(rb"\A([0-9A-F]{16,40}|[0-9a-f]{16,40})\n\Z")
_SERIAL_FILE: Final = re.compile(rb".*(?:\.srl|/serial(?:\.old)?)", re.DOTALL)

_DKIM_MARK: Final = b"v=DKIM1"
_DKIM: Final = re.compile(rb"(?<!\w)p=([A-Za-z0-9+/]{60,}(?:\"\s+\"[A-Za-z0-9+/]+)*={0,2})")
_BIND_SECRET: Final = re.compile(
    rb"\balgorithm\s+\"?hmac-[a-z0-9-]+\"?;\s*(?:#\s*)?secret\s+\"([A-Za-z0-9+/]{16,}={0,2})\";"
)
_WIREGUARD: Final = re.compile(
    rb"^(?:(?:PrivateKey|PublicKey|PresharedKey)[ \t]*=[ \t]*)?([A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=)$", re.MULTILINE
)
_OPENPGP_LISTED: Final = re.compile(
    rb"^(?:pub|sub|sec|ssb):[^:\n]*:\d+:\d+:(?P<identity>[0-9A-F]{16}):\d*:(?P<end>\d*):"
    rb"|^(?:fpr|grp):{9}(?P<fingerprint>[0-9A-F]{40}):"
    rb"|^ +(?P<spaced>(?:[0-9A-F]{4} {1,2}){9}[0-9A-F]{4}|[0-9A-F]{40})$",
    re.MULTILINE,
)
_DATED_BACK: Final = 3600
"""Seconds: cfssl dates its certificates back by five minutes, others by up to an hour, for clocks that are late."""


def claim_frames(text: bytes, place: Place, side: SideContext) -> Iterator[Claim]:
    """Claim private keys, and certificates and lists of revoked ones that are of this build."""
    before = _DATED_BACK if _MAKER.search(place.made_by) else 0
    for match in _FRAME.finditer(text):
        try:
            body = base64.b64decode(match[2].replace(b"\\n", b"").replace(b"\n", b""), validate=True)
        except binascii.Error:
            continue
        kind = match[1].decode("ascii").lower()
        moments = {"certificate": valid_from, "x509 crl": issued_at}
        if kind not in moments or is_new(moments[kind](body), side, before):
            yield Claim(match.start(2), match.end(2), kind)
    for match in _STATIC_KEY.finditer(text):
        yield Claim(match.start(1), match.end(1), "static key")
    is_made = _OPENPGP_MAKER.search(place.made_by) is not None
    for match in _ARMOR.finditer(text):
        if is_made or match[1] == b"PRIVATE KEY BLOCK":
            yield Claim(match.start(2), match.end(2), f"OpenPGP {match[1].decode('ascii').lower()}")


def is_new(moment: float | None, side: SideContext, before: int = 0) -> bool:
    """Tell whether a certificate's moment is one of this build, or lies up to `before` seconds ahead of it."""
    if side.window is None or moment is None:
        return False
    return side.window.holds(moment) or side.window.start - before <= moment < side.window.start


def claim_companions(text: bytes, place: Place) -> Iterator[Claim]:
    """Claim what goes with a key, in a text whose instruction makes one of that kind."""
    asked = place.made_by
    if _MAKER.search(asked):
        yield from _claim_public(text, place)
    if _SSH_MAKER.search(asked) and _SSH_ELSEWHERE not in asked:
        yield from _claim_named(text, _SSH_PRINTED)
        for match in _SSH_SIGNATURE.finditer(text):
            yield Claim(match.start(2), match.end(2), "signature")
    for maker, grammar, form in (
        (_BIND_MAKER, _BIND_SECRET, "secret"),
        (_WIREGUARD_MAKER, _WIREGUARD, "key for WireGuard"),
    ):
        if maker.search(asked):
            for match in grammar.finditer(text):
                yield Claim(match.start(1), match.end(1), f"{form}, {len(match[1])} characters")
    if _OPENPGP_MAKER.search(asked):
        yield from _claim_named(text, _OPENPGP_LISTED)


def _claim_named(text: bytes, grammar: re.Pattern[bytes]) -> Iterator[Claim]:
    for match in grammar.finditer(text):
        for name, value in match.groupdict().items():
            if value:
                yield Claim(*match.span(name), name)


def _claim_public(text: bytes, place: Place) -> Iterator[Claim]:
    for match in _PUBLIC_FRAME.finditer(text):
        yield Claim(match.start(2), match.end(2), match[1].decode("ascii").lower())
    if _SSH_ELSEWHERE not in place.made_by:
        for match in _SSH_KEY.finditer(text):
            yield Claim(match.start(2), match.end(2), f"public key, {match[1].decode('ascii')}")
    for match in _OCTETS.finditer(text):
        # what goes on is taken along, so that no text is looked through again and again
        if not match["more"]:
            yield Claim(match.start(), match.end(), "key, serial number or fingerprint in octets")
    for grammar, form in ((_NOT_AFTER, "end of validity"), (_LISTED_SERIAL, "serial number"), (_DKIM, "public key")):
        for match in grammar.finditer(text) if grammar is not _DKIM or _DKIM_MARK in text else ():
            yield Claim(match.start(1), match.end(1), form)
    yield from _claim_named(text, _ISSUED)
    serial = _SERIAL.match(text) if _SERIAL_FILE.fullmatch(place.path or b"") else None
    if serial is not None:
        yield Claim(serial.start(1), serial.end(1), "serial number")
