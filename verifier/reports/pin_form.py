"""What `verify-build pin` says: a line a pin for a person, or JSON with `kind` "pin"."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final

from verifier.model.pin import Pin, PinReport
from verifier.reports.escape import escape

PIN_SCHEMA_VERSION: Final = 1

_WORDS: Final = {"true": "true", "to-mend": "to mend", "unknown": "unknown"}
_KINDS: Final = {
    "from": "FROM",
    "copy-from": "COPY --from",
    "mount-from": "RUN --mount=from",
    "syntax": "syntax",
    "add-url": "ADD",
    "add-git": "ADD",
}


def pin_object(report: PinReport) -> dict[str, Any]:
    """Give the report as JSON values, by `schemas/pin-v1.schema.json`."""
    return {
        "schema_version": PIN_SCHEMA_VERSION,
        "kind": "pin",
        "tool": {"name": "verify-build", "version": report.tool_version},
        "outcome": {0: "pinned", 1: "to-mend", 3: "unknown"}[report.exit_code],
        "dockerfile": {"path": report.dockerfile_path, "digest": report.dockerfile_digest},
        "pins": [_pin(pin) for pin in report.pins],
        "written": list(report.written),
    }


def render_pin_json(report: PinReport) -> str:
    """Render the report as indented ASCII JSON with a final newline."""
    return json.dumps(pin_object(report), indent=2, ensure_ascii=True) + "\n"


def render_pin_text(report: PinReport) -> str:
    """Render the report for a person: the answer, then each pin with what was found about it."""
    blocks = [_headline(report)]
    blocks += ["\n".join(_pin_lines(report, pin)) for pin in report.pins]
    if report.written:
        blocks.append("written: " + ", ".join(escape(path) for path in report.written))
    return "\n\n".join(blocks) + "\n"


def _headline(report: PinReport) -> str:
    path = escape(report.dockerfile_path)
    total = len(report.pins)
    if not total:
        return f"PINNED  {path} takes nothing from outside"
    mend = sum(pin.status == "to-mend" for pin in report.pins)
    unknown = sum(pin.status == "unknown" for pin in report.pins)
    if not mend and not unknown:
        return f"PINNED  {path}: all {total} pinned and true"
    parts = [f"{mend} to mend"] if mend else []
    parts += [f"{unknown} could not be looked at"] if unknown else []
    return f"{'TO MEND' if mend else 'UNKNOWN'}  {path}: {', '.join(parts)}, of {total}"


def _pin_lines(report: PinReport, pin: Pin) -> Iterator[str]:
    where = f"{escape(report.dockerfile_path)}:{pin.line}"
    yield f"{where}: {_KINDS[pin.kind]} {escape(pin.written)}: {_WORDS[pin.status]}"
    if pin.reference is not None and pin.reference != pin.written:
        yield f"    means    {escape(pin.reference)}"
    if pin.digest is not None:
        yield f"    pinned   {escape(pin.digest)}"
    if pin.current is not None and pin.current != pin.digest:
        yield f"    now      {escape(pin.current)}{f' (created {escape(pin.created)})' if pin.created else ''}"
    for remark in pin.remarks:
        yield f"    {remark.code}: {escape(remark.message)}"
    for change in pin.changes:
        yield f"    changed  {escape(change.what)}: {escape(change.before)} -> {escape(change.after)}"
    if pin.proposed is not None and pin.status == "to-mend":
        yield f"    write    {escape(pin.proposed)}"


def _pin(pin: Pin) -> dict[str, Any]:
    return {
        "line": pin.line,
        "kind": pin.kind,
        "written": pin.written,
        "reference": pin.reference,
        "digest": pin.digest,
        "current": pin.current,
        "created": pin.created,
        "status": pin.status,
        "remarks": [{"code": remark.code, "message": remark.message, "mends": remark.mends} for remark in pin.remarks],
        "proposed": pin.proposed,
        "changes": [{"what": change.what, "before": change.before, "after": change.after} for change in pin.changes],
    }
