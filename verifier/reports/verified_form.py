"""What `sign-off --verify` says: the outcome first, then each step, for a person or as JSON."""

from __future__ import annotations

import json
from typing import Any, Final

from verifier import __version__
from verifier.model.sign_off import Check, VerifiedSignOff
from verifier.reports.escape import escape

VERIFIED_SCHEMA_VERSION: Final = 1


def verified_object(verified: VerifiedSignOff) -> dict[str, Any]:
    """Give the outcome as JSON values, by `schemas/verified-sign-off-v1.schema.json`.

    A step that was not asked for has `holds: null`. After a signature that does not hold no further step is there.
    """
    return {
        "schema_version": VERIFIED_SCHEMA_VERSION,
        "kind": "verified-sign-off",
        "tool": {"name": "verify-build", "version": __version__},
        "outcome": "refused" if verified.exit_code else "verified",
        "exceptions": list(verified.exceptions),
        "checks": [{"name": each.name, "holds": each.holds, "message": each.message} for each in verified.checks],
    }


def render_verified_json(verified: VerifiedSignOff) -> str:
    """Render the outcome as indented ASCII JSON with a final newline."""
    return json.dumps(verified_object(verified), indent=2, ensure_ascii=True) + "\n"


def render_verified_text(verified: VerifiedSignOff) -> str:
    """Render the outcome for a person."""
    first = "REFUSED" if verified.exit_code else "VERIFIED"
    if verified.exceptions and not verified.exit_code:
        first += ", and signed in spite of " + "; ".join(escape(item) for item in verified.exceptions)
    return "\n".join([first, *map(_check_line, verified.checks)]) + "\n"


def _check_line(check: Check) -> str:
    word = {True: "holds", False: "refused", None: "-"}[check.holds]
    return f"    {check.name:<10} {word:<8} {escape(check.message)}"
