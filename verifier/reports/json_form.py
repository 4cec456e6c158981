"""The JSON report, schema_version 1: a versioned form of its own, not a dump of the model.

Its JSON Schema is `schemas/report-v1.schema.json` in this package.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

from verifier.model.described import described_bases, described_builder, described_context
from verifier.model.difference import ContentDifference, Difference
from verifier.model.finding import Explanation, Finding, Risk
from verifier.model.report import Inputs, Report, ReportedImage, ReportedLayer, Side
from verifier.reports.further import (
    diff_ids_object,
    downloads_object,
    offline_object,
    tolerance_object,
    variation_object,
)
from verifier.reports.instruction_form import instruction_object

SCHEMA_VERSION: Final = 1


def render_json(report: Report) -> str:
    """Render `report` as indented ASCII JSON with a final newline."""
    return json.dumps(report_object(report), indent=2, ensure_ascii=True) + "\n"


def report_object(report: Report) -> dict[str, Any]:
    """Give the report as JSON values, keys in the contract's order."""
    of, explanation = len(report.differences), report.explanation
    builds = None
    if report.first is not None and report.second is not None:
        builds = {
            "first": _side(report.first, [pair.first for pair in report.platforms if pair.first]),
            "second": _side(report.second, [pair.second for pair in report.platforms if pair.second]),
        }
    return {
        "schema_version": SCHEMA_VERSION,
        "tool": {"name": "verify-build", "version": report.tool_version},
        "outcome": report.verdict.outcome,
        "level": report.verdict.level,
        "required": report.verdict.required,
        "index_equal": report.index_equal,
        "error": None
        if report.error is None
        else {"code": report.error.code, "message": report.error.message, "hint": report.error.hint},
        "inputs": None if report.inputs is None else _inputs(report.inputs),
        "builds": builds,
        "alignment": [
            {
                "platform": pair.platform,
                "layers": [{"first": each.first, "second": each.second} for each in pair.layers],
            }
            for pair in report.platforms
        ],
        "differences": [_difference(item) for item in report.differences],
        "findings": [] if explanation is None else [_finding(item) for item in explanation.findings],
        "residue": list(range(of)) if explanation is None else [item.difference for item in explanation.residue],
        "ruled_out": []
        if explanation is None
        else [
            {
                "difference": item.difference,
                "phrases": list(item.ruled_out),
                "alike": list(item.alike),
                "instruction": instruction_object(item.instruction),
            }
            for item in explanation.residue
        ],
        "tolerated": list(report.tolerated),
        "tolerances": [tolerance_object(item) for item in report.tolerances],
        "explained": _explained(explanation, of),
        "risks": [_risk(risk) for risk in report.risks],
        "notes": list(report.notes),
        "variation": variation_object(report.variation),
        "network": {"offline": offline_object(report.offline), "downloads": downloads_object(report.downloads)},
    }


def _inputs(inputs: Inputs) -> dict[str, Any]:
    return {
        "dockerfile": {
            "path": inputs.dockerfile_path,
            "digest": inputs.dockerfile_digest,
            "text": inputs.dockerfile_text,
        },
        "syntax": inputs.syntax,
        "context": described_context(inputs),
        "build_args": list(inputs.build_args),
        "platform": inputs.platform,
        "target": inputs.target,
        "epoch": inputs.epoch,
        "varied": list(inputs.varied),
        "builds_run": inputs.builds_run,
        "bases": described_bases(inputs),
        "unchanged": inputs.unchanged,
    }


def _side(side: Side, images: Sequence[ReportedImage]) -> dict[str, Any]:
    described: dict[str, Any] = {
        "builder": described_builder(side),
        "reference": side.reference,
        "seconds": side.seconds,
        "started": _time(side.started),
        "finished": _time(side.finished),
        "index_digest": side.index_digest,
        "manifest_source": side.manifest_source,
        "expected": side.expected,
    }
    if images:
        described |= _image(images[0])
    else:
        described |= dict.fromkeys(("platform", "manifest_digest", "config_digest", "files_digest"))
        described |= {"verified": False, "layers": []}
    described["other_platforms"] = [_image(image) for image in images[1:]]
    return described


def _image(image: ReportedImage) -> dict[str, Any]:
    return {
        "platform": image.platform,
        "manifest_digest": image.manifest_digest,
        "config_digest": image.config_digest,
        "files_digest": image.files_digest,
        "verified": image.verified,
        "layers": [_layer(layer) for layer in image.layers],
    }


def _layer(layer: ReportedLayer) -> dict[str, Any]:
    return {
        "digest": layer.digest,
        "diff_id": layer.diff_id,
        "size": layer.size,
        "media_type": layer.media_type,
        "created_by": layer.created_by,
        "instruction": instruction_object(layer.instruction),
        "origin": layer.origin,
        "rebuilt": layer.rebuilt,
    }


def _difference(item: Difference) -> dict[str, Any]:
    path = None if item.path is None else item.path.decode("utf-8", "replace")
    return {
        "platform": None if item.platform is None else str(item.platform),
        "part": item.part,
        "layer": None if item.layer is None else {"first": item.layer.first, "second": item.layer.second},
        "path": path,
        "path_base64": None
        if item.path is None or path is None or path.encode("utf-8", "replace") == item.path
        else _base64(item.path),
        "occurrence": item.occurrence,
        "visible": item.visible,
        "field": item.field,
        "first": item.first,
        "second": item.second,
        "content": None if item.content is None else _content(item.content),
    }


def _content(content: ContentDifference) -> dict[str, Any]:
    """Give the first differing stretch alone: a report of thousands of contents must stay readable."""
    return {
        "types": {"first": content.type_first, "second": content.type_second},
        "sizes": {"first": content.size_first, "second": content.size_second},
        "regions": [
            {
                "offset": {"first": region.offset_first, "second": region.offset_second},
                "length": {"first": region.length_first, "second": region.length_second},
                "sample_offset": {"first": region.sample_offset_first, "second": region.sample_offset_second},
                "sample": {"first": _base64(region.sample_first), "second": _base64(region.sample_second)},
            }
            for region in content.regions[:1]
        ],
        "complete": content.complete and len(content.regions) <= 1,
    }


def _base64(value: bytes) -> str:
    return base64.b64encode(value).decode("ascii")


def _explained(explanation: Explanation | None, of: int) -> dict[str, Any]:
    if explanation is None:
        counterfactual = {"first": None, "second": None, "equal": of == 0}
        return {"differences": 0, "of": of, "opaque": 0, "counterfactual": counterfactual, "minimal": []}
    return {
        "differences": explanation.explained,
        "of": explanation.of,
        "opaque": explanation.opaque,
        "counterfactual": {
            "first": explanation.counterfactual_first,
            "second": explanation.counterfactual_second,
            "equal": explanation.equal,
        },
        "minimal": list(explanation.minimal),
        "diff_ids": diff_ids_object(explanation.diff_ids),
    }


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "cause": finding.cause,
        "title": finding.title,
        "severity": finding.severity,
        "confidence": finding.confidence,
        "opaque": finding.opaque,
        "instruction": instruction_object(finding.instruction),
        "differences": list(finding.differences),
        "paths": [path.decode("utf-8", "backslashreplace") for path in finding.paths],
        "evidence": [
            {
                "path": item.path,
                "inner": item.inner,
                "offset": item.offset,
                "first": item.first,
                "second": item.second,
            }
            for item in finding.evidence
        ],
        "remedy": finding.remedy,
    }


def _risk(risk: Risk) -> dict[str, Any]:
    return {
        "cause": risk.cause,
        "severity": risk.severity,
        "instruction": instruction_object(risk.instruction),
        "status": risk.status,
        "message": risk.message,
        "differences": list(risk.differences),
        "line": risk.line,
    }


def _time(moment: datetime | None) -> str | None:
    if moment is None:
        return None
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
