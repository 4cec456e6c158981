"""Records of BuildKit's cache, as the engine's API and `docker buildx du` tell of them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from verifier.clients.timestamps import parse_timestamp

_FIELD: Final = re.compile(
    r"(ID|Parents?|Created at|Mutable|Reclaimable|Shared|Size|Description|Usage count|Last used|Type):\s*(.*)"
)
_ID: Final = re.compile(r"[0-9a-z]{10,64}")
_MOMENT: Final = re.compile(r"(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d(?:\.\d+)?) ([+-]\d{4})")


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheRecord:
    """One record of a build cache. `kind` is BuildKit's type (`regular`, `source.local`, `exec.cachemount`, …)."""

    id: str
    parents: tuple[str, ...]
    kind: str
    description: str
    created: datetime | None


def from_engine(value: Any) -> tuple[CacheRecord, ...]:
    """Read the `BuildCache` list of the engine's `/system/df`."""
    return tuple(
        CacheRecord(
            id=item["ID"],
            # Some engines write the key with a blank before it; old ones know one parent only.
            parents=tuple(item.get("Parents") or item.get(" Parents") or filter(None, [item.get("Parent")])),
            kind=str(item.get("Type") or "regular"),
            description=str(item.get("Description") or ""),
            created=parse_timestamp(item.get("CreatedAt")),
        )
        for item in value or ()
        if isinstance(item, dict) and _ID.fullmatch(str(item.get("ID")))
    )


def from_listing(text: str) -> tuple[CacheRecord, ...]:
    """Read the listing of `docker buildx du --verbose`; a description may go over several lines."""
    blocks: list[dict[str, list[str]]] = []
    name = ""
    for line in text.splitlines():
        match = _FIELD.fullmatch(line)
        if match is not None:
            name = match[1].removesuffix("s")
            if name == "ID":
                blocks.append({})
            if blocks:
                blocks[-1].setdefault(name, []).append(match[2])
        elif blocks and name in ("Description", "Parent") and line.strip():
            blocks[-1][name].append(line.strip().removeprefix("- "))
    return tuple(_from_block(block) for block in blocks if _ID.fullmatch("".join(block["ID"])))


def pattern_for(identifiers: Iterable[str]) -> str:
    """Write the filter that means exactly these records: BuildKit reads it as a regular expression."""
    return "^(" + "|".join(re.escape(identifier) for identifier in identifiers) + ")$"


def _from_block(block: dict[str, list[str]]) -> CacheRecord:
    moment = _MOMENT.search("".join(block.get("Created at", [])))
    return CacheRecord(
        id="".join(block["ID"]),
        parents=tuple(parent for parent in block.get("Parent", []) if parent),
        kind="".join(block.get("Type", ["regular"])),
        description="\n".join(block.get("Description", [])),
        created=parse_timestamp(f"{moment[1]}T{moment[2]}{moment[3]}") if moment else None,
    )
