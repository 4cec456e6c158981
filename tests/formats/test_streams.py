"""xz and Zstandard streams: told by their contents where a known compressor gives the same bytes, else kept."""

from __future__ import annotations

import importlib
import lzma
import zlib
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.causes.sides import FIRST, SECOND, at, causes, explain_contents
from verifier.causes.cause import Place, SideContext
from verifier.causes.counterfactual import replace_claims
from verifier.formats.deflate import Budget
from verifier.formats.field import Field, Node
from verifier.formats.unfold import unfold
from verifier.formats.xz_stream import unfold_xz
from verifier.formats.zstd_stream import inflate_frame

CONTENT = b"".join(b"%d %d\n" % (number, number * number % 7919) for number in range(2_000))
SETTINGS = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))


def zstd() -> Any:
    try:
        return importlib.import_module("compression.zstd")
    except ImportError:
        return importlib.import_module("backports.zstd")


def inner(data: bytes) -> Node:
    """Give the content of the one stream."""
    (node,) = [part for part in unfold(data).parts if isinstance(part, Node)]
    return node


def digest(data: bytes) -> bytes:
    return replace_claims(unfold(data), Place(part="layer", field="content"), SideContext(), ()).digest


@pytest.mark.parametrize("preset", [0, 1, 6, 9, 6 | lzma.PRESET_EXTREME])
@pytest.mark.parametrize("check", [lzma.CHECK_CRC32, lzma.CHECK_CRC64, lzma.CHECK_SHA256, lzma.CHECK_NONE])
def test_what_liblzma_gives_back_is_told_by_its_content(preset: int, check: int) -> None:
    node = inner(lzma.compress(CONTENT, check=check, preset=preset))
    assert node.encoder is not None
    assert node.stream is None
    assert isinstance(node.parts[0], Field)
    assert node.parts[0].value == CONTENT


def test_xz_with_other_filters_is_kept() -> None:
    filters = [{"id": lzma.FILTER_DELTA, "dist": 4}, {"id": lzma.FILTER_LZMA2, "preset": 6}]
    stream = lzma.compress(CONTENT, filters=filters)
    assert inner(stream).stream == stream


def test_several_xz_streams_and_what_stands_behind() -> None:
    data = lzma.compress(b"one") + lzma.compress(b"two") + bytes(4)
    node = unfold(data)
    assert [part.encoder is not None for part in node.parts if isinstance(part, Node)] == [True, True]
    assert isinstance(node.parts[-1], Field)
    assert node.parts[-1].value == bytes(4)


@pytest.mark.parametrize("level", [1, 3, 9, 19])
@pytest.mark.parametrize("checksum", [False, True])
def test_what_libzstd_gives_back_is_told_by_its_content(level: int, checksum: bool) -> None:
    parameter = zstd().CompressionParameter
    options = {parameter.compression_level: level, parameter.checksum_flag: checksum}
    node = inner(zstd().compress(CONTENT, options=options))
    assert node.encoder is not None
    assert isinstance(node.parts[0], Field)
    assert node.parts[0].value == CONTENT


def test_a_zstd_frame_of_unknown_settings_is_kept() -> None:
    parameter = zstd().CompressionParameter
    options = {parameter.compression_level: 3, parameter.window_log: 11, parameter.target_length: 77}
    stream = zstd().compress(CONTENT * 4, options=options)
    assert inner(stream).stream == stream


def test_skippable_frames_are_fields() -> None:
    node = unfold(zstd().compress(b"one") + b"\x50\x2a\x4d\x18\2\0\0\0ab" + zstd().compress(b"two"))
    assert [part.name for part in node.parts] == ["content", "skippable frame", "content"]


@pytest.mark.parametrize("compress", [lzma.compress, lambda data: zstd().compress(data)])
def test_times_inside_are_found(compress: Any) -> None:
    first, second = (compress(at(moment + 4, "made %Y-%m-%d %H:%M:%S\n")) for moment in (FIRST, SECOND))
    assert causes(explain_contents(first, second)) == ["embedded-timestamp"]
    assert causes(explain_contents(compress(b"one\n"), compress(b"two\n"))) == ["residue"]


def test_another_preset_over_the_same_content_is_residue() -> None:
    assert causes(explain_contents(lzma.compress(CONTENT, preset=1), lzma.compress(CONTENT, preset=6))) == ["residue"]


def test_no_more_than_the_budget_comes_out() -> None:
    bomb = bytes(4_000_000)
    budget = Budget(3_999_999)
    with pytest.raises(ValueError, match="too large"):
        unfold_xz(lzma.compress(bomb), "", 0, lambda data, *_: unfold(data), budget)
    assert inflate_frame(zstd().compress(bomb), 0, Budget(3_999_999)) is None
    assert inflate_frame(zstd().compress(bomb), 0, Budget(4_000_000)) is not None


def test_a_dictionary_beyond_the_limit_stays_one_field() -> None:
    filters = [{"id": lzma.FILTER_LZMA2, "preset": 0, "dict_size": 256 * 1024 * 1024, "mf": lzma.MF_HC3}]
    machine = lzma.LZMACompressor(filters=[{**filters[0], "dict_size": 4096}])
    stream = bytearray(machine.compress(b"abc") + machine.flush())
    # the header's byte for the dictionary's size: 4 GiB - 1, and its checksum
    stream[16] = 40
    stream[20:24] = zlib.crc32(stream[12:20]).to_bytes(4, "little")
    assert unfold(bytes(stream)).format == "bytes"


SAMPLES = {
    "xz": lzma.compress(CONTENT[:2000]),
    "zstd": zstd().compress(CONTENT[:2000]),
    "two": zstd().compress(b"one") + zstd().compress(b"two"),
}


@SETTINGS
@given(name=st.sampled_from(sorted(SAMPLES)), position=st.integers(0, 1 << 16), value=st.integers(1, 255))
def test_another_byte_makes_another_tree(name: str, position: int, value: int) -> None:
    changed = bytearray(SAMPLES[name])
    changed[position % len(changed)] ^= value
    assert digest(bytes(changed)) != digest(SAMPLES[name])
