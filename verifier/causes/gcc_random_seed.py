"""gcc makes up a number for every object that it leaves to the linker.

What varies: the hexadecimal number at the end of section names (`.gnu.lto_.decls.b7ae6f47899bff45`) in objects and
static libraries compiled with `-flto`, and in symbols that stand for a whole file (`_GLOBAL__sub_I_…_0x…`). With
`--coverage` the stamp that notes (`.gcno`), counts (`.gcda`) and the program have in common.

Why it matters: without `-frandom-seed=` gcc takes it from the clock or from /dev/urandom; a static library built with
link-time optimisation never comes out the same.

How it is recognised: in an ELF object, by the grammar of these names, in any path, in archives too; names of another
length, and what they move, do not count. The number is taken as given: hence this is never called proven. A stamp is
the clock's milliseconds, of which a word is kept: claimed where it lies within the build's window, in these files'
headers and in a program behind the release of gcc and an empty pointer (`struct gcov_info`).

Remedy: `-frandom-seed=` with something of the source, such as its name: `gcc -flto -frandom-seed=$< -c $<`.

Source: GCC, "Developer Options", -frandom-seed; gcc/lto-section-out, `lto_get_section_name`; gcc/gcov-io.h;
gcc/coverage, `coverage_init`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, Literal

from verifier.causes.cause import CLOCK_SLACK, Cause, Claim, Place, SideContext
from verifier.formats.coverage_notes import STAMPS
from verifier.formats.elf_strings import STRING_KINDS
from verifier.formats.field import Field

__all__ = ["cause"]

_SECTION: Final = re.compile(rb"\.gnu\.(?:debug|offload_)?lto_[^\0]*\.([0-9a-f]{1,16})(?=\0)")
_SYMBOL: Final = re.compile(rb"_GLOBAL__(?:sub_)?[A-Z]_[^\0]*_[0-9A-F]{8}_(0x[0-9a-f]{1,16})(?=\0)")
_RELEASE: Final = re.compile(rb"(?:([*eR]\d\d[A-J])|[A-J]\d\d[*eR])(?=\0{4})")
_POINTERS: Final = (4, 12)
"""Bytes behind the release of gcc, where the list's next one will be: a pointer of 4, or of 8 at its alignment."""


def _normalise(field: Field, place: Place, side: SideContext) -> Iterator[Claim]:
    if place.field != "content":
        return
    if field.kind in STAMPS and _is_stamp(field.value, STAMPS[field.kind], side):
        yield Claim(0, len(field.value), "coverage stamp")
    pattern = _SECTION if field.kind == "section-names" else _SYMBOL if field.kind in STRING_KINDS else None
    if pattern is not None:
        for match in pattern.finditer(field.value):
            yield Claim(match.start(1), match.end(1), "random seed", opaque=True)
    if field.kind in STRING_KINDS:
        yield from _stamps(field.value, side)


def _stamps(value: bytes, side: SideContext) -> Iterator[Claim]:
    for match in _RELEASE.finditer(value):
        order: Literal["little", "big"] = "little" if match[1] else "big"
        for pointer in _POINTERS:
            start = match.end() + pointer
            is_empty = not value[match.end() : start].strip(b"\0")
            if is_empty and _is_stamp(value[start : start + 4], order, side):
                yield Claim(start, start + 4, "coverage stamp")
                break


def _is_stamp(value: bytes, order: Literal["little", "big"], side: SideContext) -> bool:
    """Tell whether a word is what a word holds of milliseconds since 1970, during the build."""
    if side.window is None or len(value) != 4:
        return False
    start = int((side.window.start - CLOCK_SLACK) * 1000)
    return (int.from_bytes(value, order) - start) % 2**32 <= int(side.window.end * 1000) - start


cause = Cause(
    slug="gcc-random-seed",
    page=__doc__ or "",
    remedy="compile with -frandom-seed= and something of the source, such as its name",
    normalise=_normalise,
)
