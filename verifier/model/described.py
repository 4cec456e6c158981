"""JSON values that the report and the sign-off have in common: keys in the contract's order."""

from __future__ import annotations

from typing import Any

from verifier.model.report import Inputs, Side


def described_context(inputs: Inputs) -> dict[str, Any]:
    """Give what is known of a build's context."""
    return {
        "digest": inputs.context_digest,
        "archive_digest": inputs.archive_digest,
        "files": inputs.context_files,
        "bytes": inputs.context_bytes,
    }


def described_bases(inputs: Inputs) -> list[dict[str, Any]]:
    """List the base images that were held, and how each is pinned."""
    return [
        {
            "reference": held.base.reference,
            "digest": held.digest,
            "digest_kind": held.digest_kind,
            "pinned": held.pinned,
            "line": held.base.instruction.line,
        }
        for held in inputs.bases
    ]


def described_builder(side: Side) -> dict[str, Any] | None:
    """Give what built a side, and with which options; None where nothing did."""
    builder = side.builder
    if builder is None:
        return None
    return {"name": builder.name, "version": builder.version, "options": list(side.options)}
