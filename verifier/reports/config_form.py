"""What `verify-build config` says: every option's value and where it comes from, then the tolerances."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from tabulate import tabulate

from verifier.model.tolerance import Tolerance
from verifier.reports.escape import escape, shorten

CONFIG_SCHEMA_VERSION = 1
_VALUE_WIDTH = 60

Rows = Sequence[tuple[str, Any, str]]
"""Option, value, source."""


def render_config_json(rows: Rows, tolerances: Sequence[Tolerance], path: str | None) -> str:
    """Render as indented ASCII JSON, by `schemas/config-v1.schema.json`."""
    value = {
        "schema_version": CONFIG_SCHEMA_VERSION,
        "kind": "config",
        "file": path,
        "options": [{"option": option, "value": value, "from": source} for option, value, source in rows],
        "tolerances": [
            {
                "cause": item.cause,
                "path": item.path,
                "field": item.field,
                "reason": item.reason,
                "expires": None if item.expires is None else item.expires.isoformat(),
                "place": item.place,
            }
            for item in tolerances
        ],
    }
    return json.dumps(value, indent=2, ensure_ascii=True) + "\n"


def render_config_text(rows: Rows, tolerances: Sequence[Tolerance], path: str | None) -> str:
    """Render for a person."""
    blocks = [f"settings: {escape(path)}" if path else "settings: no .verify-build.toml, here or above"]
    table = [(f"--{option}", _value(value), escape(source)) for option, value, source in rows]
    blocks.append(tabulate(table, headers=["option", "value", "from"], tablefmt="simple", disable_numparse=True))
    lines = [
        f"tolerated: {escape(item.described)}: {escape(item.reason)}"
        + (f", until {item.expires.isoformat()}" if item.expires else "")
        for item in tolerances
    ]
    blocks += ["\n".join(lines)] if lines else []
    return "\n\n".join(blocks) + "\n"


def _value(value: Any) -> str:
    if value is None or value == []:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return shorten(escape(", ".join(value) if isinstance(value, list) else str(value)), _VALUE_WIDTH)
