"""A file lists the digest or the size of another file that varies.

What varies: a digest in a list of checksums (`SHA256SUMS`, `app.sha256`, `md5sums`), in a manifest of a package, or in
an `integrity` attribute: it is that of a file of the same image which differs itself, or of another member of the same
archive (a wheel's RECORD, a Debian package's `md5sums`). Likewise the checksum by which a stripped program refers to
its debugging information (`.gnu_debuglink`), and the build ID that this has from it. And the size of such a file, as
`ls -l`, `stat`, `du -b`, a manifest or TeX's log tells it.

Why it matters: the list holds nothing of its own that varies. Who mends what varies in the file has mended the list.

How it is recognised: by computing it. On each side the digests of all files that differ are taken, and a value is
claimed where it is one of them, or that of a member of the same archive, of the same file on both sides: MD5, SHA-1,
SHA-256, SHA-384 or SHA-512, in hexadecimal digits or base64; in a program's link to its debugging information CRC-32. A
build ID in a file that holds debugging information alone is that of a program which differs. A list may also hold the
digest of its own beginning, with the size of that, where it was written into the folder that it lists (`apt-ftparchive
release . > Release`). A size, of a hundred bytes or more, is claimed where the name of a file of the image that has
it, and whose size differs, stands in the same line of a text. So this is proven. A digest or size of a file that the
image does not hold is not claimed.

Remedy: mend what varies in the file that is listed; its digest and its size then stay.

Source: GNU coreutils, "md5sum invocation"; W3C, Subresource Integrity, 3.1 "Integrity metadata"; Python packaging,
"Recording installed projects", the RECORD file; GDB manual, "Debugging Information in Separate Files".
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from typing import Final

from verifier.causes.cause import Cause, Claim, Place, SideContext
from verifier.formats.field import Field
from verifier.formats.written_digests import ALGORITHMS, digests_in
from verifier.formats.written_sizes import sizes_in

__all__ = ["cause"]

_SIZE: Final = re.compile(rb"[ \t]+(\d{1,4})[ \t]")
"""Bytes that are listed behind a digest; a list's beginning is short."""


def _normalise(field: Field, place: Place, side: SideContext) -> Iterator[Claim]:
    if place.field != "content" or not (side.digests or side.sizes):
        return
    claims = []
    for start, end, path in sizes_in(field, side.sizes):
        claims.append(Claim(start, end, f"size of {path.decode('utf-8', 'backslashreplace')}"))
    if not side.digests:
        yield from claims
        return
    for start, end, form, value in digests_in(field):
        known = side.digests.get(value) or _own_beginning(field.value, end, value)
        if known is not None:
            claims.append(Claim(start, end, f"{known}, {form}"))
    yield from sorted(claims)


def _own_beginning(text: bytes, end: int, digest: bytes) -> str | None:
    """Tell whether a size follows of so much of the text itself, and this is its digest."""
    size = _SIZE.match(text, end)
    if size is None or not 0 < int(size[1]) < end or len(digest) not in ALGORITHMS:
        return None
    name = ALGORITHMS[len(digest)]
    found = hashlib.new(name, text[: int(size[1])], usedforsecurity=False).digest()
    return f"{name} of its own first {int(size[1])} bytes" if found == digest else None


cause = Cause(
    slug="listed-digest",
    page=__doc__ or "",
    remedy="mend what varies in the file that is listed: its digest and size then stay",
    normalise=_normalise,
)
