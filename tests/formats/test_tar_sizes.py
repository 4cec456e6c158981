"""A tar member's size follows from its content where it is written as usual; nothing hides behind that."""

from __future__ import annotations

import gzip

import pytest

from tests.causes.sides import FIRST, SECOND, at, causes, explain_contents
from tests.compare.layer_images import file, tar
from verifier.causes.cause import Place, SideContext
from verifier.causes.counterfactual import replace_claims
from verifier.formats.field import Field
from verifier.formats.unfold import unfold


def digest(data: bytes) -> bytes:
    return replace_claims(unfold(data), Place(part="layer", field="content"), SideContext(), ()).digest


def with_checksum(data: bytes, form: bytes = b"%06o\0 ") -> bytes:
    total = sum(data[:148]) + 8 * 0x20 + sum(data[156:512])
    return data[:148] + form % total + data[156:]


def derived(data: bytes) -> set[str]:
    return {part.name for part in unfold(data).parts if isinstance(part, Field) and part.derived}


def test_what_follows_is_told_so() -> None:
    assert derived(tar([file("f", b"text")])) >= {"f: size", "f: padding", "f: checksum"}
    assert "f: size" not in derived(tar([file("f", b"")]))


@pytest.mark.parametrize("size", [b"0000000004 \0", b"       4\0\0\0\0", b"4\0\0\0\0\0\0\0\0\0\0\0"])
def test_another_way_of_writing_a_size_is_kept(size: bytes) -> None:
    data = tar([file("f", b"text")])
    other = with_checksum(data[:124] + size + data[136:])
    assert "f: size" not in derived(other)
    assert digest(other) != digest(data)


CHECKSUMS = (b"%07o\0", b"%06o\0 ", b"%06o\0\0", b"%07o ", b"%06o  ")


@pytest.mark.parametrize("form", CHECKSUMS)
def test_a_checksum_follows_however_it_ends(form: bytes) -> None:
    # git archive and Erlang's erl_tar write seven digits
    first, second = (
        with_checksum(tar([file("f", at(moment, "%Y-%m-%d %H:%M:%S\n"), mtime=int(moment))]), form)
        for moment in (FIRST + 4, SECOND + 49)
    )
    assert "residue" not in causes(explain_contents(first, second))


def test_two_ways_of_writing_a_checksum_are_two_archives() -> None:
    data = tar([file("f", b"text")])
    assert len({digest(with_checksum(data, form)) for form in CHECKSUMS}) == len(CHECKSUMS)
    assert len({digest(with_checksum(tar([file("f", text)]), CHECKSUMS[0])) for text in (b"text", b"tens")}) == 2


def test_what_stands_in_the_padding_is_kept() -> None:
    data = bytearray(tar([file("f", b"text")]))
    data[600] = 1
    assert "f: padding" not in derived(bytes(data))
    assert digest(bytes(data)) != digest(tar([file("f", b"text")]))


def test_another_content_of_another_size_is_another_archive() -> None:
    assert digest(tar([file("f", b"text")])) != digest(tar([file("f", b"text\n")]))
    assert digest(tar([file("f", b"text")])) != digest(tar([file("f", b"")]))


def test_a_compressed_member_may_have_another_size() -> None:
    # the later date repeats digits, and takes two bytes less
    logs = [gzip.compress(at(moment, "%Y-%m-%d %H:%M:%S\n"), mtime=0) for moment in (FIRST + 4, SECOND + 49)]
    assert len(logs[0]) != len(logs[1])
    first, second = (tar([file("log.gz", log, mtime=0)]) for log in logs)
    assert causes(explain_contents(first, second)) == ["embedded-timestamp"]
    other = tar([file("log.gz", gzip.compress(gzip.decompress(logs[1]) + b"x", mtime=0), mtime=0)])
    assert causes(explain_contents(first, other)) == ["residue"]
