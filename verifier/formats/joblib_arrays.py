"""Follow a pickle of joblib's: arrays lie between its operations, right behind the object that describes each.

joblib (`joblib.numpy_pickle`, version 0.10 on) pickles a NumpyArrayWrapper with an array's shape and type, and then
writes the array's bytes into the same stream: where they end is known from that object alone. So the operations are
followed with a stack of what they would make, as the Pickle Machine has it (`pickletools`); nothing is imported and
nothing run.
"""

from __future__ import annotations

import io
import math
import pickletools
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final

JOBLIB: Final = b"NumpyArrayWrapper"
"""What every such pickle names."""

PADDING: Final = "padding"
ARRAY: Final = "array"
"""Names of what lies between operations."""

_WRAPPER: Final = ("joblib.numpy_pickle", "NumpyArrayWrapper")
_DTYPE: Final = ("numpy", "dtype")
_DESCRIPTION: Final = re.compile(r"[<>|=]?[?bBiufcMmSUaV](\d{0,4})")
_UNICODE_BYTES: Final = 4
_MAX_OPERATIONS: Final = 2_000_000

Operation = tuple[str, object, int, int]
"""An operation's name (or PADDING, ARRAY), its argument, its start and its end."""


@dataclass(slots=True)
class _Made:
    """What an operation would have made of a class."""

    of: object
    arguments: object = None
    state: object = None


@dataclass(slots=True)
class _Machine:
    """The stack and the memo; a list with the marks' heights beside it."""

    stack: list[object] = field(default_factory=list)
    marks: list[int] = field(default_factory=list)
    memo: dict[int, object] = field(default_factory=dict)

    def since_mark(self) -> list[object]:
        """Take what lies above the last mark."""
        height = self.marks.pop()
        taken, self.stack[height:] = self.stack[height:], []
        return taken

    def take(self, count: int) -> list[object]:
        """Take the topmost `count` values. Raises ValueError where there are not so many."""
        if count > len(self.stack) - (self.marks[-1] if self.marks else 0):
            raise ValueError("the pickle takes what is not there")
        taken, self.stack[len(self.stack) - count :] = self.stack[len(self.stack) - count :], []
        return taken


def follow(data: bytes) -> Iterator[Operation]:
    """Yield the operations and what lies between them. Raises ValueError, IndexError or KeyError for what is none."""
    stream = io.BytesIO(data)
    machine = _Machine()
    for number, (operation, argument, start) in enumerate(pickletools.genops(stream)):
        if number > _MAX_OPERATIONS:
            raise ValueError("too many operations")
        yield operation.name, argument, start or 0, stream.tell()
        _do(machine, operation, argument)
        if operation.name == "BUILD":
            yield from _array_behind(machine.stack[-1], stream, data)


def _do(machine: _Machine, operation: pickletools.OpcodeInfo, argument: object) -> None:
    name = operation.name
    special = _SPECIAL.get(name)
    if special is not None:
        special(machine)
    elif name == "MARK":
        machine.marks.append(len(machine.stack))
    elif name in ("BINPUT", "LONG_BINPUT", "PUT") and isinstance(argument, int):
        machine.memo[argument] = machine.stack[-1]
    elif name in ("BINGET", "LONG_BINGET", "GET") and isinstance(argument, int):
        machine.stack.append(machine.memo[argument])
    elif name == "GLOBAL" and isinstance(argument, str):
        machine.stack.append(tuple(argument.split(" ", 1)))
    elif not operation.stack_before and len(operation.stack_after) == 1:
        machine.stack.append(argument)  # a constant
    elif operation.stack_before or operation.stack_after:
        raise ValueError(f"{name} is not followed")


def _set_items(machine: _Machine, items: list[object]) -> None:
    target = machine.stack[-1]
    if isinstance(target, dict):
        target.update((key, value) for key, value in zip(items[::2], items[1::2], strict=True) if isinstance(key, str))


def _build(machine: _Machine) -> None:
    (state,) = machine.take(1)
    made = machine.stack[-1]
    if isinstance(made, _Made):
        made.state = state


def _make(machine: _Machine, count: int) -> None:
    of, *arguments = machine.take(count)
    machine.stack.append(_Made(of, arguments[0]))


def _tuple(machine: _Machine, count: int) -> None:
    machine.stack.append(tuple(machine.take(count)))


_SPECIAL: Final[dict[str, Callable[[_Machine], object]]] = {
    "MEMOIZE": lambda machine: machine.memo.__setitem__(len(machine.memo), machine.stack[-1]),
    "STACK_GLOBAL": lambda machine: _tuple(machine, 2),
    "REDUCE": lambda machine: _make(machine, 2),
    "NEWOBJ": lambda machine: _make(machine, 2),
    "NEWOBJ_EX": lambda machine: _make(machine, 3),
    "BUILD": _build,
    "EMPTY_TUPLE": lambda machine: machine.stack.append(()),
    "TUPLE": lambda machine: machine.stack.append(tuple(machine.since_mark())),
    "TUPLE1": lambda machine: _tuple(machine, 1),
    "TUPLE2": lambda machine: _tuple(machine, 2),
    "TUPLE3": lambda machine: _tuple(machine, 3),
    "EMPTY_DICT": lambda machine: machine.stack.append({}),
    "EMPTY_LIST": lambda machine: machine.stack.append([]),
    "EMPTY_SET": lambda machine: machine.stack.append([]),
    "SETITEM": lambda machine: _set_items(machine, machine.take(2)),
    "SETITEMS": lambda machine: _set_items(machine, machine.since_mark()),
    "APPEND": lambda machine: machine.take(1),
    "APPENDS": lambda machine: machine.since_mark(),
    "ADDITEMS": lambda machine: machine.since_mark(),
    "FROZENSET": lambda machine: machine.stack.append(machine.since_mark()),
    "LIST": lambda machine: machine.stack.append(machine.since_mark()),
    "DICT": lambda machine: machine.stack.append({"": machine.since_mark()}),
    "POP": lambda machine: machine.take(1),
    "POP_MARK": lambda machine: machine.since_mark(),
    "DUP": lambda machine: machine.stack.append(machine.stack[-1]),
    "STOP": lambda machine: machine.take(1),
}


def _array_behind(made: object, stream: io.BytesIO, data: bytes) -> Iterator[Operation]:
    """Step over the array of a wrapper that was just completed. Raises ValueError for a type without a fixed width."""
    if not isinstance(made, _Made) or made.of != _WRAPPER:
        return
    state = made.state if isinstance(made.state, dict) else {}
    description = _description(state.get("dtype"))
    if description[:1] == "O" or description[1:2] == "O":
        # an array of objects is a pickle of its own, with no such arrays in it
        for operation, argument, start in pickletools.genops(stream):
            yield operation.name, argument, start or 0, stream.tell()
        return
    width = _width(description)
    shape = state.get("shape")
    if not isinstance(shape, tuple) or not all(isinstance(count, int) and count >= 0 for count in shape):
        raise ValueError("an array without a shape")
    start = stream.tell()
    if state.get("numpy_array_alignment_bytes") is not None:
        padding = 1 + data[start]
        yield PADDING, None, start, start + padding
        start += padding
    end = start + width * math.prod(shape)
    if end > len(data):
        raise ValueError("an array that is longer than the pickle")
    stream.seek(end)
    yield ARRAY, None, start, end


def _description(dtype: object) -> str:
    """Give the words that NumPy calls a type by (`f8`). Raises ValueError where it is none."""
    if isinstance(dtype, _Made) and dtype.of == _DTYPE and isinstance(dtype.arguments, tuple) and dtype.arguments:
        description = dtype.arguments[0]
        if isinstance(description, str):
            return description
    raise ValueError("no type of NumPy's")


def _width(description: str) -> int:
    """Tell how many bytes an item of a NumPy type has. Raises ValueError where that is not told."""
    match = _DESCRIPTION.fullmatch(description)
    if match is None:
        raise ValueError("a type without a fixed width")
    width = int(match[1] or 1)
    return width * _UNICODE_BYTES if "U" in description else width
