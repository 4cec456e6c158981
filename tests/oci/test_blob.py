"""Streaming blobs: what is verified, what is inflated, what is refused."""

from __future__ import annotations

import gzip
import hashlib
import importlib
import sys
import zlib
from collections.abc import Callable, Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.compare.layer_images import PLAIN, Blobs, digest_of, file, image, tar
from verifier.errors import DigestMismatchError, MalformedImageError, StoreError
from verifier.oci.blob import read_blob, stream_layer, verify_blob
from verifier.oci.descriptor import Descriptor
from verifier.oci.digest import Digest
from verifier.oci.image import Layer
from verifier.oci.limits import MAX_EXPANSION, MAX_EXPANSION_FLOOR

TAR = tar([file("a", b"content" * 1000)])

try:
    zstd = importlib.import_module("compression.zstd")
except ImportError:
    zstd = importlib.import_module("backports.zstd")


@pytest.fixture(params=["isal", "zlib"])
def inflater(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "zlib":
        monkeypatch.setitem(sys.modules, "isal.isal_zlib", None)
    return str(request.param)


def layer_of(blob: bytes, diff_id: Digest, blobs: Blobs) -> Layer:
    descriptor = Descriptor(media_type=PLAIN, digest=blobs.put(blob), size=len(blob))
    return Layer(descriptor=descriptor, diff_id=diff_id, history=None)


def read(blob: bytes, expected: bytes) -> bytes:
    blobs = Blobs()
    return b"".join(stream_layer(blobs, layer_of(blob, digest_of(expected), blobs)))


def in_members(data: bytes, size: int = 700) -> bytes:
    return b"".join(gzip.compress(data[start : start + size]) for start in range(0, len(data), size))


def in_frames(data: bytes, size: int = 700) -> bytes:
    skippable = b"\x50\x2a\x4d\x18" + (5).to_bytes(4, "little") + b"chunk"
    parts = [zstd.compress(data[start : start + size]) for start in range(0, len(data), size)]
    return skippable + skippable.join(parts) + skippable


@pytest.mark.parametrize(
    "pack",
    [lambda data: data, gzip.compress, in_members, zstd.compress, in_frames],
    ids=["plain", "gzip", "members", "zstd", "frames"],
)
def test_every_compression_is_read_whatever_the_media_type_says(pack: Callable[[bytes], bytes], inflater: str) -> None:
    assert read(pack(TAR), TAR) == TAR


def test_empty_blob_is_an_empty_layer() -> None:
    assert read(b"", b"") == b""
    assert read(gzip.compress(b""), b"") == b""


@pytest.mark.parametrize("pack", [gzip.compress, zstd.compress])
@pytest.mark.parametrize("cut", [1, 3, 9, 40])
def test_truncated_stream(pack: Callable[[bytes], bytes], cut: int, inflater: str) -> None:
    with pytest.raises(MalformedImageError, match="ends in the middle of its"):
        read(pack(TAR)[:-cut], TAR)


@pytest.mark.parametrize("pack", [gzip.compress, zstd.compress])
@pytest.mark.parametrize("rest", [b"garbage", bytes(512), b"\x1f"])
def test_anything_after_the_last_member_is_refused(pack: Callable[[bytes], bytes], rest: bytes) -> None:
    with pytest.raises(MalformedImageError, match="and then bytes that are none"):
        read(pack(TAR) + rest, TAR)


@pytest.mark.parametrize("place", [12, 40, -6, -2])
def test_corrupt_gzip(place: int, inflater: str) -> None:
    blob = bytearray(gzip.compress(TAR))
    blob[place] ^= 0xFF
    with pytest.raises(MalformedImageError, match=r"corrupt gzip data|ends in the middle"):
        read(bytes(blob), TAR)


def test_wrong_diff_id() -> None:
    with pytest.raises(DigestMismatchError, match="inflates to diff_id"):
        read(gzip.compress(TAR), b"something else")


def test_wrong_blob_digest_is_told_rather_than_the_damage_that_it_did() -> None:
    blobs = Blobs()
    layer = layer_of(gzip.compress(TAR), digest_of(TAR), blobs)
    damaged = bytearray(blobs.held[layer.descriptor.digest])
    damaged[20] ^= 0xFF
    blobs.held[layer.descriptor.digest] = bytes(damaged)
    with pytest.raises(DigestMismatchError, match="has other bytes"):
        list(stream_layer(blobs, layer))


def test_missing_blob_and_wrong_size() -> None:
    blobs = Blobs()
    layer = layer_of(TAR, digest_of(TAR), blobs)
    blobs.held[layer.descriptor.digest] = TAR + b"more"
    with pytest.raises(MalformedImageError, match="where its descriptor says"):
        list(stream_layer(blobs, layer))
    del blobs.held[layer.descriptor.digest]
    with pytest.raises(StoreError, match="is missing"):
        list(stream_layer(blobs, layer))


class _Short(Blobs):
    def size_of(self, digest: Digest) -> int | None:
        size = super().size_of(digest)
        return None if size is None else size + 10


def test_store_that_gives_less_than_it_says() -> None:
    blobs = _Short()
    digest = blobs.put(TAR)
    with pytest.raises(MalformedImageError, match="ends 10 bytes before the size"):
        verify_blob(blobs, Descriptor(media_type=PLAIN, digest=digest, size=len(TAR) + 10))


def test_bomb_is_refused_without_being_held() -> None:
    size = MAX_EXPANSION_FLOOR + 2**20
    blob = zstd.compress(bytes(size))
    assert len(blob) * MAX_EXPANSION < size
    blobs = Blobs()
    with pytest.raises(MalformedImageError, match="expands to more than"):
        list(discard(stream_layer(blobs, layer_of(blob, digest_of(b""), blobs))))


def test_deflate_can_not_expand_beyond_the_limit_but_is_handed_out_in_pieces(inflater: str) -> None:
    size = MAX_EXPANSION_FLOOR + 2**20
    blob = gzip_bomb(size)
    assert len(blob) * MAX_EXPANSION > size
    blobs = Blobs()
    with pytest.raises(DigestMismatchError, match="inflates to"):
        list(discard(stream_layer(blobs, layer_of(blob, digest_of(b""), blobs))))


def discard(pieces: Iterator[bytes]) -> Iterator[bytes]:
    for piece in pieces:
        assert len(piece) <= 2**20
        yield b""


def gzip_bomb(size: int) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    return b"".join([packer.compress(bytes(2**20)) for _ in range(size // 2**20)]) + packer.flush()


def test_small_blob_over_its_limit_is_not_read() -> None:
    blobs = Blobs()
    descriptor = Descriptor(media_type="", digest=blobs.put(b"x" * 100), size=100)
    with pytest.raises(MalformedImageError, match="over the limit of 99"):
        read_blob(blobs, descriptor, limit=99)
    assert blobs.opened == []
    assert read_blob(blobs, descriptor, limit=100) == b"x" * 100


def test_sha512_digests() -> None:
    blobs = Blobs()
    digest = Digest("sha512:" + hashlib.sha512(TAR).hexdigest())
    blobs.held[digest] = TAR
    layer = Layer(descriptor=Descriptor(media_type=PLAIN, digest=digest, size=len(TAR)), diff_id=digest, history=None)
    assert b"".join(stream_layer(blobs, layer)) == TAR


@settings(max_examples=60, deadline=None)
@given(st.lists(st.binary(max_size=3000), max_size=5), st.sampled_from([gzip.compress, zstd.compress]))
def test_members_in_any_number(parts: list[bytes], pack: Callable[[bytes], bytes]) -> None:
    blob = b"".join(pack(part) for part in parts)
    assert read(blob, b"".join(parts)) == b"".join(parts)


def test_progress_counts_every_byte() -> None:
    made = image(TAR)
    counted: list[int] = []
    for _ in stream_layer(made.blobs, made.layers[0], counted.append):
        pass
    assert sum(counted) == made.layers[0].descriptor.size
