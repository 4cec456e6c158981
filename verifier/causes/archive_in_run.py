"""A RUN makes an archive, which records the times of its members.

What varies: MTIME in a gzip header (bytes 4 to 7), and the mtimes in a tar inside the image.

Why it matters: the archive's content is the same, the archive is not.

How it is recognised: by the formats, in any path, archives in archives too; each time lies within its own build's
window.

Remedy: `tar --sort=name --mtime=@$SOURCE_DATE_EPOCH --owner=0 --group=0 --numeric-owner`, and `gzip -n`. Where
another program calls tar (`make dist`), export these as TAR_OPTIONS; for Gradle's archives set
`preserveFileTimestamps = false` and `reproducibleFileOrder = true`.

Source: RFC 1952, section 2.3; https://reproducible-builds.org/docs/archives/.
"""

from __future__ import annotations

from collections.abc import Iterator

from verifier.causes.cause import Cause, Claim, Place, SideContext
from verifier.causes.moments import is_of_build
from verifier.causes.rules.leftovers import archive_risks
from verifier.formats.field import Field

__all__ = ["cause"]


def _normalise(field: Field, place: Place, side: SideContext) -> Iterator[Claim]:  # noqa: ARG001
    if field.kind == "gzip-mtime":
        moment = int.from_bytes(field.value, "little")
        if moment and is_of_build(side, moment):
            yield Claim(0, 4, "MTIME")
    elif field.kind == "tar-mtime":
        digits = field.value.rstrip(b" \0")
        if digits.isdigit() and digits.strip(b"01234567") == b"" and is_of_build(side, int(digits, 8)):
            yield Claim(0, len(digits), "octal seconds")


cause = Cause(
    slug="archive-in-run",
    page=__doc__ or "",
    remedy="tar --sort=name --mtime=@$SOURCE_DATE_EPOCH --owner=0 --group=0 --numeric-owner, and gzip -n",
    timed=True,
    normalise=_normalise,
    risk=archive_risks,
)
