"""Try what else two contents might differ by alone, for whoever has to look into them by hand: no cause, a hint.

Both sides are seen together here, and nothing that is found explains anything.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final, NamedTuple

from verifier.formats.text import is_text

MAX_LIKENED_BYTES: Final = 1024 * 1024
"""Of one content, in bytes; larger ones are not tried."""

MAX_LIKENED: Final = 500
"""Contents of one layer that are tried."""

_NUMBER: Final = re.compile(rb"\d+")
_PATH: Final = re.compile(rb"(?:/[\w.+@~-]+)+/?")
_HEX: Final = re.compile(rb"(?<![0-9A-Za-z])(?:[0-9a-f]{8,}|[0-9A-F]{8,})(?![0-9A-Za-z])")


class Likeness(NamedTuple):
    """What two contents differ by alone, and what they were tried for and do not."""

    alike: tuple[str, ...]
    unlike: tuple[str, ...]


_Mask = Callable[[bytes], object]

_TEXT_MASKS: Final[tuple[tuple[str, _Mask], ...]] = (
    ("the order of lines", lambda text: sorted(text.splitlines())),
    ("the order of words", lambda text: sorted(text.split())),
    ("white space", lambda text: b"".join(text.split())),
    ("capitals", lambda text: text.lower()),
    ("paths", lambda text: _PATH.sub(b"/", text)),
    ("hexadecimal values", lambda text: _HEX.sub(b"0", text)),
    ("numbers", lambda text: _NUMBER.sub(b"0", text)),
)
_BINARY_MASKS: Final[tuple[tuple[str, _Mask], ...]] = (
    ("the order of bytes", lambda data: [data.count(value) for value in range(256)]),
)


def likeness(first: bytes, second: bytes) -> Likeness:
    """Put each mask over both contents, and tell under which of them they are the same."""
    if max(len(first), len(second)) > MAX_LIKENED_BYTES:
        return Likeness((), ())
    masks = _TEXT_MASKS if is_text(first) and is_text(second) else _BINARY_MASKS
    alike = tuple(name for name, mask in masks if mask(first) == mask(second))
    return Likeness(alike, tuple(name for name, _ in masks if name not in alike))
