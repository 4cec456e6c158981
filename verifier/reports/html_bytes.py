"""Both sides' values side by side: text with what differs marked, binary as hexadecimal around the first difference."""

from __future__ import annotations

import difflib
import json
from dataclasses import dataclass
from typing import Final, Literal

from verifier.model.difference import ContentDifference, FieldValue, Region
from verifier.reports.escape import escape, shorten

_VALUE_WIDTH: Final = 200
_HEX_BYTES: Final = 48
_TEXT_BYTES: Final = 120
_BYTES_A_LINE: Final = 8

Piece = tuple[bool, str]
"""A stretch of text, and whether it differs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """Where two contents differ first: offsets in bytes, the bytes as text or as hexadecimal, what differs marked."""

    kind: Literal["text", "hex"]
    types: str
    sizes: str
    offset: int
    first: tuple[Piece, ...]
    second: tuple[Piece, ...]


def shown_value(value: FieldValue) -> str:
    """Show a value of a header or a document, bounded."""
    if value is None:
        return "-"
    return shorten(escape(value if isinstance(value, str) else json.dumps(value)), _VALUE_WIDTH)


def sample_of(content: ContentDifference) -> Sample | None:
    """Show the first stretch in which two contents differ; None where none was kept."""
    if not content.regions:
        return None
    region = content.regions[0]
    is_text = _is_text(region.sample_first) and _is_text(region.sample_second)
    first, second = _texts(region) if is_text else _hexes(region)
    return Sample(
        kind="text" if is_text else "hex",
        types=" | ".join(dict.fromkeys((escape(content.type_first), escape(content.type_second)))),
        sizes=f"{content.size_first:,} | {content.size_second:,} bytes",
        offset=region.offset_first,
        first=first,
        second=second,
    )


def _is_text(sample: bytes) -> bool:
    return bool(sample) and all(32 <= byte < 127 or byte in b"\n\t\r" for byte in sample)


def _texts(region: Region) -> tuple[tuple[Piece, ...], tuple[Piece, ...]]:
    first, second = (sample[:_TEXT_BYTES].decode("ascii") for sample in (region.sample_first, region.sample_second))
    pieces: tuple[list[Piece], list[Piece]] = ([], [])
    matcher = difflib.SequenceMatcher(None, first, second, autojunk=False)
    for kind, i, j, k, m in matcher.get_opcodes():
        if i < j:
            pieces[0].append((kind != "equal", escape(first[i:j])))
        if k < m:
            pieces[1].append((kind != "equal", escape(second[k:m])))
    return tuple(pieces[0]), tuple(pieces[1])


def _hexes(region: Region) -> tuple[tuple[Piece, ...], tuple[Piece, ...]]:
    first = _window(region.sample_first, region.offset_first - region.sample_offset_first)
    second = _window(region.sample_second, region.offset_second - region.sample_offset_second)
    return _hex(first, second), _hex(second, first)


def _window(sample: bytes, skip: int) -> bytes:
    start = max(0, skip - _BYTES_A_LINE)
    return sample[start : start + _HEX_BYTES]


def _hex(own: bytes, other: bytes) -> tuple[Piece, ...]:
    pieces: list[Piece] = []
    for number, byte in enumerate(own):
        differs = number >= len(other) or other[number] != byte
        end = "\n" if number % _BYTES_A_LINE == _BYTES_A_LINE - 1 else " "
        if pieces and pieces[-1][0] == differs:
            pieces[-1] = (differs, f"{pieces[-1][1]}{byte:02x}{end}")
        else:
            pieces.append((differs, f"{byte:02x}{end}"))
    return tuple(pieces) or ((True, "(end)"),)
