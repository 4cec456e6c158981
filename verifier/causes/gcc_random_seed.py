"""gcc makes up a number for every object that it leaves to the linker.

What varies: the hexadecimal number at the end of section names (`.gnu.lto_.decls.b7ae6f47899bff45`) in objects and
static libraries compiled with `-flto`, and in symbols that stand for a whole file (`_GLOBAL__sub_I_…_0x…`).

Why it matters: without `-frandom-seed=` gcc takes it from the clock or from /dev/urandom; a static library built with
link-time optimisation never comes out the same.

How it is recognised: in an ELF object, by the grammar of these names, in any path, in archives too; names of another
length, and what they move, do not count. The number is taken as given: hence this is never called proven.

Remedy: `-frandom-seed=` with something of the source, such as its name: `gcc -flto -frandom-seed=$< -c $<`.

Source: GCC, "Developer Options", -frandom-seed; gcc/lto-section-out, `lto_get_section_name`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from verifier.causes.cause import Cause, Claim, Place, SideContext
from verifier.formats.elf_strings import STRING_KINDS
from verifier.formats.field import Field

__all__ = ["cause"]

_SECTION: Final = re.compile(rb"\.gnu\.(?:debug|offload_)?lto_[^\0]*\.([0-9a-f]{1,16})(?=\0)")
_SYMBOL: Final = re.compile(rb"_GLOBAL__(?:sub_)?[A-Z]_[^\0]*_[0-9A-F]{8}_(0x[0-9a-f]{1,16})(?=\0)")


def _normalise(field: Field, place: Place, side: SideContext) -> Iterator[Claim]:  # noqa: ARG001
    if place.field != "content":
        return
    pattern = _SECTION if field.kind == "section-names" else _SYMBOL if field.kind in STRING_KINDS else None
    if pattern is not None:
        for match in pattern.finditer(field.value):
            yield Claim(match.start(1), match.end(1), "random seed", opaque=True)


cause = Cause(
    slug="gcc-random-seed",
    page=__doc__ or "",
    remedy="compile with -frandom-seed= and something of the source, such as its name",
    normalise=_normalise,
)
