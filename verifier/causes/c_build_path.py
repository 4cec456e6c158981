"""A compiled program holds the path of the folder where it was built.

What varies: a made-up part of a path: in DWARF's `DW_AT_comp_dir`, `DW_AT_name` and line tables, in `__FILE__`, in the
name of a temporary object; and the build ID that the linker makes of the whole.

Why it matters: a build in `mktemp -d` makes another program every time, though its code is the same.

How it is recognised: in the strings of an ELF file that is neither Go's nor Rust's, in any path, in archives too: a
component of a path of the forms that mktemp, tempfile and compilers make up. A build ID that alone differs says that
something differed which was stripped since: as a rule debugging information with such a path; in a file that holds
debugging information alone it is the program's, and says nothing. A made-up name is taken as given: hence this is never
called proven.

Remedy: build in a folder with a fixed name (`WORKDIR /src`), or compile with `-ffile-prefix-map=$PWD=/src`.

Source: GCC, "Overall Options", -ffile-prefix-map; https://reproducible-builds.org/docs/build-path/.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from verifier.causes.cause import Cause, Claim, Place, SideContext
from verifier.causes.temporary_paths import claim_temporary_names
from verifier.formats.elf_sections import COPIED_BUILD_ID
from verifier.formats.elf_strings import STRINGS, order_of
from verifier.formats.field import Field

__all__ = ["cause"]

_BUILD_ID_BYTES: Final = (8, 20)
"""What linkers make of a file's content (xxhash, SHA-1); 16 bytes may be MD5, or chance (`--build-id=uuid`)."""


def _normalise(field: Field, place: Place, side: SideContext) -> Iterator[Claim]:  # noqa: ARG001
    if place.field != "content":
        return
    if field.kind == STRINGS:
        yield from claim_temporary_names(field.value)
    elif field.kind == order_of(STRINGS):
        yield Claim(0, len(field.value), "order of strings", follows=True)
    elif field.kind == "build-id" and len(field.value) in _BUILD_ID_BYTES:
        yield Claim(0, len(field.value), "build ID", opaque=True, follows=True)
    elif field.kind == COPIED_BUILD_ID:
        yield Claim(0, len(field.value), "build ID", opaque=True, follows=True, dependent=True)


cause = Cause(
    slug="c-build-path",
    page=__doc__ or "",
    remedy="build in a folder with a fixed name, or compile with -ffile-prefix-map=$PWD=/src",
    normalise=_normalise,
)
