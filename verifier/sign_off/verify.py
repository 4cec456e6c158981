"""Verify a signed statement, step by step.

1. the signature is the key's, over type and payload as they are: nothing of the payload is parsed before;
2. the payload is an in-toto statement (v1) of one of our two predicates;
3. the predicate says that the required level holds;
4. the report, where one is given, is the one that was signed, by its digest;
5. the image, where one is given, is the one that was signed for, by its digests.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from verifier.errors import MalformedImageError
from verifier.model.sign_off import SIGN_OFF_TYPE, SUMMARY_TYPE, Check, VerifiedSignOff
from verifier.oci.digest import Digest, parse_digest
from verifier.oci.strict_json import parse_object
from verifier.sign_off.envelope import MAX_ENVELOPE_BYTES, PAYLOAD_TYPE, Envelope
from verifier.sign_off.keys import PublicKey
from verifier.sign_off.statement import STATEMENT_TYPE

_KNOWN: Final = (SUMMARY_TYPE, SIGN_OFF_TYPE)


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenImage:
    """The image as it is now: its index, where it has one, and the digests of each platform."""

    reference: str
    top: tuple[Digest, ...]
    platforms: tuple[tuple[Digest, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Signed:
    """What a statement of ours says."""

    predicate_type: str
    subjects: frozenset[Digest]
    report: Digest
    passed: bool
    said: str
    exceptions: tuple[str, ...]
    signer: str | None


def verify_envelope(
    envelope: Envelope, key: PublicKey, report: Digest | None, image: SeenImage | None
) -> VerifiedSignOff:
    """Take the steps above; the first that does not hold for the statement itself ends them."""
    checks: list[Check] = []
    holds = envelope.is_signed_by(key)  # 1
    said = "by this key, over these bytes" if holds else "not by this key, or not over these bytes"
    checks.append(Check(name="signature", holds=holds, message=said))
    if not holds:
        return VerifiedSignOff(checks=tuple(checks))
    try:
        signed = _read(envelope)  # 2
    except MalformedImageError as error:
        checks.append(Check(name="statement", holds=False, message=error.message))
        return VerifiedSignOff(checks=tuple(checks))
    by = "" if signed.signer is None else f", signed off by {signed.signer}"
    checks.append(Check(name="statement", holds=True, message=f"{signed.predicate_type}{by}"))
    checks.append(Check(name="verdict", holds=signed.passed, message=signed.said))  # 3
    checks.append(_check_report(signed, report))  # 4
    checks.append(_check_image(signed, image))  # 5
    return VerifiedSignOff(checks=tuple(checks), exceptions=signed.exceptions)


def _check_report(signed: _Signed, report: Digest | None) -> Check:
    if report is None:
        return Check(name="report", holds=None, message="not looked at: --report FILE")
    if report == signed.report:
        return Check(name="report", holds=True, message=report)
    return Check(name="report", holds=False, message=f"{report} is given, and {signed.report} was signed")


def _check_image(signed: _Signed, image: SeenImage | None) -> Check:
    if image is None:
        return Check(name="image", holds=None, message="not looked at: --image NAME")
    found = [digest for digest in image.top if digest in signed.subjects]
    if not found and all(signed.subjects.intersection(each) for each in image.platforms):
        found = [digest for each in image.platforms for digest in each if digest in signed.subjects]
    if found:
        return Check(name="image", holds=True, message=f"{image.reference} is {', '.join(found)}")
    now = ", ".join(image.top) or ", ".join(digest for each in image.platforms for digest in each)
    was = ", ".join(sorted(signed.subjects))
    return Check(name="image", holds=False, message=f"{image.reference} is {now}, and signed was {was}")


def _read(envelope: Envelope) -> _Signed:
    """Read a statement. Raises MalformedImageError for what is none of ours."""
    if envelope.payload_type != PAYLOAD_TYPE:
        raise MalformedImageError(f"the payload is {envelope.payload_type!r:.100}, no in-toto statement")
    value = parse_object(envelope.payload, "the statement", max_bytes=MAX_ENVELOPE_BYTES)
    predicate_type, predicate = value.get("predicateType"), value.get("predicate")
    if value.get("_type") != STATEMENT_TYPE or predicate_type not in _KNOWN or not isinstance(predicate, dict):
        raise MalformedImageError(f"the statement is of the type {predicate_type!r:.100}, none of a sign-off")
    try:
        subjects = frozenset(_digest(item["digest"]) for item in value["subject"])
        read = _read_summary if predicate_type == SUMMARY_TYPE else _read_sign_off
        signed = read(predicate, subjects)
    except (KeyError, TypeError, IndexError):
        raise MalformedImageError("the statement lacks what a sign-off has") from None
    if not subjects:
        raise MalformedImageError("the statement has no subject")
    return signed


def _read_summary(predicate: dict[str, Any], subjects: frozenset[Digest]) -> _Signed:
    result = str(predicate["verificationResult"])
    levels = predicate["verifiedLevels"]
    return _Signed(
        predicate_type=SUMMARY_TYPE,
        subjects=subjects,
        report=_digest(predicate["inputAttestations"][0]["digest"]),
        passed=result == "PASSED",
        said=f"{result}: {', '.join(map(str, levels))}",
        exceptions=(),
        signer=None,
    )


def _read_sign_off(predicate: dict[str, Any], subjects: frozenset[Digest]) -> _Signed:
    outcome, level, required = (str(predicate[key]) for key in ("outcome", "level", "required"))
    return _Signed(
        predicate_type=SIGN_OFF_TYPE,
        subjects=subjects,
        report=parse_digest(predicate["report"]["digest"], "report.digest"),
        passed=outcome in ("reproducible", "tolerated"),
        said=f"{outcome}: level {level}, required {required}",
        exceptions=_exceptions(predicate["exceptions"]),
        signer=str(predicate["signer"]),
    )


def _exceptions(items: Sequence[dict[str, Any]]) -> tuple[str, ...]:
    return tuple(f"{item['name']}: {item['message']}" for item in items)


def _digest(digests: dict[str, str]) -> Digest:
    return parse_digest(f"sha256:{digests['sha256']}", "the statement's digest")
