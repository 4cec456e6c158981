"""Read from when on an X.509 certificate is valid, and when a list of revoked ones was issued (DER, X.690)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final, NamedTuple

_SEQUENCE, _VERSION, _INTEGER, _UTC_TIME, _GENERALISED_TIME = 0x30, 0xA0, 0x02, 0x17, 0x18
_FORMS: Final = {_UTC_TIME: "%y%m%d%H%M%SZ", _GENERALISED_TIME: "%Y%m%d%H%M%SZ"}


class _Element(NamedTuple):
    tag: int
    content: bytes
    rest: bytes


def valid_from(certificate: bytes) -> float | None:
    """Give the start of a DER certificate's validity in seconds since 1970; None where it is no certificate.

    RFC 5280, section 4.1.2.5.
    """
    try:
        body = _expect(_read(_expect(_read(certificate), _SEQUENCE)), _SEQUENCE)
        element = _read(body)
        skipped = 3 if element.tag == _VERSION else 2
        # version, serial number, signature, issuer come before it
        for _ in range(skipped):
            element = _read(element.rest)
        validity = _expect(_read(element.rest), _SEQUENCE)
        return _moment(_read(validity))
    except (ValueError, IndexError, KeyError):
        return None


def issued_at(revoked: bytes) -> float | None:
    """Give when a DER list of revoked certificates was issued, in seconds since 1970; None where it is no such list.

    RFC 5280, section 5.1.2.4.
    """
    try:
        element = _read(_expect(_read(_expect(_read(revoked), _SEQUENCE)), _SEQUENCE))
        if element.tag == _INTEGER:
            element = _read(element.rest)
        _expect(element, _SEQUENCE)
        issuer = _read(element.rest)
        _expect(issuer, _SEQUENCE)
        return _moment(_read(issuer.rest))
    except (ValueError, IndexError, KeyError):
        return None


def _moment(element: _Element) -> float:
    text = element.content.decode("ascii")
    return datetime.strptime(text, _FORMS[element.tag]).replace(tzinfo=UTC).timestamp()


def _expect(element: _Element, tag: int) -> bytes:
    if element.tag != tag:
        raise ValueError("another element")
    return element.content


def _read(data: bytes) -> _Element:
    tag, length = data[0], data[1]
    start = 2
    if length & 0x80:
        start += length & 0x7F
        length = int.from_bytes(data[2:start], "big")
    if len(data) - start < length:
        raise ValueError("cut off")
    return _Element(tag, data[start : start + length], data[start + length :])
