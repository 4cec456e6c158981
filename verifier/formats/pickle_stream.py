"""Unfold a Python pickle (PEP 307, 574, 3154): floats, raw arrays and sets, without running any of it."""

from __future__ import annotations

import io
import itertools
import pickletools
from collections.abc import Sequence
from typing import Final

from verifier.formats.field import Node
from verifier.formats.spans import Cutter

MAX_PICKLE_BYTES: Final = 16 * 1024 * 1024
"""Larger pickles stay one field."""

_PROTOCOLS: Final = (2, 3, 4, 5)
_ARRAYS: Final = frozenset({"BINBYTES", "BINBYTES8", "SHORT_BINBYTES", "BYTEARRAY8", "BINUNICODE", "BINUNICODE8"})
_ITEMS: Final = frozenset(
    {"SHORT_BINUNICODE", "BINUNICODE", "SHORT_BINBYTES", "BINBYTES", "BININT", "BININT1", "BININT2", "NONE"}
)
_NOTES: Final = frozenset({"MEMOIZE", "BINPUT", "LONG_BINPUT"})
_SET_ENDS: Final = frozenset({"ADDITEMS", "FROZENSET"})
_MIN_ARRAY: Final = 16

_Op = tuple[str, int, int]
"""An operation's name, its start and its end."""


def is_pickle(data: bytes) -> bool:
    """Tell by the protocol's mark at the start and the stop at the end."""
    return 4 < len(data) <= MAX_PICKLE_BYTES and data[0] == 0x80 and data[1] in _PROTOCOLS and data[-1:] == b"."


def unfold_pickle(data: bytes, name: str, offset: int) -> Node:
    """Unfold a pickle. Raises ValueError where it is none."""
    starts = [(operation.name, position or 0) for operation, _, position in pickletools.genops(io.BytesIO(data))]
    ends = [position for _, position in starts[1:]] + [len(data)]
    operations = [(operation, start, end) for (operation, start), end in zip(starts, ends, strict=True)]
    if operations[-1][0] != "STOP" or operations[-1][1] != len(data) - 1:
        raise ValueError("something follows the pickle")
    has_arrays = b"numpy" in data or b"torch" in data
    cutter = Cutter(data)
    number = 0
    while number < len(operations):
        operation, start, end = operations[number]
        closing = _set_end(operations, number) if operation == "MARK" else None
        if closing is not None:
            _skip_to(cutter, end)
            cutter.take("members of a set", "pickle-set", operations[closing][1] - end)
            number = closing
        elif operation == "BINFLOAT":
            _skip_to(cutter, start + 1)
            cutter.take("number", "pickle-float", 8)
        elif has_arrays and operation in _ARRAYS and end - start > _MIN_ARRAY:
            prefix = 2 if operation.startswith("SHORT") else 9 if operation.endswith("8") else 5
            _skip_to(cutter, start + prefix)
            cutter.take("array", "array", end - start - prefix)
        number += 1
    return cutter.finish(name, "pickle", offset)


def set_members(data: bytes) -> list[bytes]:
    """Cut the members of a set apart, as a `pickle-set` field has them; the numbers of notes do not count."""
    members = []
    operations = pickletools.genops(io.BytesIO(data + b"."))
    starts = [(operation.name, position or 0) for operation, _, position in operations]
    for (operation, start), (_, end) in itertools.pairwise(starts):
        if operation not in _NOTES:
            members.append(data[start:end])
    return members


def _skip_to(cutter: Cutter, position: int) -> None:
    cutter.take("operations", "bytes", position - cutter.position)


def _set_end(operations: Sequence[_Op], mark: int) -> int | None:
    """Find the end of a set of plain members that begins with a mark."""
    for number in range(mark + 1, len(operations)):
        operation = operations[number][0]
        if operation in _SET_ENDS:
            return number if number > mark + 1 else None
        if operation not in _ITEMS and operation not in _NOTES:
            return None
    return None
