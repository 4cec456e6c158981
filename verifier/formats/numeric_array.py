"""Unfold files of numbers: NumPy's (`.npy`, format 1 to 3) and safetensors: what the numbers are, and the numbers."""

from __future__ import annotations

import json
import re
from typing import Final

from verifier.formats.field import Node
from verifier.formats.spans import Cutter

_NUMPY: Final = b"\x93NUMPY"
_FLOATS: Final = re.compile(rb"'descr': '[<>|=]?[fc]\d+'")
_COUNTS: Final = re.compile(rb"'descr': '[<|=]?(?:[Mi]8)")
_MAX_HEADER: Final = 16 * 1024 * 1024


def is_numpy(data: bytes) -> bool:
    """Tell by the magic and a known version."""
    return data[:6] == _NUMPY and len(data) > 12 and data[6] in (1, 2, 3)


def unfold_numpy(data: bytes, name: str, offset: int) -> Node:
    """Unfold an array; its data is a field of its own, by what it holds: fractions, or counts. Raises ValueError."""
    cutter = Cutter(data)
    cutter.take("magic", "bytes", 8)
    width = 2 if data[6] == 1 else 4
    size = int.from_bytes(cutter.take("header's size", "bytes", width), "little")
    header = cutter.take("header", "bytes", size)
    kind = "array" if _FLOATS.search(header) else "counts" if _COUNTS.search(header) else "bytes"
    cutter.take("numbers", kind, cutter.left)
    return cutter.finish(name, "numpy", offset)


def is_safetensors(data: bytes) -> bool:
    """Tell by a header's size that fits, and a JSON object behind it."""
    size = int.from_bytes(data[:8], "little")
    return data[8:10] == b'{"' and 2 < size <= min(len(data) - 8, _MAX_HEADER)


def unfold_safetensors(data: bytes, name: str, offset: int) -> Node:
    """Unfold header and numbers. Raises ValueError."""
    cutter = Cutter(data)
    size = int.from_bytes(cutter.take("header's size", "bytes", 8), "little")
    json.loads(cutter.take("header", "bytes", size))
    cutter.take("numbers", "array", cutter.left)
    return cutter.finish(name, "safetensors", offset)
