"""Put every difference of a comparison to the proof, values at once, contents layer by layer as they are read."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Final

from verifier.causes.cause import Cause, Place
from verifier.causes.trial import Trial, try_causes
from verifier.explain.alone import pair_alone
from verifier.explain.reader import SIDES, ContentReader, SideName, Sides
from verifier.formats.field import Field, Node
from verifier.formats.limits import MAX_CONTENT_BYTES
from verifier.formats.unfold import unfold
from verifier.model.difference import Difference, FieldValue, LayerPair
from verifier.oci.platform import Platform

_FOLLOWS: Final = hashlib.sha256(b"follows from the content").digest()

_BOUNDED: Final = frozenset({"header", "padding", "order", "encoding"})
"""Differences whose values are samples: what these show may be the same on both sides, and proves nothing."""

_Entry = tuple[Platform | None, LayerPair | None, bytes | None, int]


@dataclass(slots=True, kw_only=True)
class Trials:
    """The trial of each difference, in their order; `unread` says of some why nobody looked into them."""

    trials: list[Trial]
    unread: dict[int, str] = field(default_factory=dict)


def run_trials(
    differences: Sequence[Difference], reader: ContentReader, sides: Sides, causes: Sequence[Cause]
) -> Trials:
    """Try every difference. Raises what `reader` raises."""
    known: dict[int, Trial] = {}
    unread: dict[int, str] = {}
    for group in _contents_by_layer(differences).values():
        known.update(_try_contents(differences, group, reader, sides, causes, unread))
    contents = {_entry_of(differences[number]): trial for number, trial in known.items() if trial.equal}
    for number, item in enumerate(differences):
        if number in known:
            continue
        content = contents.get(_entry_of(item)) if item.field == "size" else None
        known[number] = (
            _try_value(item, sides, causes) if content is None else replace(content, first=_FOLLOWS, second=_FOLLOWS)
        )
    known.update(pair_alone(differences, known, sides, causes))
    return Trials(trials=[known[number] for number in range(len(differences))], unread=unread)


def _entry_of(item: Difference) -> _Entry:
    return item.platform, item.layer, item.path, item.occurrence


def _contents_by_layer(differences: Sequence[Difference]) -> dict[tuple[str, LayerPair], list[int]]:
    groups: dict[tuple[str, LayerPair], list[int]] = {}
    for number, item in enumerate(differences):
        if item.field == "content" and item.layer is not None and None not in (item.first, item.second):
            groups.setdefault((str(item.platform), item.layer), []).append(number)
    return groups


def _try_contents(
    differences: Sequence[Difference],
    group: Sequence[int],
    reader: ContentReader,
    sides: Sides,
    causes: Sequence[Cause],
    unread: dict[int, str],
) -> Iterator[tuple[int, Trial]]:
    """Read the contents that differ in one pair of layers, and try each."""
    sample = differences[group[0]]
    wanted = [(differences[number].path or b"", differences[number].occurrence) for number in group]
    # inflating and digesting leave the interpreter to the other side
    with ThreadPoolExecutor(max_workers=2) as pool:
        read = list(pool.map(lambda side: _read(reader, side, sample, wanted), SIDES))
    for number, key in zip(group, wanted, strict=True):
        item = differences[number]
        pair = (read[0].get(key), read[1].get(key))
        if pair[0] is None or pair[1] is None:
            unread[number] = f"not read: larger than {MAX_CONTENT_BYTES} bytes, or too much of it in one layer"
        elif (_digest(pair[0]), _digest(pair[1])) != (item.first, item.second):
            unread[number] = "not read: it is no longer what was compared"
        else:
            yield number, try_causes((unfold(pair[0]), unfold(pair[1])), place_of(item), sides, causes)


def _read(
    reader: ContentReader, side: SideName, sample: Difference, wanted: Sequence[tuple[bytes, int]]
) -> Mapping[tuple[bytes, int], bytes]:
    layer = None if sample.layer is None else sample.layer.first if side == "first" else sample.layer.second
    if layer is None or sample.platform is None:
        return {}
    return reader.contents(side, sample.platform, layer, wanted, MAX_CONTENT_BYTES)


def _digest(content: bytes) -> str:
    return "sha256:" + hashlib.sha256(content).hexdigest()


def _try_value(item: Difference, sides: Sides, causes: Sequence[Cause]) -> Trial:
    """Try one value of a header or a document; a value that one side lacks is no part of that side."""
    if item.field in _BOUNDED or item.field.endswith("/encoding") or item.first == item.second:
        return Trial(first=b"first", second=b"second")
    return try_causes((_node_of(item, item.first), _node_of(item, item.second)), place_of(item), sides, causes)


def place_of(item: Difference) -> Place:
    """Tell causes where a difference stands."""
    return Place(part=item.part, field=item.field, path=item.path, type=item.entry_type)


def _node_of(item: Difference, value: FieldValue) -> Node | None:
    if value is None:
        return None
    is_pointer = item.field.startswith("/")
    raw = value if isinstance(value, str) and not is_pointer else json.dumps(value, ensure_ascii=False, sort_keys=True)
    kind = "json" if is_pointer else item.field
    part = Field(name=item.field, kind=kind, value=raw.encode("utf-8", "surrogatepass"), offset=0)
    return Node(name="", format="value", parts=(part,), offset=0)
