"""Entries of two layers: every field, one-sided entries, duplicates, order, header encoding, what is between them."""

from __future__ import annotations

import gzip
import random
import tarfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.compare.layer_images import (
    Entry,
    compare_layers_of,
    digest_of,
    fields,
    file,
    folder,
    hardlink,
    image,
    layer_facts,
    mirrored,
    single,
    symlink,
    tar,
)
from verifier.compare import compare
from verifier.errors import MalformedImageError

XATTR = (("SCHILY.xattr.security.capability", "cap"),)


def facts(first: list[Entry], second: list[Entry], workspace: Path) -> list[tuple[str | None, str, Any, Any]]:
    return layer_facts(compare_layers_of([tar(first)], [tar(second)], workspace))


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"mode": 0o4755}, ("mode", "0644", "4755")),
        ({"uid": 1000}, ("uid", 0, 1000)),
        ({"gid": 1000}, ("gid", 0, 1000)),
        ({"uname": "me"}, ("uname", "", "me")),
        ({"gname": "us"}, ("gname", "", "us")),
        ({"mtime": 1_700_000_001}, ("mtime", "1700000000", "1700000001")),
        ({"mtime": 1_700_000_000.5}, ("mtime", "1700000000", "1700000000.5")),
        ({"pax": XATTR}, ("xattr:security.capability", None, "Y2Fw")),
        ({"content": b"other"}, ("content", digest_of(b"hello"), digest_of(b"other"))),
    ],
)
def test_one_field(tmp_path: Path, change: dict[str, Any], expected: tuple[str, Any, Any]) -> None:
    entry = file("etc/x", b"hello")
    found = facts([entry, file("y")], [replace(entry, **change), file("y")], tmp_path)
    assert found == [("/etc/x", *expected)]


def test_every_differing_field_is_reported_and_not_only_the_first(tmp_path: Path) -> None:
    first = file("x", b"hello", mode=0o600, uid=1, mtime=1)
    second = file("x", b"longer content", mode=0o644, gid=2, uname="u", mtime=2)
    assert {name for _, name, _, _ in facts([first], [second], tmp_path)} == {
        "mode",
        "uid",
        "gid",
        "uname",
        "mtime",
        "size",
        "content",
    }


def test_links_and_devices(tmp_path: Path) -> None:
    first = [symlink("l", "a"), hardlink("h", "l"), Entry("d", type=tarfile.CHRTYPE, device=(1, 3))]
    second = [symlink("l", "b"), hardlink("h", "./l"), Entry("d", type=tarfile.CHRTYPE, device=(1, 5))]
    assert facts(first, second, tmp_path) == [
        ("/d", "device", "1:3", "1:5"),
        ("/h", "linkname", "l", "./l"),
        ("/l", "linkname", "a", "b"),
    ]


def test_another_type(tmp_path: Path) -> None:
    found = facts([file("x", b"hello")], [symlink("x", "y", mode=0o644)], tmp_path)
    assert found == [
        ("/x", "type", "file", "symlink"),
        ("/x", "size", 5, 0),
        ("/x", "linkname", "", "y"),
        ("/x", "content", digest_of(b"hello"), None),
    ]


def test_entries_and_whiteouts_on_one_side(tmp_path: Path) -> None:
    base = [folder("a"), file("a/x", b"1"), file("b")]
    extra = [
        folder("a"),
        file("a/.wh.gone"),
        file("a/.wh..wh..opq"),
        file("a/new", b"2"),
        file("a/x", b"1"),
        file("b"),
        symlink("z", "b"),
    ]
    assert facts(base, extra, tmp_path) == [
        ("/a/.wh..wh..opq", "whiteout", None, "opaque"),
        ("/a/.wh.gone", "whiteout", None, "whiteout"),
        ("/a/new", "entry", None, "file"),
        ("/z", "entry", None, "symlink"),
    ]


def test_duplicates_are_told_apart_by_occurrence(tmp_path: Path) -> None:
    first = [file("x", b"1"), file("x", b"2"), file("x", b"3")]
    second = [file("x", b"1"), file("x", b"zwei")]
    found = compare_layers_of([tar(first)], [tar(second)], tmp_path).images[0].differences
    named = [(item.occurrence, item.field) for item in found if item.part == "layer" and item.path]
    assert named == [(1, "size"), (1, "content"), (2, "entry")]


def test_order_is_one_difference(tmp_path: Path) -> None:
    entries = [file(f"f{number}", b"%d" % number) for number in range(50)]
    moved = [*entries[:10], entries[40], *entries[10:40], *entries[41:]]
    assert facts(entries, moved, tmp_path) == [
        (None, "order", {"index": 10, "path": "/f10"}, {"index": 10, "path": "/f40"})
    ]


def test_an_entry_too_many_is_no_other_order(tmp_path: Path) -> None:
    entries = [file(f"f{number}") for number in range(20)]
    assert facts(entries, [file("zz"), *entries], tmp_path) == [("/zz", "entry", None, "file")]


def test_header_encoding_alone(tmp_path: Path) -> None:
    entries = [file("x", b"hello"), folder("d")]
    found = layer_facts(
        compare_layers_of([tar(entries, tarfile.USTAR_FORMAT)], [tar(entries, tarfile.GNU_FORMAT)], tmp_path)
    )
    assert [item[:2] for item in found] == [("/d", "header"), ("/x", "header")]
    # the checksum follows, and then the magic
    assert [value.split(" ")[-1] for value in found[0][2:]] == ["262:003030", "262:202000"]


def test_header_encoding_beside_another_difference(tmp_path: Path) -> None:
    first, second = file("x", b"hello", mtime=1), file("x", b"hello", mtime=2)
    found = layer_facts(
        compare_layers_of([tar([first], tarfile.USTAR_FORMAT)], [tar([second], tarfile.GNU_FORMAT)], tmp_path)
    )
    assert [item[1] for item in found] == ["mtime", "header"]


@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_a_field_explains_its_own_bytes_and_records(tmp_path: Path, form: int) -> None:
    pax = form == tarfile.PAX_FORMAT
    first = file("é" * 40 + "/" + "é" * 40, b"hello", mtime=1.25 if pax else 1, uid=5, pax=XATTR if pax else ())
    second = replace(first, mtime=20000.125 if pax else 2, mode=0o600)
    found = layer_facts(compare_layers_of([tar([first], form)], [tar([second], form)], tmp_path))
    assert [item[1] for item in found] == ["mode", "mtime"]


def test_extension_header_is_compared_beside_what_it_explains(tmp_path: Path) -> None:
    first, second = tar([file("x", mtime=1.5)]), tar([file("x", mtime=2.5)])
    assert [item[1] for item in layer_facts(compare_layers_of([first], [second], tmp_path))] == ["mtime"]
    renamed = bytearray(second)
    renamed[3] = ord("X")
    renamed[148:156] = b"%06o\0 " % (sum(renamed[:148]) + 256 + sum(renamed[156:512]))
    found = layer_facts(compare_layers_of([first], [bytes(renamed)], tmp_path))
    assert [item[1] for item in found] == ["mtime", "header"]


def test_unknown_pax_record_is_a_header_difference(tmp_path: Path) -> None:
    found = facts([file("x")], [file("x", pax=(("comment", "c"),))], tmp_path)
    assert [item[1] for item in found] == ["header"]


def test_name_encoding_is_a_header_difference(tmp_path: Path) -> None:
    assert [item[1] for item in facts([file("x")], [file("./x")], tmp_path)] == ["header"]


def test_padding_and_trailer(tmp_path: Path) -> None:
    plain = tar([file("x", b"hello")])
    padded = bytearray(plain)
    padded[512 + 5 : 512 + 8] = b"pad"
    found = layer_facts(compare_layers_of([plain], [bytes(padded)], tmp_path))
    assert [(path, name) for path, name, _, _ in found] == [("/x", "padding")]
    found = layer_facts(compare_layers_of([plain], [plain + b"hidden"], tmp_path))
    assert [(path, name, a["size"], b["size"]) for path, name, a, b in found] == [(None, "trailer", 1024, 1030)]


def test_contents_of_other_sizes_do_not_make_the_padding_differ(tmp_path: Path) -> None:
    assert fields(compare_layers_of([tar([file("x", b"1")])], [tar([file("x", b"22")])], tmp_path)) == {
        ("/x", "size"),
        ("/x", "content"),
    }


def test_visibility(tmp_path: Path) -> None:
    bottom = [folder("d"), file("d/over", b"1"), file("d/gone", b"1"), file("d/here", b"1"), file("d/early", b"1")]
    changed = [folder("d", mtime=9), *(replace(entry, content=b"2") for entry in bottom[1:])]
    top = [file("d/over", b"top"), file("d/.wh.gone")]
    comparison = compare_layers_of([tar(bottom), tar(top)], [tar(changed), tar(top)], tmp_path)
    visible = {item.path: item.visible for item in comparison.all_differences if item.part == "layer"}
    assert visible == {b"/d": True, b"/d/over": False, b"/d/gone": False, b"/d/here": True, b"/d/early": True}
    assert comparison.images[0].first.files != comparison.images[0].second.files


def test_what_a_later_layer_hides_is_lost_in_files(tmp_path: Path) -> None:
    top = tar([file("x", b"top")])
    comparison = compare_layers_of([tar([file("x", b"1")]), top], [tar([file("x", b"2")]), top], tmp_path)
    assert comparison.images[0].first.files == comparison.images[0].second.files
    assert [item.visible for item in comparison.all_differences if item.part == "layer"] == [False]


def test_contents_in_another_order_have_their_regions(tmp_path: Path) -> None:
    source = random.Random(5)
    entries = [file(f"f{number:03d}", source.randbytes(3000)) for number in range(30)]
    original = entries[7].content or b""
    changed = list(entries)
    changed[7] = replace(entries[7], content=original[:100] + bytes([original[100] ^ 1]) + original[101:])
    source.shuffle(changed)
    comparison = compare_layers_of([tar(entries)], [tar(changed)], tmp_path)
    (found,) = [item for item in comparison.all_differences if item.field == "content"]
    assert found.content is not None
    assert [(region.offset_first, region.length_first) for region in found.content.regions] == [(100, 1)]
    assert found.content.complete
    assert list(tmp_path.iterdir()) == []


entry_lists = st.lists(
    st.builds(
        Entry,
        name=st.sampled_from(["a", "a/b", "a/c", "b", "d/.wh.x", "d/.wh..wh..opq", "d/x", "e"]),
        content=st.sampled_from([b"", b"1", b"22", b"x" * 2000]),
        mode=st.sampled_from([0o644, 0o755]),
        mtime=st.sampled_from([1, 2, 3.5]),
    ),
    max_size=7,
)


@settings(max_examples=150, deadline=None)
@given(st.lists(entry_lists, min_size=1, max_size=2), st.lists(entry_lists, min_size=1, max_size=2))
def test_mirrored_comparison_gives_mirrored_differences(
    tmp_path_factory: pytest.TempPathFactory, first: list[list[Entry]], second: list[list[Entry]]
) -> None:
    workspace = tmp_path_factory.mktemp("mirror")
    layers = [tar(entries) for entries in first]
    others = [tar(entries) for entries in second]
    there = compare_layers_of(layers, others, workspace).images[0]
    back = compare_layers_of(others, layers, workspace).images[0]
    assert (there.first.files, there.second.files) == (back.second.files, back.first.files)
    assert sorted(map(repr, map(mirrored, back.differences))) == sorted(
        repr(
            (
                item.part,
                item.layer and (item.layer.first, item.layer.second),
                item.path,
                item.occurrence,
                item.visible,
                item.field,
                item.first,
                item.second,
            )
        )
        for item in there.differences
    )
    if layers == others:
        assert not there.differences


@settings(max_examples=150, deadline=None)
@given(entry_lists.filter(bool), st.data())
def test_one_changed_byte_is_never_equal(
    tmp_path_factory: pytest.TempPathFactory, entries: list[Entry], data: st.DataObject
) -> None:
    layer = tar(entries)
    changed = bytearray(layer)
    changed[data.draw(st.integers(0, len(layer) - 1))] ^= data.draw(st.integers(1, 255))
    try:
        comparison = compare_layers_of([layer], [bytes(changed)], tmp_path_factory.mktemp("changed"))
    except MalformedImageError:
        return
    assert layer_facts(comparison)


@settings(max_examples=80, deadline=None)
@given(entry_lists, st.randoms(use_true_random=False))
def test_other_order_alone_is_never_more_than_order(
    tmp_path_factory: pytest.TempPathFactory, entries: list[Entry], source: random.Random
) -> None:
    unique = list({entry.name: entry for entry in entries}.values())
    shuffled = list(unique)
    source.shuffle(shuffled)
    comparison = compare_layers_of([tar(unique)], [tar(shuffled)], tmp_path_factory.mktemp("order"))
    assert {name for _, name in fields(comparison)} <= {"order"}


def test_equal_diff_id_under_another_digest_is_compression(tmp_path: Path) -> None:
    layer = tar([file("x", b"hello" * 100)])
    first, second = image(layer), image(layer, compress=lambda data: gzip.compress(data, 1, mtime=0))
    comparison = compare(single(first), single(second), workspace=tmp_path)
    assert [(item.part, item.field, item.first, item.second) for item in comparison.all_differences] == [
        ("layer", "digest", first.layers[0].descriptor.digest, second.layers[0].descriptor.digest)
    ]
    assert comparison.images[0].first.files == comparison.images[0].second.files
