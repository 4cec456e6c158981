"""Find where two contents differ, in bounded memory: offsets, lengths, and samples of both sides.

Contents of one size are compared offset by offset. Contents of two sizes are held in memory while both are small (then
text is aligned line by line); of larger ones, what they have in common at both ends is cut off.
"""

from __future__ import annotations

import difflib
import re
from typing import Final, Protocol

from verifier.model.difference import Region

MAX_REGIONS: Final = 16
"""Regions kept of one pair of contents."""

CONTEXT_BYTES: Final = 32
"""Bytes of a sample before its region; also, stretches that are no further apart are one region."""

SAMPLE_BYTES: Final = 160
"""The most bytes of one sample."""

MAX_HELD_BYTES: Final = 1024 * 1024
"""Contents of two sizes are aligned in memory when neither is larger, in bytes."""

_MAX_ALIGNED_LINES: Final = 400
_TAIL_BYTES: Final = 64 * 1024
_DIFFERS: Final = re.compile(rb"[^\0]")
_GAP: Final = bytes(CONTEXT_BYTES + 1)


class RegionFinder(Protocol):
    """Takes two contents side by side and tells where they differ."""

    def feed(self, first: bytes, second: bytes) -> None:
        """Take the next bytes of both, as many of each; once one side has ended, its part is empty."""

    def feed_equal(self, both: bytes) -> None:
        """Take the next bytes of both, which are the same."""

    def finish(self) -> tuple[tuple[Region, ...], bool]:
        """Give the differing regions, and whether these are all."""


def finder_for(size_first: int, size_second: int) -> RegionFinder:
    """Choose how to find the regions of two contents, by their sizes in bytes."""
    if size_first == size_second:
        return AlignedRegions()
    if max(size_first, size_second) <= MAX_HELD_BYTES:
        return HeldRegions()
    return TrimmedRegions(size_first, size_second)


class _OpenRegion:
    """A region of two contents of one size that may still grow; its samples fill up as bytes arrive."""

    __slots__ = ("end", "first", "second", "start", "wanted")

    def __init__(self, start: int, end: int, before: tuple[bytes, bytes]) -> None:
        self.start, self.end = start, end
        self.wanted = SAMPLE_BYTES
        self.first, self.second = bytearray(before[0]), bytearray(before[1])

    def fill(self, first: bytes, second: bytes, position: int) -> bool:
        """Take what the samples still lack from `position` on; tell whether they are full."""
        self.first += first[position : position + self.wanted - len(self.first)]
        self.second += second[position : position + self.wanted - len(self.second)]
        return len(self.first) >= self.wanted

    def region(self) -> Region:
        sample_start = max(0, self.start - CONTEXT_BYTES)
        return Region(
            offset_first=self.start,
            length_first=self.end - self.start,
            offset_second=self.start,
            length_second=self.end - self.start,
            sample_offset_first=sample_start,
            sample_first=bytes(self.first),
            sample_offset_second=sample_start,
            sample_second=bytes(self.second),
        )


class AlignedRegions:
    """Contents of one size, compared offset by offset."""

    def __init__(self) -> None:
        self._offset = 0
        self._before = (b"", b"")
        self._regions: list[_OpenRegion] = []
        self._filling: list[_OpenRegion] = []
        self._complete = True

    def feed(self, first: bytes, second: bytes) -> None:
        """Take the next bytes of both."""
        if self._filling:
            self._filling = [region for region in self._filling if not region.fill(first, second, 0)]
        if self._complete and first != second:
            self._find(first, second)
        self._offset += len(first)
        if len(first) >= CONTEXT_BYTES:
            self._before = (first, second)
        else:
            self._before = ((self._before[0] + first)[-CONTEXT_BYTES:], (self._before[1] + second)[-CONTEXT_BYTES:])

    def feed_equal(self, both: bytes) -> None:
        """Take the next bytes of both; nothing is copied while nothing has differed."""
        if self._filling or len(both) < CONTEXT_BYTES:
            self.feed(both, both)
        else:
            self._offset += len(both)
            self._before = (both, both)

    def finish(self) -> tuple[tuple[Region, ...], bool]:
        """Give the differing regions, and whether these are all."""
        return tuple(region.region() for region in self._regions), self._complete

    def _find(self, first: bytes, second: bytes) -> None:
        parts = differing_bytes(first, second)
        position = 0
        while found := _DIFFERS.search(parts, position):
            start = found.start()
            gap = parts.find(_GAP, start)
            end = len(parts.rstrip(b"\0")) if gap < 0 else gap
            self._add(first, second, start, end)
            if not self._complete:
                return
            position = end

    def _add(self, first: bytes, second: bytes, start: int, end: int) -> None:
        absolute = self._offset + start
        if self._regions and absolute - self._regions[-1].end <= CONTEXT_BYTES:
            self._regions[-1].end = self._offset + end
        elif len(self._regions) == MAX_REGIONS:
            self._complete = False
        else:
            context = min(CONTEXT_BYTES, absolute)
            held = max(0, context - start)
            before = (self._before[0][len(self._before[0]) - held :], self._before[1][len(self._before[1]) - held :])
            region = _OpenRegion(absolute, self._offset + end, before)
            self._regions.append(region)
            if not region.fill(first, second, max(0, start - context)):
                self._filling.append(region)


class HeldRegions:
    """Small contents of two sizes, held in memory and aligned."""

    def __init__(self) -> None:
        self._first: list[bytes] = []
        self._second: list[bytes] = []

    def feed(self, first: bytes, second: bytes) -> None:
        """Take the next bytes of both."""
        self._first.append(first)
        self._second.append(second)

    def feed_equal(self, both: bytes) -> None:
        """Take the next bytes of both."""
        self.feed(both, both)

    def finish(self) -> tuple[tuple[Region, ...], bool]:
        """Give the differing regions, and whether these are all."""
        first, second = b"".join(self._first), b"".join(self._second)
        prefix = common_prefix(first, second)
        suffix = common_suffix(first[prefix:], second[prefix:])
        spans = _line_spans(first, second, prefix, suffix) or [
            (prefix, len(first) - suffix, prefix, len(second) - suffix)
        ]
        regions = tuple(
            _region(first, second, start_first, end_first, start_second, end_second)
            for start_first, end_first, start_second, end_second in spans[:MAX_REGIONS]
        )
        return regions, len(spans) <= MAX_REGIONS


class TrimmedRegions:
    """Large contents of two sizes: one region, without what both begin and end with."""

    def __init__(self, size_first: int, size_second: int) -> None:
        self._sizes = (size_first, size_second)
        self._start = -1
        self._offset = 0
        self._heads = (bytearray(), bytearray())
        self._tails = (bytearray(), bytearray())

    def feed(self, first: bytes, second: bytes) -> None:
        """Take the next bytes of both."""
        if self._start < 0:
            position = common_prefix(first, second)
            if position == len(first) == len(second):
                self._keep_context(first)
            else:
                self._start = self._offset + position
                self._keep_context(first[:position])
        else:
            position = 0
        if self._start >= 0:
            for head, data in zip(self._heads, (first, second), strict=True):
                head.extend(data[position : position + SAMPLE_BYTES - len(head)])
        for tail, data in zip(self._tails, (first, second), strict=True):
            tail.extend(data[-_TAIL_BYTES:])
            del tail[:-_TAIL_BYTES]
        self._offset += len(first)

    def finish(self) -> tuple[tuple[Region, ...], bool]:
        """Give the differing regions, and whether these are all."""
        shorter = min(self._sizes) - self._start
        suffix = min(common_suffix(bytes(self._tails[0]), bytes(self._tails[1])), shorter)
        sample_start = max(0, self._start - CONTEXT_BYTES)
        region = Region(
            offset_first=self._start,
            length_first=self._sizes[0] - suffix - self._start,
            offset_second=self._start,
            length_second=self._sizes[1] - suffix - self._start,
            sample_offset_first=sample_start,
            sample_first=bytes(self._heads[0]),
            sample_offset_second=sample_start,
            sample_second=bytes(self._heads[1]),
        )
        return (region,), True

    def feed_equal(self, both: bytes) -> None:
        """Take the next bytes of both."""
        self.feed(both, both)

    def _keep_context(self, equal: bytes) -> None:
        for head in self._heads:
            head.extend(equal[-CONTEXT_BYTES:])
            del head[:-CONTEXT_BYTES]


def differing_bytes(first: bytes, second: bytes) -> bytes:
    """Give the exclusive or of two strings of one length: zero where they agree."""
    return (int.from_bytes(first, "little") ^ int.from_bytes(second, "little")).to_bytes(len(first), "little")


def common_prefix(first: bytes, second: bytes) -> int:
    """Count the bytes that both begin with."""
    size = min(len(first), len(second))
    found = _DIFFERS.search(differing_bytes(first[:size], second[:size]))
    return size if found is None else found.start()


def common_suffix(first: bytes, second: bytes) -> int:
    """Count the bytes that both end with."""
    size = min(len(first), len(second))
    if size == 0:
        return 0
    return size - len(differing_bytes(first[-size:], second[-size:]).rstrip(b"\0"))


def _line_spans(first: bytes, second: bytes, prefix: int, suffix: int) -> list[tuple[int, int, int, int]]:
    """Align the lines between prefix and suffix; nothing when that is no text, or too much of it."""
    start = first.rfind(b"\n", 0, prefix) + 1
    middle_first, middle_second = first[start : len(first) - suffix], second[start : len(second) - suffix]
    if b"\0" in middle_first or b"\0" in middle_second:
        return []
    lines_first, lines_second = middle_first.splitlines(keepends=True), middle_second.splitlines(keepends=True)
    if max(len(lines_first), len(lines_second)) > _MAX_ALIGNED_LINES:
        return []
    starts_first, starts_second = _starts(lines_first, start), _starts(lines_second, start)
    return [
        (starts_first[low], starts_first[high], starts_second[other_low], starts_second[other_high])
        for low, high, other_low, other_high in _differing_lines(lines_first, lines_second)
    ]


def _differing_lines(first: list[bytes], second: list[bytes]) -> list[tuple[int, int, int, int]]:
    if first > second:  # difflib prefers the first of several alignments; which one that is must not matter
        return [
            (low, high, other_low, other_high) for other_low, other_high, low, high in _differing_lines(second, first)
        ]
    matcher = difflib.SequenceMatcher(None, first, second, autojunk=False)
    return [opcode[1:] for opcode in matcher.get_opcodes() if opcode[0] != "equal"]


def _starts(lines: list[bytes], offset: int) -> list[int]:
    starts = [offset]
    for line in lines:
        starts.append(starts[-1] + len(line))
    return starts


def _region(first: bytes, second: bytes, start: int, end: int, other_start: int, other_end: int) -> Region:
    sample, other_sample = max(0, start - CONTEXT_BYTES), max(0, other_start - CONTEXT_BYTES)
    return Region(
        offset_first=start,
        length_first=end - start,
        offset_second=other_start,
        length_second=other_end - other_start,
        sample_offset_first=sample,
        sample_first=first[sample : sample + SAMPLE_BYTES],
        sample_offset_second=other_sample,
        sample_second=second[other_sample : other_sample + SAMPLE_BYTES],
    )
