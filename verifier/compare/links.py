"""Groups of hard links: which names one file has in a layer, whichever of them the archive gives its content to.

A tar archive writes a file's content once and every further name as a hard link to an earlier one. Which name comes
first is the writer's choice, and changes type, target, size and content of several entries at once.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from verifier.compare.files import detail_of
from verifier.compare.tables import SpillList
from verifier.model.difference import Difference, NamedValue, WholeValues
from verifier.oci.tar_entry import FILE, HARDLINK

MAX_LINKS: Final = 100_000
"""Hard links of one layer that are looked at; where there are more, none is."""

_MAX_CHAIN: Final = 40
_FIELDS: Final = frozenset({"type", "linkname", "size", "content"})


def with_link_groups(differences: Sequence[Difference], first: SpillList, second: SpillList) -> list[Difference]:
    """Add to the differences of hard-linked files which names and which content each side's file has."""
    if not any(item.field in ("type", "linkname") and HARDLINK in _types(item) for item in differences):
        return list(differences)
    groups = [_groups(records) for records in (first, second)]
    return [_with_group(item, groups[0], groups[1]) for item in differences]


def common_type(first: str, second: str) -> str | None:
    """Give the type that both sides' entries have; a file and a further name of a file are both a file."""
    if first == second:
        return first
    return FILE if {first, second} == {FILE, HARDLINK} else None


def _types(item: Difference) -> tuple[object, ...]:
    return (item.first, item.second) if item.field == "type" else (item.entry_type,)


def _with_group(item: Difference, first: dict[bytes, bytes], second: dict[bytes, bytes]) -> Difference:
    if item.field not in _FIELDS or item.path is None or item.occurrence:
        return item
    if item.field == "type" and not {item.first, item.second} <= {FILE, HARDLINK}:
        return item
    if item.path not in first or item.path not in second:
        return item
    if item.field == "content" and None not in (item.first, item.second):
        return item
    parts = [
        (NamedValue("link", str(value).encode("utf-8", "surrogatepass")), NamedValue("link-group", group[item.path]))
        for value, group in ((item.first, first), (item.second, second))
    ]
    return replace(item, whole=WholeValues(first=parts[0], second=parts[1]))


def _groups(records: SpillList) -> dict[bytes, bytes]:
    """Give for each name of a hard-linked file a digest over all of its names and its content."""
    targets: dict[bytes, bytes] = {}
    for path, record in records:
        if record.startswith(b"h"):
            targets[path] = detail_of(record)[1]
            if len(targets) > MAX_LINKS:
                return {}
    names: dict[bytes, list[bytes]] = {}
    for path in targets:
        names.setdefault(_end(path, targets), []).append(path)
    details: dict[bytes, list[bytes]] = {path: [] for path in (*names, *targets)}
    for path, record in records:
        if path in details:
            details[path].append(b"%b %b" % detail_of(record))
    return {
        name: _digest(end, others, details[end][0])
        for end, others in names.items()
        # where a name comes twice, or the file is in a layer below, the group is not known
        if all(len(details[name]) == 1 for name in (end, *others))
        for name in (end, *others)
    }


def _end(path: bytes, targets: dict[bytes, bytes]) -> bytes:
    for _ in range(_MAX_CHAIN):
        if path not in targets:
            break
        path = targets[path]
    return path


def _digest(end: bytes, others: list[bytes], content: bytes) -> bytes:
    hasher = hashlib.sha256()
    for part in (*sorted({end, *others}), content):
        hasher.update(b"%d:" % len(part) + part)
    return hasher.digest()
