"""The two in-toto statements (v1) of a sign-off: SLSA's verification summary, and our own predicate beside it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from verifier.model.described import described_bases, described_builder, described_context
from verifier.model.report import Inputs, Report, ReportedImage, Side
from verifier.model.sign_off import SIGN_OFF_TYPE, SUMMARY_TYPE, Objection, SignOff, SourceCommit, Subject
from verifier.model.tolerance import AppliedTolerance
from verifier.model.variation import FACTORS
from verifier.oci.digest import Digest, algorithm_of, encoded_of

STATEMENT_TYPE: Final = "https://in-toto.io/Statement/v1"
SIGN_OFF_SCHEMA_VERSION: Final = 1
VERIFIER_ID: Final = "urn:verify-build"
REPORT_URI: Final = "urn:verify-build:report"


def summary_statement(sign_off: SignOff) -> bytes:
    """Give the statement with SLSA's verification summary (v1), as the bytes that are signed.

    No level of SLSA is claimed: `verifiedLevels` holds the tool's own word.
    """
    report = sign_off.report
    predicate = {
        "verifier": {"id": VERIFIER_ID, "version": {"verify-build": report.tool_version}},
        "timeVerified": _time(_verified_at(sign_off)),
        "resourceUri": sign_off.subjects[0].name,
        "policy": {"uri": f"urn:verify-build:required:{report.verdict.required}"},
        "inputAttestations": [{"uri": REPORT_URI, "digest": _digest_set(sign_off.report_digest)}],
        "verificationResult": "PASSED" if report.verdict.exit_code == 0 else "FAILED",
        "verifiedLevels": [_level_word(report)],
    }
    return _statement(sign_off.subjects, SUMMARY_TYPE, predicate)


def sign_off_statement(sign_off: SignOff) -> bytes:
    """Give the statement with everything that is known, as the bytes that are signed."""
    return _statement(sign_off.subjects, SIGN_OFF_TYPE, sign_off_object(sign_off))


def sign_off_object(sign_off: SignOff) -> dict[str, Any]:
    """Give the sign-off as JSON values, by `schemas/sign-off-v1.schema.json`."""
    report = sign_off.report
    explanation = report.explanation
    of = len(report.differences)
    return {
        "schema_version": SIGN_OFF_SCHEMA_VERSION,
        "kind": "sign-off",
        "tool": {"name": "verify-build", "version": sign_off.tool_version},
        "signer": sign_off.signer,
        "signed": _time(sign_off.signed),
        "key": sign_off.key,
        "exceptions": [_objection(item) for item in sign_off.exceptions],
        "refused": [_objection(item) for item in sign_off.refused],
        "report": {"digest": sign_off.report_digest, "tool_version": report.tool_version},
        "outcome": report.verdict.outcome,
        "level": report.verdict.level,
        "required": report.verdict.required,
        "index_equal": report.index_equal,
        "subjects": [
            {"name": item.name, "digest": item.digest, "kind": item.kind, "platform": item.platform}
            for item in sign_off.subjects
        ],
        "source": _source(sign_off.source),
        "inputs": None if report.inputs is None else _inputs(report.inputs),
        "builds": {"first": _side(report, 0), "second": _side(report, 1)},
        "varied": list(varied(report)),
        "not_varied": list(not_varied(report)),
        "differences": {
            "of": of,
            "tolerated": len(report.tolerated),
            "unexplained": of if explanation is None else len(explanation.residue),
        },
        "tolerances": [_tolerance(item) for item in report.tolerances],
        "risks": [
            {
                "cause": risk.cause,
                "severity": risk.severity,
                "status": risk.status,
                "line": risk.line if risk.instruction is None else risk.instruction.line,
                "message": risk.message,
            }
            for risk in report.risks
            if risk.status != "refuted"
        ],
    }


def varied(report: Report) -> tuple[str, ...]:
    """Name what the second build was made to differ in on purpose."""
    return () if report.inputs is None else report.inputs.varied


def not_varied(report: Report) -> tuple[str, ...]:
    """Name what could have been varied and was not."""
    done = varied(report)
    return () if report.inputs is None else tuple(factor for factor in FACTORS if factor not in done)


def _statement(subjects: Sequence[Subject], predicate_type: str, predicate: Mapping[str, Any]) -> bytes:
    value = {
        "_type": STATEMENT_TYPE,
        "subject": [_subject(item) for item in subjects],
        "predicateType": predicate_type,
        "predicate": predicate,
    }
    return json.dumps(value, ensure_ascii=True, separators=(",", ":")).encode("ascii")


def _subject(subject: Subject) -> dict[str, Any]:
    annotations = {"kind": subject.kind} | ({} if subject.platform is None else {"platform": subject.platform})
    return {"name": subject.name, "digest": _digest_set(subject.digest), "annotations": annotations}


def _digest_set(digest: Digest) -> dict[str, str]:
    return {algorithm_of(digest): encoded_of(digest)}


def _level_word(report: Report) -> str:
    verdict = report.verdict
    if verdict.exit_code != 0:
        return "FAILED"
    if verdict.outcome == "tolerated":
        return f"VERIFY_BUILD_TOLERATED_{verdict.required.upper()}"
    return f"VERIFY_BUILD_REPRODUCIBLE_{(verdict.level or 'none').upper()}"


def _verified_at(sign_off: SignOff) -> datetime:
    second = sign_off.report.second
    return sign_off.signed if second is None or second.finished is None else second.finished


def _time(moment: datetime | None) -> str | None:
    if moment is None:
        return None
    return moment.astimezone(UTC).replace(microsecond=0, tzinfo=None).isoformat() + "Z"


def _objection(item: Objection) -> dict[str, str]:
    return {"name": item.name, "message": item.message}


def _source(source: SourceCommit) -> dict[str, Any]:
    remarks = (*source.dirty, *source.changed, *(() if source.unknown is None else (source.unknown,)))
    return {
        "state": source.state,
        "commit": source.commit,
        "described": source.described,
        "remote": source.remote,
        "remarks": list(remarks),
    }


def _inputs(inputs: Inputs) -> dict[str, Any]:
    return {
        "dockerfile": {"path": inputs.dockerfile_path, "digest": inputs.dockerfile_digest},
        "syntax": inputs.syntax,
        "context": described_context(inputs),
        "build_args": list(inputs.build_args),
        "platform": inputs.platform,
        "target": inputs.target,
        "epoch": inputs.epoch,
        "builds_run": inputs.builds_run,
        "bases": described_bases(inputs),
    }


def _side(report: Report, number: int) -> dict[str, Any] | None:
    side: Side | None = (report.first, report.second)[number]
    if side is None:
        return None
    pairs = [(pair.first, pair.second)[number] for pair in report.platforms]
    return {
        "builder": described_builder(side),
        "reference": side.reference,
        "started": _time(side.started),
        "finished": _time(side.finished),
        "index_digest": side.index_digest,
        "expected": side.expected,
        "images": [_image(image) for image in pairs if image is not None],
    }


def _image(image: ReportedImage) -> dict[str, Any]:
    return {
        "platform": image.platform,
        "manifest_digest": image.manifest_digest,
        "config_digest": image.config_digest,
        "files_digest": image.files_digest,
        "diff_ids": [layer.diff_id for layer in image.layers],
    }


def _tolerance(item: AppliedTolerance) -> dict[str, Any]:
    tolerance = item.tolerance
    return {
        "cause": tolerance.cause,
        "path": tolerance.path,
        "field": tolerance.field,
        "reason": tolerance.reason,
        "expires": None if tolerance.expires is None else tolerance.expires.isoformat(),
        "place": tolerance.place,
        "status": item.status,
        "differences": len(item.differences),
    }
