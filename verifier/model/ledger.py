"""The ledger of the claim: which inputs gave which digests, when, by which builder, on which machine."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from verifier.errors import MalformedImageError
from verifier.oci.digest import Digest, digest_bytes, parse_digest

RECORD_VERSION = 1
MAX_RECORD_BYTES = 64 * 1024
"""Of one record as it is written, in bytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedDigests:
    """The four digests of one side; `layers` is one over the `diff_ids` in their order. None: not known."""

    manifest: Digest | None
    config: Digest | None
    layers: Digest | None
    files: Digest | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One verification. `inputs` is the digest of all that it was made from; `recorded` is in UTC, whole seconds."""

    inputs: Digest
    dockerfile: str
    dockerfile_digest: Digest
    recorded: datetime
    tool_version: str
    builder: str
    builder_version: str
    machine: str
    platform: str
    outcome: str
    level: str
    first: RecordedDigests
    second: RecordedDigests
    version: int = RECORD_VERSION


def layers_digest(diff_ids: tuple[Digest, ...]) -> Digest:
    """Give one digest over a side's layers."""
    return digest_bytes("\n".join(diff_ids).encode())


def record_bytes(record: Record) -> bytes:
    """Write a record as canonical JSON: sorted keys, ASCII, no blanks. Its digest is its name."""
    value = {
        "version": record.version,
        "inputs": record.inputs,
        "dockerfile": {"path": record.dockerfile, "digest": record.dockerfile_digest},
        "recorded": record.recorded.isoformat(timespec="seconds"),
        "tool": record.tool_version,
        "builder": {"name": record.builder, "version": record.builder_version},
        "machine": record.machine,
        "platform": record.platform,
        "outcome": record.outcome,
        "level": record.level,
        "first": _digests(record.first),
        "second": _digests(record.second),
    }
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode()


def record_digest(raw: bytes) -> str:
    """Give the hexadecimal digest that names a record."""
    return hashlib.sha256(raw).hexdigest()


def read_record(raw: bytes) -> Record:
    """Read a record back. Raises MalformedImageError for what is none: ledgers in a registry are others' to write."""
    try:
        value = json.loads(raw) if len(raw) <= MAX_RECORD_BYTES else {}
        return Record(
            inputs=parse_digest(value["inputs"]),
            dockerfile=_text(value["dockerfile"]["path"]),
            dockerfile_digest=parse_digest(value["dockerfile"]["digest"]),
            recorded=datetime.fromisoformat(_text(value["recorded"])),
            tool_version=_text(value["tool"]),
            builder=_text(value["builder"]["name"]),
            builder_version=_text(value["builder"]["version"]),
            machine=_text(value["machine"]),
            platform=_text(value["platform"]),
            outcome=_text(value["outcome"]),
            level=_text(value["level"]),
            first=_digests_from(value["first"]),
            second=_digests_from(value["second"]),
            version=_version(value["version"]),
        )
    except (ValueError, KeyError, TypeError, RecursionError):
        raise MalformedImageError("a record of the ledger is malformed") from None


def _digests(side: RecordedDigests) -> dict[str, str | None]:
    return {"manifest": side.manifest, "config": side.config, "layers": side.layers, "files": side.files}


def _digests_from(value: Any) -> RecordedDigests:
    found = {key: None if value[key] is None else parse_digest(value[key]) for key in _KEYS}
    return RecordedDigests(**found)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _version(value: Any) -> int:
    if value != RECORD_VERSION:
        raise ValueError
    return RECORD_VERSION


_KEYS = ("manifest", "config", "layers", "files")
