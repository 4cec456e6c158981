"""Go programs with embedded files: their digests follow from the files."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Callable

import pytest

from tests.causes.sides import FIRST, SECOND, at, causes, explain_contents
from tests.formats.elf_files import Part, code, elf

TABLE = 64
"""Where the table of files stands in the data."""


def inverted(data: bytes) -> bytes:
    """Digest as compilers up to Go 1.23 do."""
    return bytes(255 - byte for byte in hashlib.sha256(data).digest())


def straight(data: bytes) -> bytes:
    """Digest as later ones do."""
    return hashlib.sha256(data).digest()


def program(content: bytes, digest: bytes, *, wide: bool = True, order: str = "<", length: int | None = None) -> bytes:
    """Write a program with one embedded file; its data is at address 0."""
    words = struct.pack(order + ("4Q" if wide else "4I"), 1, 12, 16, len(content) if length is None else length)
    data = b"\0static/a.txt" + bytes(3) + content
    data += bytes(TABLE - len(data)) + words + digest[:16] + bytes(16)
    marked = Part(".go.buildinfo", b"\xff Go buildinf:")
    return elf([marked, code(), Part(".rodata", data, alignment=8)], wide=wide, order=order)


@pytest.mark.parametrize("digest", [inverted, straight])
@pytest.mark.parametrize(("wide", "order"), [(True, "<"), (True, ">"), (False, "<"), (False, ">")])
def test_a_digest_follows_from_its_file(digest: Callable[[bytes], bytes], wide: bool, order: str) -> None:
    dates = [at(moment + 4, "%Y-%m-%dT%H:%M:%SZ\n") for moment in (FIRST, SECOND)]
    made = [program(date, digest(date), wide=wide, order=order) for date in dates]
    assert causes(explain_contents(*made)) == ["embedded-timestamp"]


def test_a_digest_of_something_else_is_left() -> None:
    dates = [at(moment + 4, "%Y-%m-%dT%H:%M:%SZ\n") for moment in (FIRST, SECOND)]
    wrong = [program(date, straight(date + b"-")) for date in dates]
    assert causes(explain_contents(*wrong))[-1] == "residue"
    shorter = [program(date, straight(date), length=len(date) - 1) for date in dates]
    assert causes(explain_contents(*shorter))[-1] == "residue"


def test_what_varies_in_the_file_is_not_hidden() -> None:
    made = [program(content, straight(content)) for content in (b"one", b"two")]
    assert causes(explain_contents(*made)) == ["residue"]


def test_the_digests_form_counts() -> None:
    content = b"the same"
    assert causes(explain_contents(program(content, straight(content)), program(content, inverted(content)))) == [
        "residue"
    ]
