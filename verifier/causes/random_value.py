"""A program wrote a random value into a file.

What varies: a UUID; the value of a key that is made up (`APP_KEY=base64:…`, Django's SECRET_KEY, WordPress's salts, a
token); what `openssl rand`, `/dev/urandom` and their like print; the salt of a host's name in OpenSSH's
`known_hosts`; the identities in matplotlib's SVG and in pandas' tables; the nonce of a Content Security Policy; the
`anonymousId` by which a program counts its users; the key that pg_dump makes up for psql's `restrict`.

Why it matters: it is new in every build; often it was meant to be new in every container, and is now in none.

How it is recognised: a UUID by the grammar of RFC 9562 with its version and variant digits (of version 1 and 7 the time
must be the build's). Any other value must be long, look random by the entropy of its characters, and there must be
evidence that it is: a name that keys have, beside it or as the file's own, but not that of a digest or a place; an
instruction that asks a generator for it, in the same command where the file's name stands in one; or base64 of a length
that no digest has; or the form of PHP's `uniqid('', true)`, whose time must be the build's; or that of Erlang's cookies
(`.erlang.cookie`, `releases/COOKIE`). Without that it is not claimed: a digest looks the same, and would hide what it
is the digest of. What hardly mixes small letters, capitals, digits and signs may have been chosen: it counts where
the other side's value does. The value is taken as given: hence this is never called proven.

Remedy: make it when the container starts; where it is the salt of something else, fix that (matplotlib's
`svg.hashsalt`, pandas' `style.set_uuid`, `pg_dump --restrict-key=…`).

Source: RFC 9562, sections 5 and 6; W3C, Content Security Policy Level 3, 2.3.1 "Source Lists"; openssl-rand(1);
random(4); PHP manual, `uniqid`; Erlang/OTP, `auth`; Mix, `mix release`; PostgreSQL documentation, pg_dump,
`--restrict-key`.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator
from typing import Final

from verifier.causes.cause import Cause, Claim, Place, SideContext
from verifier.causes.made_by import writing_commands
from verifier.causes.moments import is_of_build
from verifier.causes.rules.build_facts import chance_risks
from verifier.formats.field import Field

__all__ = ["cause"]

_LOWER: Final = rb"[0-9a-f]{8}-[0-9a-f]{4}-[147][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
_UPPER: Final = rb"[0-9A-F]{8}-[0-9A-F]{4}-[147][0-9A-F]{3}-[89AB][0-9A-F]{3}-[0-9A-F]{12}"
_UUID: Final = re.compile(rb"(?<![0-9A-Za-z-])(?:(" + _LOWER + rb")|" + _UPPER + rb")(?![0-9A-Za-z-])")
_GREGORIAN: Final = 12_219_292_800
"""Seconds from 1582, where UUIDs of version 1 count from, to 1970."""

_UNIQID: Final = re.compile(rb"(?<![0-9A-Fa-f])([0-9a-f]{8})([0-9a-f]{5})[0-9]\.[0-9]{8}(?![0-9A-Za-z])")
"""Seconds and microseconds since 1970, behind them a random number below ten."""

_NONCE: Final = re.compile(rb"(?:'|&#39;|&#x27;)nonce-([A-Za-z0-9+/_-]{16,128}={0,2})(?:'|&#39;|&#x27;)")
"""A nonce-source of a Content Security Policy."""

_HIDDEN_HOST: Final = re.compile(rb"^\|1\|([A-Za-z0-9+/]{27}=\|[A-Za-z0-9+/]{27}=)(?= )", re.MULTILINE)
"""A host's name in OpenSSH's known_hosts, digested with a random salt."""

_DUMP_KEY: Final = re.compile(rb"^\\(?:un)?restrict ([A-Za-z0-9]{63})$", re.MULTILINE)
"""What pg_dump makes up so that psql runs no commands of its own from data."""

_MATPLOTLIB: Final = re.compile(rb"<svg\b[^>]{0,999}>\s*<metadata>.{0,999}https://matplotlib\.org/", re.DOTALL)
_SVG_IDENTITY: Final = re.compile(rb"(?:(?<=\bid=\")|(?<=href=\"#)|(?<=url\(#))[a-z]([0-9a-f]{10})(?=[\")])")
"""Ten figures of a digest over what is drawn and a salt that is a UUID."""

_PANDAS_TABLE: Final = re.compile(rb"<table id=\\{0,2}\"T_([0-9a-f]{5,32})\\{0,2}\"")
"""A table as pandas' Styler draws it: the beginning of a UUID is in each of its identities."""

_KEY_NAME: Final = (
    rb"(?:(?<![A-Za-z0-9_.-])[A-Za-z0-9_.-]{0,60}(?:secret|token|salt|passw(?:or)?d|nonce|api_?key|app_?key|auth_?key|logged_in_key"
    rb"|encryption_?key|session_?key|signing_?key|cookie|csrf|anonymous_?id)[A-Za-z0-9_.-]{0,60})"
)
_KEYED: Final = re.compile(
    rb"(?i:(?P<name>" + _KEY_NAME + rb"))[\"']?[ \t]*(?:=>|[:=,])[ \t]*(?:"
    rb"(?P<quote>[\"'])(?:base64:)?(?P<quoted>[^\"'\s\\][^\"'\n\\]{14,126}[^\"'\s\\])(?P=quote)"
    rb"|(?:base64:)?(?P<bare>[A-Za-z0-9+/_-]{16,128}={0,2})(?![A-Za-z0-9+/_=-])"
    rb")"
    # as a file of settings has it, of any characters; two of those that no path and no name has
    rb"|^[ \t]*(?:export[ \t]+)?(?i:(?P<setting>" + _KEY_NAME + rb"))=(?=(?:[^\n]*[!@#$%^&*()+=?{}~|<>;]){2})"
    rb"(?P<line>[^\s\"'$][^\s\"']{22,126})[ \t]*$",
    re.MULTILINE,
)
_OTHER_NAME: Final = re.compile(
    rb"sha-?\d|md5|digest|checksum|fingerprint|commit|revision|tokeni[sz]|(?:file|path|dir|folder|url|uri|class|name|type|version)\Z",
    re.IGNORECASE,
)
"""Names that speak of a key and are not its own: its digest, where it is, what it is called."""

_NAMED_FILE: Final = re.compile(
    rb"(?:.*[/._-])?(?:secret|token|salt|passw(?:or)?d|nonce|key|cookie|erlang\.cookie|seed|random|entropy)s?"
    rb"(?:[._-][^/]*)?",
    re.IGNORECASE | re.DOTALL,
)
_GENERATOR: Final = re.compile(
    r"openssl rand|/dev/u?random|uuidgen|mcookie|pwgen|\bapg\b|secrets\.|token_hex|token_urlsafe|token_bytes|urandom"
    r"|SecureRandom|random_bytes|randomBytes|randomUUID|key:generate|randomblob|gen_random_(?:uuid|bytes)|\bS?RANDOM\b|\bshuf\b|gen-?random|makepasswd"
)
_TOKEN: Final = re.compile(rb"(?<![A-Za-z0-9+/_=-])[A-Za-z0-9+/_-]{8,4096}={0,2}(?![A-Za-z0-9+/_=-])")
_WHOLE: Final = re.compile(rb"\A([A-Za-z0-9+/_-]{8,4096}={0,2})\n?\Z")
_SHELL_NUMBER: Final = re.compile(rb"(?<![\w.])\d{1,10}(?![\w.])")
_COOKIE_FILE: Final = re.compile(rb"(?:.*/)?(?:\.erlang\.cookie|COOKIE)", re.DOTALL)
_COOKIE: Final = re.compile(rb"\A([A-Z]{20}|[A-Z2-7]{52}={4})\n?\Z")
"""What Erlang makes up, twenty letters, and what Mix does, 32 bytes in base32."""

_TURN: Final = re.compile(rb"(?<=[0-9])(?=[A-Za-z])|(?<=[A-Za-z])(?=[0-9])")
_HEX: Final = re.compile(rb"(?:[0-9a-f]+|[0-9A-F]+)")
_DIGEST_BYTES: Final = frozenset({16, 20, 28, 32, 48, 64})
_SVG_HEAD: Final = 4096
_MAX_RANDOM_BYTES: Final = 1024 * 1024


def _normalise(field: Field, place: Place, side: SideContext) -> Iterator[Claim]:
    if place.field != "content":
        return
    if field.kind == "bytes" and not field.name:
        yield from _claim_bytes(field.value, place)
    if field.kind != "text":
        return
    claims = [*_claim_uuids(field.value, side), *_claim_uniqids(field.value, side)]
    claims += [Claim(*match.span(1), "a host's name, salted") for match in _HIDDEN_HOST.finditer(field.value)]
    claims += [Claim(*match.span(1), "key of a dump") for match in _DUMP_KEY.finditer(field.value)]
    claims += [*_claim_svg_identities(field.value), *_claim_table_identities(field.value)]
    claims += [_claim(match, 1) for match in _NONCE.finditer(field.value) if _may_be_random(match[1])]
    claims += [*_claim_keyed(field.value), *_claim_whole(field.value, field.name, place)]
    asked = writing_commands(place)
    if _GENERATOR.search(asked):
        claims += _claim_generated(field.value, asked)
    end = 0
    for claim in sorted(claims, key=lambda claim: (claim.start, -claim.end)):
        if claim.start >= end:
            end = claim.end
            yield claim


def _claim_uuids(text: bytes, side: SideContext) -> Iterator[Claim]:
    for match in _UUID.finditer(text):
        if _is_of_version(match[0], side):
            kind = "UUID" if match[1] is not None else "UUID in capitals"
            yield Claim(match.start(), match.end(), kind if match[0][14:15] == b"4" else f"{kind}, with a time")


def _claim_uniqids(text: bytes, side: SideContext) -> Iterator[Claim]:
    for match in _UNIQID.finditer(text):
        if is_of_build(side, int(match[1], 16) + int(match[2], 16) / 1_000_000, 0.000001):
            yield Claim(match.start(), match.end(), "uniqid, with a time")


def _claim_svg_identities(text: bytes) -> Iterator[Claim]:
    """Claim matplotlib's names for what it draws; which of them is meant, must agree."""
    if b"matplotlib.org" not in text or not _MATPLOTLIB.search(text, 0, _SVG_HEAD):
        return
    numbers: dict[bytes, int] = {}
    for match in _SVG_IDENTITY.finditer(text):
        number = numbers.setdefault(match[0], len(numbers))
        yield Claim(*match.span(1), f"identity {number} of a drawing")


def _claim_table_identities(text: bytes) -> Iterator[Claim]:
    """Claim pandas' names for the parts of its tables; which table is meant, must agree."""
    tables = dict.fromkeys(match[1] for match in _PANDAS_TABLE.finditer(text))
    for number, name in enumerate(tables):
        for match in re.finditer(rb"(?<![0-9A-Za-z])T_(" + name + rb")(?=_|\\{0,2}\"| )", text):
            yield Claim(*match.span(1), f"identity {number} of a table")


def _is_of_version(value: bytes, side: SideContext) -> bool:
    """Tell a version 4, which is random, from versions with a time, which must be the build's."""
    digits = value.replace(b"-", b"")
    if digits[12:13] == b"1":
        ticks = int(digits[13:16] + digits[8:12] + digits[:8], 16)
        return is_of_build(side, ticks / 10**7 - _GREGORIAN, 0.01)
    return digits[12:13] == b"4" or is_of_build(side, int(digits[:12], 16) / 1000, 0.001)


def _claim_keyed(text: bytes) -> Iterator[Claim]:
    for match in _KEYED.finditer(text):
        name = match["name"] or match["setting"]
        part = next(part for part in ("quoted", "bare", "line") if match[part] is not None)
        if not _OTHER_NAME.search(name) and _may_be_random(match[part]):
            yield _claim(match, part)


def _claim_whole(text: bytes, name: str, place: Place) -> Iterator[Claim]:
    """Claim a text that is one value and nothing else, where its name, its file's or its length says what it is."""
    cookie = _COOKIE.match(text)
    if cookie is not None and _COOKIE_FILE.fullmatch(place.path or b""):
        yield Claim(*cookie.span(1), _form(cookie[1]))
        return
    match = _WHOLE.match(text)
    if match is None or not _may_be_random(match[1]):
        return
    # what it is in a database, or the file
    names = (name.rpartition(": ")[2].encode(), (place.path or b"").rpartition(b"/")[2])
    is_named = any(_NAMED_FILE.fullmatch(item) for item in names)
    if is_named or _is_base64_of_no_digest(match[1]):
        yield _claim(match, 1)


def _is_base64_of_no_digest(value: bytes) -> bool:
    is_padded = value.endswith(b"=") or (len(value) % 4 == 0 and (b"+" in value or b"/" in value))
    size = len(value.rstrip(b"=")) * 3 // 4
    return is_padded and not _HEX.fullmatch(value) and size not in _DIGEST_BYTES


def _claim_generated(text: bytes, asked: str) -> Iterator[Claim]:
    """Claim what looks random in a text that is made by what asks a generator."""
    for match in _TOKEN.finditer(text):
        is_path = b"/" in match[0] and not all(re.search(kind, match[0]) for kind in (rb"[a-z]", rb"[A-Z]", rb"[0-9]"))
        if _may_be_random(match[0]) and not is_path and match[0][:1] != b"/":
            yield _claim(match, 0)
    if re.search(r"\bS?RANDOM\b|\bshuf\b", asked):
        for match in _SHELL_NUMBER.finditer(text):
            yield Claim(match.start(), match.end(), "a random number")


def _claim_bytes(value: bytes, place: Place) -> Iterator[Claim]:
    """Claim the bytes of an unknown format whose instruction reads a generator, if they look like it."""
    if len(value) <= _MAX_RANDOM_BYTES and _GENERATOR.search(writing_commands(place)) and _is_dense(value):
        yield Claim(0, len(value), f"{len(value)} bytes")


def _is_dense(value: bytes) -> bool:
    """Tell bytes of chance: nearly as much entropy as so many bytes can have.

    Of 256 bytes drawn by chance a third of the 256 values are missing: 7.2 bits a byte are left of 8.
    """
    return _entropy(value) >= 0.85 * math.log2(max(2, min(256, len(value))))


def _claim(match: re.Match[bytes], part: str | int) -> Claim:
    value = match[part]
    return Claim(match.start(part), match.end(part), _form(value), doubtful=not _looks_random(value))


def _may_be_random(value: bytes) -> bool:
    """Tell by length, kinds of characters and their entropy; one kind of letters alone may be a word."""
    body = value.rstrip(b"=")
    if _HEX.fullmatch(body):
        return len(body) >= 16 and _entropy(body) >= 2.4 and not body.isdigit()
    return len(body) >= 12 and _kinds(body) >= 2 and _entropy(body) >= 0.75 * math.log2(min(64, len(body)))


def _looks_random(value: bytes) -> bool:
    """Tell what somebody is not likely to have chosen; of sixteen characters of base64, one in thirty is not told."""
    body = value.rstrip(b"=")
    if _HEX.fullmatch(body):
        return _entropy(body) >= 2.8
    is_mixed = _kinds(body) >= 3 or (body.isalnum() and len(_TURN.findall(body)) >= 3)
    return is_mixed and _entropy(body) >= 0.8 * math.log2(min(36, len(body)))


def _kinds(body: bytes) -> int:
    """Count which of small letters, capitals, digits and other characters there are."""
    return sum(re.search(kind, body) is not None for kind in (rb"[a-z]", rb"[A-Z]", rb"[0-9]", rb"[^0-9A-Za-z]"))


def _entropy(value: bytes) -> float:
    """Give the entropy of a value's bytes, in bits a byte."""
    size = len(value)
    return -sum(count / size * math.log2(count / size) for count in Counter(value).values())


def _form(value: bytes) -> str:
    kind = "hexadecimal digits" if _HEX.fullmatch(value) else "characters"
    return f"{len(value)} {kind}"


cause = Cause(
    slug="random-value",
    page=__doc__ or "",
    remedy="make the value when the container starts, or fix the seed or salt that it comes from",
    opaque=True,
    normalise=_normalise,
    risk=chance_risks,
)
