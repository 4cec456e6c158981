"""References in debugging information: every form is stepped over rightly, and damage ends the reading."""

from __future__ import annotations

import struct

import pytest

from verifier.formats import dwarf_references
from verifier.formats.dwarf_references import LINE_STR, STR, Reference, references_of

FORMS = {
    # form: its bytes in a 32-bit unit of version 5 with addresses of 8 bytes
    0x01: bytes(8),
    0x03: b"\2\0ab",
    0x04: b"\2\0\0\0ab",
    0x05: bytes(2),
    0x06: bytes(4),
    0x07: bytes(8),
    0x08: b"text\0",
    0x09: b"\3abc",
    0x0A: b"\3abc",
    0x0B: b"\1",
    0x0D: b"\xff\x7f",
    0x0F: b"\x80\x80\1",
    0x10: bytes(4),
    0x16: b"\x0b\7",
    0x17: bytes(4),
    0x18: b"\1\x9c",
    0x19: b"",
    0x1A: b"\5",
    0x1E: bytes(16),
    0x20: bytes(8),
    0x27: bytes(3),
}


def unit(values: bytes, *, version: int = 5, order: str = "<") -> bytes:
    head = struct.pack(order + "HBBI", 5, 1, 8, 0) if version == 5 else struct.pack(order + "HIB", version, 0, 8)
    return struct.pack(order + "I", len(head + values)) + head + values


def abbreviation(*forms: int) -> bytes:
    return b"\1\x11\0" + b"".join(b"\3" + bytes((form,)) for form in forms) + b"\0\0\0"


def read(values: bytes, *forms: int) -> list[Reference]:
    sections = {".debug_abbrev": abbreviation(*forms), ".debug_info": unit(values)}
    return references_of(sections, little=True)[".debug_info"]


@pytest.mark.parametrize("form", FORMS)
def test_a_reference_behind_any_form(form: int) -> None:
    start = 12 + 1 + len(FORMS[form])
    assert read(b"\1" + FORMS[form] + bytes(4), form, 0x0E) == [Reference(start, 4, STR)]
    assert read(b"\1" + bytes(4) + FORMS[form] + b"\0", 0x1F, form) == [Reference(13, 4, LINE_STR)]


def test_units_one_behind_the_other() -> None:
    content = unit(b"\1" + bytes(4)) + unit(b"\1" + bytes(4) + b"\1" + bytes(4))
    found = references_of({".debug_abbrev": abbreviation(0x0E), ".debug_info": content}, little=True)
    assert [item.position for item in found[".debug_info"]] == [13, 30, 35]


def test_names_of_a_line_table() -> None:
    tail = b"\1\1\1\xfb\x0e\2" + b"\0"
    names = b"\1\1\x1f\2" + bytes(8) + b"\2\1\x1f\2\x0b\1" + bytes(4) + b"\0"
    body = struct.pack("<BBI", 8, 0, len(tail + names)) + tail + names
    content = struct.pack("<IH", 2 + len(body), 5) + body
    found = references_of({".debug_line": content}, little=True)[".debug_line"]
    start = 4 + 2 + 6 + len(tail) + 4
    assert [item.position for item in found] == [start, start + 4, start + 8 + 6]


def test_offsets_of_strings() -> None:
    content = struct.pack("<IHH", 4 + 8, 5, 0) + bytes(8)
    found = references_of({".debug_str_offsets": content}, little=True)[".debug_str_offsets"]
    assert found == [Reference(8, 4, STR), Reference(12, 4, STR)]


@pytest.mark.parametrize(
    ("values", "forms"),
    [
        (b"\2", (0x0E,)),
        (b"\1\0", (0x0E,)),
        (b"\1\0", (0x7F,)),
        (b"\1" + b"\x16" * 50_000, (0x16,)),
        (b"\1" + b"\xff" * 50, (0x0F,)),
        (b"\1\xff\xff\xff\xff\x0f", (0x09,)),
        (b"\1text without an end", (0x08,)),
    ],
)
def test_damage_ends_the_reading(values: bytes, forms: tuple[int, ...]) -> None:
    with pytest.raises((ValueError, IndexError)):
        read(values, *forms)


def test_names_that_take_no_bytes_are_refused() -> None:
    body = struct.pack("<BBI", 8, 0, 0) + b"\1\1\1\xfb\x0e\1" + b"\1\1\x19" + b"\xff" * 8 + b"\x7f"
    with pytest.raises((ValueError, IndexError)):
        references_of({".debug_line": struct.pack("<IH", 2 + len(body), 5) + body}, little=True)


def test_entries_of_many_values_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dwarf_references, "_MAX_STEPS", 1_000)
    assert read((b"\1" + b"\0" * 100) * 9, *[0x0D] * 100) == []
    with pytest.raises(ValueError, match="too much"):
        read((b"\1" + b"\0" * 100) * 10, *[0x0D] * 100)
    # neighbours of fixed sizes are one step, and those of no size none
    assert read(b"\1" * 900, *[0x19] * 100) == []
