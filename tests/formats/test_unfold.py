"""Unfolding loses nothing: every byte is in exactly one field, and no two contents have one tree."""

from __future__ import annotations

import gzip
import io
import json
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.causes.test_contents import TestBinaryFormats, TestOtherArchives, zipped, zipped_by_hand
from verifier.causes.cause import Place, SideContext
from verifier.causes.counterfactual import replace_claims
from verifier.formats.deflate import Budget, inflate_raw
from verifier.formats.field import Field, Node
from verifier.formats.json_document import unfold_json
from verifier.formats.text import is_text
from verifier.formats.unfold import unfold

MOMENT = 1_795_000_000
SETTINGS = settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))


def digest(node: Node) -> bytes:
    """Digest a tree with nothing claimed."""
    return replace_claims(node, Place(part="layer", field="content"), SideContext(), ()).digest


def stored_zip() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("a.txt", "plain")
        archive.writestr("empty", "")
        archive.writestr("nested.gz", gzip.compress(b"nested", mtime=1))
        archive.comment = b"a comment"
    return out.getvalue()


def streamed_zip() -> bytes:
    """Write a zip whose sizes stand behind the data."""

    class Pipe(io.RawIOBase):
        def __init__(self) -> None:
            self.data = b""

        def writable(self) -> bool:
            return True

        def write(self, data: object) -> int:
            self.data += bytes(data)  # type: ignore[call-overload]
            return len(bytes(data))  # type: ignore[call-overload]

    out = Pipe()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:  # type: ignore[call-overload]
        archive.writestr("a.txt", b"streamed " * 20)
    return out.data


def pax_tar() -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name, kind in (("f", tarfile.REGTYPE), ("d/", tarfile.DIRTYPE), ("ü" * 60, tarfile.SYMTYPE)):
            info = tarfile.TarInfo(name)
            info.type, info.mtime, info.linkname = kind, MOMENT + 0.5, "f" if kind == tarfile.SYMTYPE else ""
            info.size = 4 if kind == tarfile.REGTYPE else 0
            archive.addfile(info, io.BytesIO(b"data"))
    return out.getvalue()


SAMPLES = {
    "empty": b"",
    "text": b"a line\nand another: 2026-11-18T11:06:40Z\n",
    "bytes": bytes(range(256)),
    "gzip": gzip.compress(b"content " * 50, mtime=MOMENT),
    "gzip members": gzip.compress(b"one", mtime=1) + gzip.compress(b"two", mtime=2) + b"behind",
    "zip": zipped(MOMENT, extra=True),
    "zip, stored": stored_zip(),
    "zip, streamed": streamed_zip(),
    "zip, odd stream": zipped_by_hand(MOMENT, b"content"),
    "tar": TestOtherArchives.tar(MOMENT),
    "pax": pax_tar(),
    "ar": TestOtherArchives.library(MOMENT, content=b"odd"),
    "pyc": b"\xa7\r\r\n" + struct.pack("<III", 0, MOMENT, 5) + b"\xe3code",
    "keystore": TestBinaryFormats.keystore(MOMENT),
    "font cache": TestBinaryFormats.font_cache(MOMENT),
    "library cache": TestBinaryFormats.library_cache([("liba.so.1", 11, MOMENT), ("libb.so.2", 5, MOMENT + 1)]),
}
FORMATS = {
    "gzip": "gzip",
    "gzip members": "gzip",
    "zip": "zip",
    "zip, stored": "zip",
    "zip, streamed": "zip",
    "zip, odd stream": "zip",
    "tar": "tar",
    "pax": "tar",
    "ar": "ar",
    "pyc": "pyc",
    "keystore": "java keystore",
    "font cache": "fontconfig cache",
    "library cache": "ldconfig cache",
    "text": "text",
    "bytes": "bytes",
}


@pytest.mark.parametrize("name", FORMATS)
def test_each_format_is_told_by_its_bytes(name: str) -> None:
    assert unfold(SAMPLES[name]).format == FORMATS[name]


@pytest.mark.parametrize("name", SAMPLES)
def test_every_byte_of_one_container_is_in_one_field(name: str) -> None:
    """Put the fields of the outermost container together again; compressed ones by their compressors."""
    node = unfold(SAMPLES[name])
    if node.format == "ldconfig cache":
        return  # taken apart and sorted: the digests tell
    assert b"".join(folded(node)) == SAMPLES[name]


def folded(node: Node) -> Iterator[bytes]:
    for part in node.parts:
        if isinstance(part, Field):
            yield part.value
        elif part.stream is not None:
            yield part.stream
        elif part.encoder is not None:
            words = part.encoder.split()
            machine = zlib.compressobj(int(words[2]), zlib.DEFLATED, -zlib.MAX_WBITS, int(words[4]))
            yield machine.compress(b"".join(folded(part))) + machine.flush()
        else:
            yield from folded(part)


@SETTINGS
@given(
    name=st.sampled_from(sorted(set(SAMPLES) - {"empty"})),
    position=st.integers(0, 1 << 20),
    value=st.integers(1, 255),
)
def test_another_byte_makes_another_tree(name: str, position: int, value: int) -> None:
    changed = bytearray(SAMPLES[name])
    changed[position % len(changed)] ^= value
    assert digest(unfold(bytes(changed))) != digest(unfold(SAMPLES[name]))


@SETTINGS
@given(name=st.sampled_from(sorted(SAMPLES)), cut=st.integers(0, 1 << 20), more=st.binary(max_size=40))
def test_more_or_fewer_bytes_make_another_tree(name: str, cut: int, more: bytes) -> None:
    whole = SAMPLES[name]
    changed = whole[: cut % (len(whole) + 1)] + more
    if changed != whole:
        assert digest(unfold(changed)) != digest(unfold(whole))


@SETTINGS
@given(first=st.binary(max_size=64), second=st.binary(max_size=64))
def test_any_two_contents_have_two_trees(first: bytes, second: bytes) -> None:
    assert (digest(unfold(first)) == digest(unfold(second))) == (first == second)


def test_a_bomb_stays_one_field() -> None:
    bomb = gzip.compress(gzip.compress(bytes(1 << 29), 9, mtime=0), 9, mtime=0)
    node = unfold(bomb)
    assert sum(len(value) for value in folded(node)) == len(bomb)


def test_what_is_nested_too_deep_stays_one_field() -> None:
    content = b"core"
    for _ in range(8):
        content = gzip.compress(content, mtime=MOMENT)
    depth, node = 0, unfold(content)
    while node.format == "gzip":
        depth += 1
        node = next(part for part in node.parts if isinstance(part, Node))
    assert depth == 4
    assert node.format == "bytes"


@pytest.mark.parametrize(
    "damaged", [b"PK\3\4", b"!<arch>\n" + b"x" * 60, b"\xfe\xed\xfe\xed" + b"\xff" * 40, b"PK\5\6" + b"\xff" * 18]
)
def test_damage_is_no_error(damaged: bytes) -> None:
    assert b"".join(folded(unfold(damaged))) == damaged


DOCUMENT = json.dumps({"a/b": {"c~d": [1, "two", None, True, {"e": -1.5e3}]}, "f": [], "g": {}}, indent=1).encode()


def test_a_documents_scalars_have_pointers() -> None:
    node = unfold_json(DOCUMENT)
    scalars = {part.name: part.value for part in node.parts if isinstance(part, Field) and part.kind == "json"}
    assert scalars == {
        "/a~1b/c~0d/0": b"1",
        "/a~1b/c~0d/1": b'"two"',
        "/a~1b/c~0d/2": b"null",
        "/a~1b/c~0d/3": b"true",
        "/a~1b/c~0d/4/e": b"-1500.0",
    }
    assert b"".join(folded(node)) == DOCUMENT


def test_a_whole_scalar_is_a_document() -> None:
    assert b"".join(folded(unfold_json(b' "x" '))) == b' "x" '


@SETTINGS
@given(position=st.integers(0, len(DOCUMENT) - 1), value=st.integers(1, 255))
def test_another_byte_makes_another_document(position: int, value: int) -> None:
    changed = bytearray(DOCUMENT)
    changed[position] ^= value
    try:
        node = unfold_json(bytes(changed))
    except ValueError:
        return
    assert digest(node) != digest(unfold_json(DOCUMENT))


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", True),
        ("grüß\n\tGott\r\n".encode(), True),
        (b"\x1b[1mbold", True),
        (b"a\0b", False),
        (b"\xff\xfe", False),
        (b"\x01", False),
    ],
)
def test_text_is_told_from_bytes(data: bytes, expected: bool) -> None:
    assert is_text(data) is expected


@pytest.mark.parametrize("level", range(1, 10))
@pytest.mark.parametrize("size", [10, 1_000, 1_000_000])
def test_zlibs_own_streams_are_given_back(level: int, size: int) -> None:
    content = b"".join(b"%d %d\n" % (number, number * number % 7919) for number in range(size // 10))
    machine = zlib.compressobj(level, zlib.DEFLATED, -zlib.MAX_WBITS)
    stream = machine.compress(content) + machine.flush()
    found = inflate_raw(b"before" + stream + b"behind", 6, Budget(1 << 24))
    assert found is not None
    assert (found.content, found.used) == (content, len(stream))
    assert found.encoder is not None


def test_a_budget_is_not_overdrawn() -> None:
    stream = gzip.compress(bytes(1_000_000), mtime=0)[10:]
    assert inflate_raw(stream, 0, Budget(999_999)) is None
    assert inflate_raw(stream, 0, Budget(1_000_000)) is not None
