"""What `verify-build ledger` says: for each inputs' digest, which digests have been seen, when, by whom."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Final

from tabulate import tabulate

from verifier.model.ledger import Record, record_bytes
from verifier.reports.escape import escape

LEDGER_SCHEMA_VERSION: Final = 1


def render_ledger_json(records: Sequence[Record], place: str) -> str:
    """Render the records as indented ASCII JSON, by `schemas/ledger-v1.schema.json`."""
    value = {
        "schema_version": LEDGER_SCHEMA_VERSION,
        "kind": "ledger",
        "ledger": place,
        "records": [json.loads(record_bytes(record)) for record in records],
    }
    return json.dumps(value, indent=2, ensure_ascii=True) + "\n"


def render_ledger_text(records: Sequence[Record], place: str) -> str:
    """Render one table for each inputs' digest, the one that was seen last at the end."""
    if not records:
        return f"no record in {escape(place)}\n"
    groups: dict[str, list[Record]] = {}
    for record in records:
        groups.setdefault(record.inputs, []).append(record)
    ordered = sorted(groups.values(), key=lambda group: group[-1].recorded)
    return "\n\n".join(_group(group) for group in ordered) + "\n"


def _group(records: Sequence[Record]) -> str:
    last = records[-1]
    digests = {_digest(record) for record in records if record.level in {"manifest", "config"}}
    builders = {(record.builder, record.builder_version) for record in records}
    machines = {record.machine for record in records}
    seen = f"{len(digests)} digest{'' if len(digests) == 1 else 's'}" if digests else "no digest that held"
    head = (
        f"inputs {last.inputs}\n{escape(last.dockerfile)} ({last.dockerfile_digest})\n"
        f"{seen} in {_count(records, 'run')} with {_count(builders, 'builder')} on {_count(machines, 'machine')}"
    )
    rows = [
        (
            f"{record.recorded:%Y-%m-%d %H:%M:%S}",
            record.level,
            f"{escape(record.builder)} {escape(record.builder_version)}",
            escape(record.machine),
            escape(record.platform),
            _digest(record),
        )
        for record in records
    ]
    headers = ["recorded (UTC)", "level", "builder", "machine", "platform", "digest"]
    return head + "\n" + tabulate(rows, headers=headers, tablefmt="simple", disable_numparse=True)


def _digest(record: Record) -> str:
    """Show what the run's second build gave: its manifest's digest, else its config's."""
    if record.second.manifest is not None:
        return f"manifest {record.second.manifest}"
    return f"config {record.second.config or '-'}"


def _count(things: Sequence[object] | set[str] | set[tuple[str, str]], noun: str) -> str:
    return f"{len(things)} {noun}{'' if len(things) == 1 else 's'}"
