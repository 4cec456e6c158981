"""Records to be kept."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from tests.images import digest
from verifier.model.ledger import Record, RecordedDigests

DIGESTS = RecordedDigests(
    manifest=digest("manifest"), config=digest("config"), layers=digest("layers"), files=digest("files")
)
RECORD = Record(
    inputs=digest("inputs"),
    dockerfile="Dockerfile",
    dockerfile_digest=digest("dockerfile"),
    recorded=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
    tool_version="0.1.0",
    builder="buildkit",
    builder_version="28.5.2",
    machine="builder-1",
    platform="linux/amd64",
    outcome="reproducible",
    level="manifest",
    first=DIGESTS,
    second=DIGESTS,
)


def record(**changes: Any) -> Record:
    """One record, with changes."""
    return replace(RECORD, **changes)
