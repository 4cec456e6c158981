"""Compare JSON documents leaf by leaf, as JSON pointers (RFC 6901): manifests, indexes, configs, attestations.

Lists are aligned before deepdiff sees them, so that one entry too many does not make all later ones differ; a pointer
holds the first side's position, or the second's where the first has no such entry. What only follows from something
below (the digest of a layer, `rootfs.diff_ids`) is taken out by the caller: it is no difference of its own.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from verifier.compare.alignment import Pair, align
from verifier.compare.entries import FieldDifference, text_of

_SAMPLE_BYTES: Final = 48

Pairings = Mapping[str, Sequence[Pair]]
"""How the lists at some pointers are aligned, where that is known already."""


def document_differences(
    first: Any, second: Any, *, raw: tuple[bytes, bytes], pairings: Pairings | None = None
) -> list[FieldDifference]:
    """List the leaves in which two parsed documents differ.

    Where the values of `raw`, their bytes, are the same and the bytes are not, that is one difference, `encoding`; so
    is another order of what both objects of some place have, whatever else differs.
    """
    found = value_differences(first, second, pairings=pairings)
    values = json.loads(raw[0]), json.loads(raw[1])
    is_same = not found and raw[0] != raw[1] and _same(*values)
    if is_same or _is_reordered(*values):
        found.append(encoding_difference(*raw))
    return found


def encoding_difference(first: bytes, second: bytes, *, pointer: str = "") -> FieldDifference:
    """Show where the bytes of two documents of one value part."""
    shorter = min(len(first), len(second))
    start = next((position for position in range(shorter) if first[position] != second[position]), shorter)
    samples = [f"{start}:{text_of(raw[start : start + _SAMPLE_BYTES])}" for raw in (first, second)]
    return FieldDifference(f"{pointer}/encoding" if pointer else "encoding", samples[0], samples[1])


def manifest_leaves(raw: bytes) -> Any:
    """Parse a manifest without the digests and sizes of what is under it."""
    value = json.loads(raw)
    for descriptor in (value.get("config"), *value.get("layers", ())):
        if isinstance(descriptor, dict):
            descriptor.pop("digest", None)
            descriptor.pop("size", None)
    return value


def value_differences(
    first: Any, second: Any, *, pointer: str = "", pairings: Pairings | None = None
) -> list[FieldDifference]:
    """List the leaves in which two JSON values differ, `pointer` before each of their pointers.

    A null whose other side is missing is shown as the text `null`.
    """
    if _same(first, second):
        return []
    from deepdiff import DeepDiff  # noqa: PLC0415 - costs 150 ms, and most documents are equal
    from deepdiff.helper import notpresent  # noqa: PLC0415

    aligned, other_aligned = _aligned(first, second, pointer, pairings or {})
    tree = DeepDiff(
        aligned,
        other_aligned,
        view="tree",
        ignore_private_variables=False,  # a label may be called `__x`
        threshold_to_diff_deeper=0,  # every leaf, however many differ
    )
    found: list[tuple[list[Any], FieldDifference]] = []
    for levels in tree.values():
        for level in levels:
            keys = level.path(output_format="list")
            values = [_shown(side, other, notpresent) for side, other in ((level.t1, level.t2), (level.t2, level.t1))]
            found.append((keys, FieldDifference(pointer + _pointer(keys), values[0], values[1])))
    return [item for _, item in sorted(found, key=lambda pair: [_sortable(key) for key in pair[0]])]


def _same(first: Any, second: Any) -> bool:
    # Python's == takes 1, 1.0 and true for the same
    return bool(first == second) and json.dumps(first, sort_keys=True) == json.dumps(second, sort_keys=True)


def _is_reordered(first: Any, second: Any) -> bool:
    """Tell whether the keys that two objects at one place share come in another order on the other side."""
    if isinstance(first, dict) and isinstance(second, dict):
        if [key for key in first if key in second] != [key for key in second if key in first]:
            return True
        return any(_is_reordered(first[key], second[key]) for key in first if key in second)
    if isinstance(first, list) and isinstance(second, list):
        return any(_is_reordered(item, other) for item, other in zip(first, second, strict=False))
    return False


def _shown(value: Any, other: Any, missing: object) -> Any:
    if value is missing:
        return None
    return "null" if value is None and other is missing else value


def _pointer(keys: Sequence[Any]) -> str:
    parts = (str(key[1]) if isinstance(key, tuple) else str(key) for key in keys)
    return "".join("/" + part.replace("~", "~0").replace("/", "~1") for part in parts)


def _sortable(key: Any) -> tuple[int, str]:
    return (key[0], "") if isinstance(key, tuple) else (-1, str(key))


def _aligned(first: Any, second: Any, pointer: str, pairings: Pairings) -> tuple[Any, Any]:
    """Turn lists that stand at one place on both sides into objects of the same keys for what belongs together.

    Such a key is a tuple, its rank in the alignment and its position in the pointer: no JSON object has one.
    """
    if isinstance(first, dict) and isinstance(second, dict):
        result, other_result = dict(first), dict(second)
        for key in first.keys() & second.keys():
            result[key], other_result[key] = _aligned(first[key], second[key], f"{pointer}{_pointer([key])}", pairings)
        return result, other_result
    if not (isinstance(first, list) and isinstance(second, list)):
        return first, second
    pairs = pairings.get(pointer) or align([_key_of(item) for item in first], [_key_of(item) for item in second])
    slots: dict[Any, Any] = {}
    other_slots: dict[Any, Any] = {}
    for rank, (number, other) in enumerate(pairs):
        slot = (rank, other if number is None else number)
        if number is not None and other is not None:
            slots[slot], other_slots[slot] = _aligned(first[number], second[other], f"{pointer}/{slot[1]}", pairings)
        elif number is not None:
            slots[slot] = first[number]
        elif other is not None:
            other_slots[slot] = second[other]
    return slots, other_slots


def _key_of(item: Any) -> str:
    """Give what tells that two elements of a list belong together, though they may differ."""
    if isinstance(item, str):
        return item.partition("=")[0]
    if isinstance(item, dict):
        for key in ("created_by", "platform", "name", "uri"):
            if key in item:
                return key + json.dumps(item[key], sort_keys=True)
    return json.dumps(item, sort_keys=True)
