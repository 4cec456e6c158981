"""Unfold a Python pickle (PEP 307, 574, 3154), joblib's too: what it holds, without running any of it.

A field of its own are: floats, raw arrays, sets, the packed bytes of a `datetime`, integers that may count from 1970
and strings that may hold a date.
"""

from __future__ import annotations

import io
import itertools
import pickletools
import re
from collections.abc import Iterator, Sequence
from typing import Final

from verifier.formats.field import Node
from verifier.formats.joblib_arrays import ARRAY, JOBLIB, Operation, follow
from verifier.formats.spans import Cutter
from verifier.formats.text import is_text

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
_PROGRAMS: Final = (b"\x7fELF", b"BC\xc0\xde")
"""How ELF files and LLVM's bitcode begin."""

_STRINGS: Final = {"SHORT_BINUNICODE": 2, "BINUNICODE": 5}
"""Operations that hold a string, and the bytes before it."""

_DATED: Final = re.compile(rb"\d\d:\d\d|\d{4}-\d\d-\d\d|\d{8}")
_INTEGERS: Final = {"BININT": 1, "LONG1": 2}
"""Operations that hold an integer of several bytes, and the bytes before it."""

_EARLIEST: Final = 315532800
_LATEST: Final = 4102444800
"""1980 and 2100, in seconds since 1970."""

DATETIME_BYTES: Final = 10
"""What a `datetime` is packed into: year, month, day, hour, minute, second, three of microseconds (`__reduce_ex__`)."""

_Op = tuple[str, int, int]
"""An operation's name, its start and its end."""


def is_pickle(data: bytes) -> bool:
    """Tell by the protocol's mark at the start and the stop at the end."""
    return 4 < len(data) <= MAX_PICKLE_BYTES and data[0] == 0x80 and data[1] in _PROTOCOLS and data[-1:] == b"."


def unfold_pickle(data: bytes, name: str, offset: int) -> Node:
    """Unfold a pickle. Raises ValueError, IndexError or KeyError where it is none."""
    found = list(follow(data) if JOBLIB in data else _operations(data))
    if found[-1][0] != "STOP" or found[-1][3] != len(data):
        raise ValueError("something follows the pickle")
    operations = [(operation, start, end) for operation, _, start, end in found]
    has_arrays = b"numpy" in data or b"torch" in data
    cutter = Cutter(data)
    number = 0
    while number < len(found):
        operation, _, start, end = found[number]
        closing = _set_end(operations, number) if operation == "MARK" else None
        if closing is not None:
            _skip_to(cutter, end)
            cutter.take("members of a set", "pickle-set", operations[closing][1] - end)
            number = closing
        else:
            value = _value(data, found[number], has_arrays=has_arrays)
            if value is not None:
                name_of_value, kind, before = value
                _skip_to(cutter, start + before)
                cutter.take(name_of_value, kind, end - start - before)
        number += 1
    return cutter.finish(name, "pickle", offset)


def _operations(data: bytes) -> Iterator[Operation]:
    """Yield the operations of a pickle that nothing lies between."""
    stream = io.BytesIO(data)
    for operation, argument, start in pickletools.genops(stream):
        yield operation.name, argument, start or 0, stream.tell()


def _value(data: bytes, found: Operation, *, has_arrays: bool) -> tuple[str, str, int] | None:
    """Tell what an operation holds that is a field of its own: its name, its kind, and the bytes before it."""
    operation, argument, start, end = found
    size = end - start
    value: tuple[str, str, int] | None = None
    if operation == ARRAY:
        value = "array", "array", 0
    elif operation == "BINFLOAT":
        value = "number", "pickle-float", 1
    elif (
        has_arrays
        and operation in _ARRAYS
        and size > _MIN_ARRAY
        and not _is_no_array(data, start + _before(operation), end)
    ):
        value = "array", "array", _before(operation)
    elif operation == "SHORT_BINBYTES" and size - 2 == DATETIME_BYTES:
        value = "packed date", "pickle-datetime", 2
    elif operation in _INTEGERS and isinstance(argument, int) and _may_count(argument):
        value = "integer", "pickle-integer", _INTEGERS[operation]
    elif operation in _STRINGS and _DATED.search(data, start + _STRINGS[operation], end):
        value = "string", "text", _STRINGS[operation]
    return value


def _before(operation: str) -> int:
    """Tell how many bytes of an operation stand before the value that it holds."""
    return 2 if operation.startswith("SHORT") else 9 if operation.endswith("8") else 5


def _is_no_array(data: bytes, start: int, end: int) -> bool:
    """Tell a text, and a program such as numba keeps, from the numbers of an array."""
    return data.startswith(_PROGRAMS, start) or is_text(data[start:end])


def _may_count(value: int) -> bool:
    """Tell whether it may be seconds, or thousandths, millionths or billionths of one, since 1970."""
    return any(_EARLIEST <= value // unit < _LATEST for unit in (1, 10**3, 10**6, 10**9))


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
