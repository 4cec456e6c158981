"""An initial RAM disk is packed while the image is built.

What varies: in a cpio archive, which an initrd is, the times, inode numbers and devices of its members; and the name
of mkinitramfs's temporary file in the header of the gzip stream around it.

Why it matters: a kernel package, and everything that triggers `update-initramfs`, packs it anew.

How it is recognised: by the format (newc, crc, odc), in any path, one archive behind the other, the last one
compressed. The times lie within their own build's window; inode and device numbers count only in such an archive, and
which members are links of one file must stay. The temporary name has mkinitramfs's form and is random: with it a
finding is never proven.

Remedy: `ARG SOURCE_DATE_EPOCH` in the stage makes mkinitramfs and dracut pack with fixed times and numbers; in an image
that boots nothing, remove `/boot/initrd.img-*`.

Source: Linux, Documentation/driver-api/early-userspace/buffer-format.rst; mkinitramfs(8); cpio(1), `--reproducible`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from verifier.causes.cause import Cause, Claim, Place, SideContext
from verifier.causes.moments import is_of_build
from verifier.formats.field import Field

__all__ = ["cause"]

_BASES: Final = {"cpio-mtime": 16, "cpio-mtime-odc": 8}
_TEMPORARY: Final = re.compile(rb"mkinitramfs[-A-Z]*_([A-Za-z0-9]{6})\0")
_FORMS: Final = {"cpio-inode": "inode", "cpio-device": "device"}


def _normalise(field: Field, place: Place, side: SideContext) -> Iterator[Claim]:  # noqa: ARG001
    form = _FORMS.get(field.kind)
    if field.kind in _BASES and is_of_build(side, int(field.value, _BASES[field.kind])):
        form = "seconds"
    if form is not None:
        yield Claim(0, len(field.value), form)
    elif field.name == "name" and (found := _TEMPORARY.fullmatch(field.value)):
        yield Claim(found.start(1), found.end(1), "temporary name", opaque=True)


cause = Cause(
    slug="initrd",
    page=__doc__ or "",
    remedy="declare ARG SOURCE_DATE_EPOCH in the stage, or remove /boot/initrd.img-* in the same RUN",
    timed=True,
    normalise=_normalise,
)
