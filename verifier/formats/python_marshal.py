"""Tell a marshalled code object without the sharing of its parts (CPython, Python/marshal.c; versions 4 and 5).

The writer sets a flag on an object that something else refers to in memory, and writes it by its number where it comes
again; and before Python 3.11 it writes a set in the order that the hash seed gives it. Here every distinct value is
written down once, its parts by their numbers, those of sets in an order of what they say: two streams that differ in
flags, references and that order alone come out the same, and those are kept apart. So nothing is lost, and nothing
grows: a value that is referred to a thousand times stays one.
"""

from __future__ import annotations

import hashlib
from typing import Final, NamedTuple

_OLD_MAGICS: Final = frozenset({3413, 3425, 3439})
"""Magic numbers of Python 3.8 to 3.10, whose code objects have one layout …"""

_NEW_MAGICS: Final = frozenset({3495, 3531, 3571, 3627})
"""… and of 3.11 to 3.14, which have another."""

_FLAG_REF: Final = 0x80
_MAX_DEPTH: Final = 100
"""Functions in functions, tuples in tuples."""

_SINGLETONS: Final = b"NTFS."
_FIXED: Final = {**dict.fromkeys(_SINGLETONS, 0), ord("i"): 4, ord("I"): 8, ord("g"): 8, ord("y"): 16}
_LONG_SIZED: Final = b"stuaA"
_SHORT_SIZED: Final = b"zZf"
_SEQUENCES: Final = b"([<>"
_SETS: Final = b"<>"
_SHORT_TUPLE, _LONG, _COMPLEX, _REFERENCE, _CODE, _SLICE = b")lxrc:"

_OLD_CODE, _NEW_CODE = (6, 8, 1), (5, 8, 2)
"""A code object: so many numbers, so many objects, the number of its first line, so many objects."""


class _Value(NamedTuple):
    """One distinct value: its type and what it says itself, and the digests of its parts."""

    label: bytes
    parts: tuple[bytes, ...] = ()

    @property
    def digest(self) -> bytes:
        hasher = hashlib.sha256(len(self.label).to_bytes(8, "big") + self.label)
        hasher.update(b"".join(self.parts))
        return hasher.digest()


class Marshalled:
    """Reads one object from the start of `data`; `used` are its bytes. Raises ValueError, and IndexError at an end."""

    def __init__(self, data: bytes, magic: int) -> None:
        if magic not in _OLD_MAGICS | _NEW_MAGICS:
            raise ValueError("bytecode of an unknown version")
        self._data = data
        self._code = _OLD_CODE if magic in _OLD_MAGICS else _NEW_CODE
        self._references: list[bytes | None] = []
        self._values: dict[bytes, _Value] = {}
        self._sharing: list[bytes] = []
        self._orders: list[bytes] = []
        self.used = 0
        self._root = self._read(0)

    @property
    def values(self) -> bytes:
        """Every distinct value behind its parts, ended by a newline and NUL."""
        numbers: dict[bytes, int] = {}
        lines: list[bytes] = []
        waiting = [self._root]
        while waiting:
            digest = waiting[-1]
            value = self._values[digest]
            missing = [part for part in value.parts if part not in numbers]
            if missing and digest not in numbers:
                waiting += reversed(missing)
                continue
            waiting.pop()
            if digest not in numbers:
                numbers[digest] = len(numbers)
                parts = b",".join(b"%d" % numbers[part] for part in value.parts)
                lines.append(value.label.replace(b"\n", b"\n\1") + (b"\n\2" + parts if parts else b"") + b"\n\0")
        return b"".join(lines)

    @property
    def sharing(self) -> bytes:
        """For each object in the order of the stream: whether it has the flag, or the number that it refers to."""
        return b"".join(self._sharing)

    @property
    def orders(self) -> bytes:
        """For each set in the order of their ends: which place each part has in the order of what they say."""
        return b"".join(self._orders)

    def _take(self, size: int) -> bytes:
        value = self._data[self.used : self.used + size]
        if len(value) < size:
            raise ValueError("marshalled data is cut off")
        self.used += size
        return value

    def _size(self, width: int) -> int:
        return int.from_bytes(self._take(width), "little")

    def _read(self, depth: int) -> bytes:
        """Read one object; give its value's digest."""
        if depth > _MAX_DEPTH:
            raise ValueError("objects too deep in objects")
        first = self._take(1)[0]
        kind, flagged = first & ~_FLAG_REF, first & _FLAG_REF
        if kind == _REFERENCE and not flagged:
            return self._refer()
        slot = None
        if flagged:
            if kind in _SINGLETONS or kind == _REFERENCE:
                raise ValueError("a flag where there is none")
            slot = len(self._references)
            self._references.append(None)
        self._sharing.append(b"!" if flagged else b".")
        value = self._value(kind, depth)
        digest = value.digest
        self._values.setdefault(digest, value)
        if slot is not None:
            self._references[slot] = digest
        return digest

    def _refer(self) -> bytes:
        index = self._size(4)
        digest = self._references[index] if index < len(self._references) else None
        if digest is None:
            raise ValueError("a reference to what is not there")
        self._sharing.append(b"r%d;" % index)
        return digest

    def _value(self, kind: int, depth: int) -> _Value:
        """Read what follows a type byte."""
        label = bytes((kind,))
        if kind in _FIXED:
            return _Value(label + self._take(_FIXED[kind]))
        if kind in _LONG_SIZED or kind in _SHORT_SIZED:
            return _Value(label + self._take(self._size(4 if kind in _LONG_SIZED else 1)))
        if kind == _LONG:
            count = self._take(4)
            return _Value(label + count + self._take(2 * abs(int.from_bytes(count, "little", signed=True))))
        if kind == _COMPLEX:
            real, imaginary = self._take(self._size(1)), self._take(self._size(1))
            return _Value(label + b"%d," % len(real) + real + imaginary)
        if kind == _CODE:
            return self._code_value(depth)
        parts = self._parts(self._count(kind), depth)
        return _Value(label, self._ordered(parts) if kind in _SETS else parts)

    def _count(self, kind: int) -> int:
        if kind == _SLICE:
            return 3
        if kind != _SHORT_TUPLE and kind not in _SEQUENCES:
            raise ValueError("an object of an unknown type")
        count = self._size(1 if kind == _SHORT_TUPLE else 4)
        if count > len(self._data) - self.used:
            raise ValueError("more parts than bytes")
        return count

    def _parts(self, count: int, depth: int) -> tuple[bytes, ...]:
        return tuple([self._read(depth + 1) for _ in range(count)])

    def _ordered(self, parts: tuple[bytes, ...]) -> tuple[bytes, ...]:
        places = sorted(range(len(parts)), key=lambda place: parts[place])
        self._orders.append(b",".join(b"%d" % place for place in places) + b";")
        return tuple(parts[place] for place in places)

    def _code_value(self, depth: int) -> _Value:
        numbers, objects, last_objects = self._code
        head = self._take(4 * numbers)
        parts = self._parts(objects, depth)
        first_line = self._take(4)
        return _Value(bytes((_CODE,)) + (head + first_line).hex().encode(), parts + self._parts(last_objects, depth))
