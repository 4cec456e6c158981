"""What a difference holds in full where it shows samples: order, headers, links, blobs, documents."""

from __future__ import annotations

import gzip
import tarfile
from pathlib import Path

import pytest

from tests.compare.layer_images import file, hardlink, image, single, tar
from verifier.compare import compare
from verifier.compare.encoding import header_parts
from verifier.model.difference import Difference, NamedValue
from verifier.oci.image import Image


def found(first: Image, second: Image, name: str, folder: Path) -> list[Difference]:
    comparison = compare(single(first), single(second), workspace=folder)
    return [item for item in comparison.all_differences if item.field == name]


def values(parts: tuple[NamedValue, ...]) -> dict[str, bytes]:
    return {part.kind: part.value for part in parts}


def test_an_order_is_held_to_its_end(tmp_path: Path) -> None:
    first = image(tar([file(name) for name in "abcdef"]))
    digests = set()
    for other in ("bacdef", "bacdfe", "bafdec"):
        (item,) = found(first, image(tar([file(name) for name in other])), "order", tmp_path)
        assert item.whole is not None
        assert item.first == {"index": 0, "path": "/a"}
        digests.add(values(item.whole.second)["entry-order"])
        assert values(item.whole.first)["entry-count"] == b"6"
    assert len(digests) == 3


def test_an_order_is_of_what_both_sides_have(tmp_path: Path) -> None:
    first = image(tar([file(name) for name in "axbc"]))
    orders = []
    for other in ("cba", "cyba"):
        (item,) = found(first, image(tar([file(name) for name in other])), "order", tmp_path)
        assert item.whole is not None
        orders.append((item.whole.first, item.whole.second))
    assert orders[0] == orders[1]


def header(entry: tarfile.TarInfo, form: int) -> bytes:
    return entry.tobuf(form, "utf-8", "surrogateescape")


@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
@pytest.mark.parametrize(
    "change",
    [
        {"name": "f"},
        {"name": "d/" * 45 + "f"},
        {"name": "f", "mtime": 1_795_000_000, "uid": 1000, "uname": "me"},
        {"name": "l", "type": tarfile.SYMTYPE, "linkname": "target"},
        {"name": "d", "type": tarfile.DIRTYPE},
        {"name": "c", "type": tarfile.CHRTYPE, "devmajor": 5, "devminor": 1},
    ],
)
def test_what_archivers_write_leaves_nothing_over(form: int, change: dict[str, object]) -> None:
    entry = tarfile.TarInfo()
    for name, value in change.items():
        setattr(entry, name, value)
    parts = values(header_parts(header(entry, form)))
    assert parts["tar-rest"] == b""
    assert parts["tar-encoding"].startswith(b"GNU" if form == tarfile.GNU_FORMAT else (b"ustar", b"pax"))


@pytest.mark.parametrize(
    ("offset", "value"), [(50, b"x"), (100, b"1"), (190, b"x"), (300, b"x"), (335, b"1"), (505, b"x")]
)
def test_a_byte_that_follows_no_known_way_is_left_over(offset: int, value: bytes) -> None:
    raw = bytearray(header(tarfile.TarInfo("f"), tarfile.USTAR_FORMAT))
    raw[offset : offset + 1] = value
    raw[148:154] = b"%06o" % (sum(raw[:512]) - sum(raw[148:156]) + 8 * 0x20)
    assert values(header_parts(bytes(raw)))["tar-rest"] != b""


def test_a_link_holds_which_names_its_file_has(tmp_path: Path) -> None:
    first = image(tar([file("a", b"x"), hardlink("b", "a"), hardlink("c", "a")]))
    second = image(tar([file("a", b"x"), hardlink("b", "a"), hardlink("c", "b")]))
    (item,) = found(first, second, "linkname", tmp_path)
    assert item.whole is not None
    assert values(item.whole.first)["link-group"] == values(item.whole.second)["link-group"]
    assert (values(item.whole.first)["link"], values(item.whole.second)["link"]) == (b"a", b"b")


def test_blobs_of_one_size_are_parted_by_their_headers_time(tmp_path: Path) -> None:
    layer = tar([file("f", b"x" * 500)])
    first, second, plain = (
        image(layer, compress=compress)
        for compress in (lambda data: gzip.compress(data, mtime=1), lambda data: gzip.compress(data, mtime=2), bytes)
    )
    (item,) = found(first, second, "digest", tmp_path)
    assert item.whole is not None
    assert values(item.whole.first)["layer-mtime"] == b"\1\0\0\0"
    assert values(item.whole.first)["layer-rest"] == values(item.whole.second)["layer-rest"]
    (item,) = found(first, plain, "digest", tmp_path)
    assert item.whole is None


def test_keys_in_another_order_are_a_difference_of_their_own(tmp_path: Path) -> None:
    layer = tar([file("f", b"x")])
    first = image(layer, config={"config": {"Labels": {"a": "1", "b": "2"}}})
    second = image(layer, config={"config": {"Labels": {"b": "3", "a": "1"}}})
    third = image(layer, config={"config": {"Labels": {"b": "3", "c": "4"}}})
    assert len(found(first, second, "encoding", tmp_path)) == 1
    assert found(first, third, "encoding", tmp_path) == []
    assert [item.field for item in compare(single(first), single(second), workspace=tmp_path).all_differences] == [
        "/config/Labels/b",
        "encoding",
    ]
