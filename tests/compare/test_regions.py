"""Differing regions: they cover every difference, their samples are the contents' own bytes, and all is bounded."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from verifier.compare.contents import BytesReader, compare_contents
from verifier.compare.regions import CONTEXT_BYTES, MAX_HELD_BYTES, MAX_REGIONS, SAMPLE_BYTES
from verifier.model.difference import ContentDifference


class Chopped:
    """A content that comes in pieces."""

    def __init__(self, content: bytes, size: int) -> None:
        self.content, self.size, self.position = content, size, 0

    def available(self) -> int:
        return min(self.size, len(self.content) - self.position)

    def read(self, size: int) -> bytes:
        self.position += size
        return self.content[self.position - size : self.position]

    def take_same(self, content: bytes) -> bool:
        same = self.content.startswith(content, self.position) and len(content) <= self.available()
        self.position += len(content) if same else 0
        return same


def compared(first: bytes, second: bytes, sizes: tuple[int, int] = (10**9, 10**9)) -> ContentDifference | None:
    return compare_contents(
        Chopped(first, sizes[0]), Chopped(second, sizes[1]), len(first), len(second), b"/x"
    ).difference


def outside(content: bytes, spans: list[tuple[int, int]]) -> bytes:
    kept, position = b"", 0
    for offset, length in spans:
        kept += content[position:offset] + b"|"
        position = offset + length
    return kept + content[position:]


def check(first: bytes, second: bytes, sizes: tuple[int, int]) -> None:
    found = compared(first, second, sizes)
    if first == second:
        assert found is None
        return
    assert found is not None
    assert found.regions
    for region in found.regions:
        for content, offset, start, sample in (
            (first, region.offset_first, region.sample_offset_first, region.sample_first),
            (second, region.offset_second, region.sample_offset_second, region.sample_second),
        ):
            assert start == max(0, offset - CONTEXT_BYTES)
            assert sample == content[start : start + SAMPLE_BYTES]
    if found.complete:
        assert outside(first, [(region.offset_first, region.length_first) for region in found.regions]) == outside(
            second, [(region.offset_second, region.length_second) for region in found.regions]
        )


contents = st.one_of(st.binary(max_size=600), st.text("ab\n", max_size=200).map(str.encode))


@settings(max_examples=400, deadline=None)
@given(contents, contents, st.integers(1, 700), st.integers(1, 700))
def test_regions_cover_all_that_differs(first: bytes, second: bytes, size: int, other: int) -> None:
    check(first, second, (size, other))


@settings(max_examples=300, deadline=None)
@given(st.binary(min_size=1, max_size=3000), st.data(), st.integers(1, 700), st.integers(1, 700))
def test_regions_of_contents_of_one_size(content: bytes, data: st.DataObject, size: int, other: int) -> None:
    changed = bytearray(content)
    for place in data.draw(st.lists(st.integers(0, len(content) - 1), max_size=30)):
        changed[place] ^= 0x55
    check(content, bytes(changed), (size, other))


def test_offsets_are_exact() -> None:
    first = bytes(10_000)
    second = bytearray(first)
    second[500], second[520], second[9_999] = 1, 2, 3
    found = compared(first, bytes(second), (333, 1000))
    assert found is not None
    assert [(region.offset_first, region.length_first) for region in found.regions] == [(500, 21), (9_999, 1)]
    assert found.complete


def test_too_many_regions_are_cut_and_said_to_be() -> None:
    first = bytes(100_000)
    second = bytearray(first)
    second[::1000] = b"x" * 100
    found = compared(first, bytes(second))
    assert found is not None
    assert (len(found.regions), found.complete) == (MAX_REGIONS, False)


@pytest.mark.parametrize("pattern", [b"\0\1", b"\1", b"\0" * 33 + b"\1"])
def test_contents_that_differ_everywhere_are_quick(pattern: bytes) -> None:
    size = 4 * 2**20 // len(pattern)
    found = compared(bytes(size * len(pattern)), pattern * size)
    assert found is not None


def test_inserted_line_is_one_region() -> None:
    lines = [b"line %d\n" % number for number in range(200)]
    found = compared(b"".join(lines), b"".join([*lines[:50], b"new\n", *lines[50:150], b"changed\n", *lines[151:]]))
    assert found is not None
    assert [(region.length_first, region.length_second) for region in found.regions] == [(0, 4), (8, 7)]
    assert found.type_first == "text"


def test_large_contents_of_two_sizes_lose_their_common_ends() -> None:
    source = random.Random(1)
    head, tail = source.randbytes(MAX_HELD_BYTES), source.randbytes(30_000)
    first, second = head + b"x" + tail, head + b"yyy" + tail
    found = compared(first, second, (100_000, 77_777))
    assert found is not None
    (region,) = found.regions
    assert (region.offset_first, region.length_first, region.length_second) == (MAX_HELD_BYTES, 1, 3)
    check(first, second, (100_000, 77_777))
    check(head, head + tail, (100_000, 77_777))
    check(head + tail, tail, (100_000, 77_777))


def test_digests_are_those_of_the_contents() -> None:
    equal = compare_contents(BytesReader(b"same"), BytesReader(b"same"), 4, 4, b"/x")
    assert equal.first == equal.second
    other = compare_contents(BytesReader(b"same"), BytesReader(b"samt"), 4, 4, b"/x")
    assert other.first == equal.first != other.second
