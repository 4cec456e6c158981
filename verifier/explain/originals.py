"""Put a file that is compressed in a way that nobody here can undo down to what varies in the file that it is of.

Who serves a program for the web keeps beside `app.js` an `app.js.br`. Brotli's streams (RFC 7932) have no mark by which
to know them and are not inflated here. Where the file of the same name without the suffix differs and is explained, the
stream is taken as given, as any stream is whose compressor is not known: such findings are never called proven. All
else about the two entries must be the same.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from verifier.causes.trial import Trial
from verifier.explain.alone import own_time
from verifier.explain.reader import Sides, is_content_of_both
from verifier.model.difference import Difference, LayerPair
from verifier.oci.platform import Platform
from verifier.oci.tar_entry import FILE

_SUFFIX: Final = b".br"

_Key = tuple[Platform | None, LayerPair | None, bytes | None, int, str, bool]
"""Which value it is: its platform, pair of layers, path, occurrence and field, and whether the first side lacks it."""


def take_with_originals(
    differences: Sequence[Difference], trials: Mapping[int, Trial], sides: Sides
) -> dict[int, Trial]:
    """Give new trials to the streams beside files that are explained; `trials` are all."""
    numbers = {_key(item, item.path): number for number, item in enumerate(differences) if _is_file(item)}
    found: dict[int, Trial] = {}
    lonely: dict[bytes, tuple[list[int], list[int]]] = {}
    for number, item in enumerate(differences):
        path = item.path or b""
        if not path.endswith(_SUFFIX) or trials[number].equal or not _is_file(item):
            continue
        original = numbers.get(_key(item, path.removesuffix(_SUFFIX)))
        if original is None or not trials[original].equal or trials[original].given is not None:
            continue
        if item.field == "content":
            found[number] = _of(trials[original], b"content")
        elif trials[original].renamed is not None:
            side = 0 if item.second is None else 1
            lonely.setdefault(_frame(item, side, sides) + trials[original].first, ([], []))[side].append(original)
            found[number] = _of(trials[original], _frame(item, side, sides))
    unpaired = {
        number for first, second in lonely.values() if len(first) != len(second) for number in (*first, *second)
    }
    kept = {_key(differences[number], differences[number].path) for number in unpaired}
    return {
        number: trial
        for number, trial in found.items()
        if _key(differences[number], (differences[number].path or b"").removesuffix(_SUFFIX)) not in kept
    }


def _is_file(item: Difference) -> bool:
    if item.part != "layer":
        return False
    if item.field == "entry":
        return item.entry_type == FILE and item.alone is not None
    return is_content_of_both(item)


def _key(item: Difference, path: bytes | None) -> _Key:
    return item.platform, item.layer, path, item.occurrence, item.field, item.first is None


def _frame(item: Difference, side: int, sides: Sides) -> bytes:
    """Digest all about a lonely entry but its name and content; its time where that is not its build's."""
    if item.alone is None:
        return b""
    layer = None if item.layer is None else [item.layer.first, item.layer.second]
    parts = [str(item.platform), layer, item.alone.frame, own_time(item.alone, sides[side])]
    return hashlib.sha256(json.dumps(parts).encode()).digest()


def _of(original: Trial, frame: bytes) -> Trial:
    digest = hashlib.sha256(b"a stream of " + frame + original.first).digest()
    return replace(original, first=digest, second=digest, recompressed=True)
