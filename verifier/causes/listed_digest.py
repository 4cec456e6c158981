"""A file lists the digest of another file that varies.

What varies: a digest in a list of checksums (`SHA256SUMS`, `app.sha256`, `md5sums`), in a manifest of a package, or in
an `integrity` attribute: it is that of a file of the same image which differs itself. Likewise the checksum by which a
stripped program refers to its debugging information (`.gnu_debuglink`), and the build ID that this has from it.

Why it matters: the list holds nothing of its own that varies. Who mends what varies in the file has mended the list.

How it is recognised: by computing it. On each side the digests of all files that differ are taken, and a value is
claimed where it is one of them, of the same file on both sides: MD5, SHA-1, SHA-256, SHA-384 or SHA-512, in hexadecimal
digits or base64; in a program's link to its debugging information CRC-32. A build ID in a file that holds debugging
information alone is that of a program which differs. So this is proven. A digest of a file that the image does not
hold is not claimed.

Remedy: mend what varies in the file that is listed; its digest then stays.

Source: GNU coreutils, "md5sum invocation"; W3C, Subresource Integrity, 3.1 "Integrity metadata"; Python packaging,
"Recording installed projects", the RECORD file; GDB manual, "Debugging Information in Separate Files".
"""

from __future__ import annotations

from collections.abc import Iterator

from verifier.causes.cause import Cause, Claim, Place, SideContext
from verifier.formats.field import Field
from verifier.formats.written_digests import digests_in

__all__ = ["cause"]


def _normalise(field: Field, place: Place, side: SideContext) -> Iterator[Claim]:
    if not side.digests or place.field != "content":
        return
    claims = []
    for start, end, form, value in digests_in(field):
        known = side.digests.get(value)
        if known is not None:
            claims.append(Claim(start, end, f"{known}, {form}"))
    yield from sorted(claims)


cause = Cause(
    slug="listed-digest",
    page=__doc__ or "",
    remedy="mend what varies in the file that is listed: its digest then stays",
    normalise=_normalise,
)
