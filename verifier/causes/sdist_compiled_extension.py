"""pip compiled a Python extension in a folder with a made-up name.

What varies: the folder's name (`/tmp/pip-install-k2x9q_1a/project_<32 hex>`) in a `*.so` below `site-packages`, or its
build ID alone where that was stripped; the line of the project's `RECORD` that holds the library's digest and size;
a `__config__.py` or the like that notes the path.

Why it matters: every install from a source distribution (`--no-binary`, or where no wheel fits) makes another library.

How it is recognised: in an ELF file below `site-packages` or `dist-packages`, or in a wheel, by a path of the forms
that pip and its like make up, and by the build ID; in text there by pip's own folders; in a `RECORD` by the lines of
shared libraries. Names and digests are taken as given: hence this is never called proven.

Remedy: install a wheel (`--only-binary :all:`), or build the wheel once and install that; else give the compiler
`CFLAGS=-g0 -ffile-prefix-map=…`.

Source: pip, "Build System Interface"; PyPA, "Recording installed projects", RECORD.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from verifier.causes.cause import Cause, Claim, Place, SideContext
from verifier.causes.temporary_paths import claim_temporary_names
from verifier.formats.elf_strings import RUST_STRINGS, STRINGS, order_of
from verifier.formats.field import Field

__all__ = ["cause"]

_PACKAGES: Final = re.compile(rb"/(?:site|dist)-packages/.|\.whl$|\.dist-info/RECORD$")
_LIBRARY: Final = re.compile(rb"/(?:site|dist)-packages/.*\.so(?:\.[0-9.]+)?$|\.whl$")
_RECORD: Final = re.compile(rb"/[^/]+\.dist-info/RECORD$|\.whl$")
_LINE: Final = re.compile(rb'^[^,\n"]+\.so(?:\.[0-9.]+)?,(sha256=[A-Za-z0-9_-]{43},\d+)\r?$', re.MULTILINE)
_OF_PIP: Final = (b"/tmp/pip-", b"/tmp/tmp")


def _normalise(field: Field, place: Place, side: SideContext) -> Iterator[Claim]:  # noqa: ARG001
    path = place.path or b""
    if place.field != "content" or not _PACKAGES.search(path):
        return
    if field.kind in (STRINGS, RUST_STRINGS) and _LIBRARY.search(path):
        yield from claim_temporary_names(field.value)
    elif field.kind in (order_of(STRINGS), order_of(RUST_STRINGS)) and _LIBRARY.search(path):
        yield Claim(0, len(field.value), "order of strings", follows=True)
    elif field.kind in ("build-id", "rust-build-id") and _LIBRARY.search(path):
        yield Claim(0, len(field.value), "build ID", opaque=True, follows=True)
    elif field.kind == "text" and _RECORD.search(path):
        for match in _LINE.finditer(field.value):
            yield Claim(match.start(1), match.end(1), "digest and size of a library", opaque=True, follows=True)
    elif field.kind == "text" and any(start in field.value for start in _OF_PIP):
        yield from claim_temporary_names(field.value)


cause = Cause(
    slug="sdist-compiled-extension",
    page=__doc__ or "",
    remedy="install wheels (pip install --only-binary :all:), or compile with CFLAGS=-g0 -ffile-prefix-map=…",
    normalise=_normalise,
)
