"""An extended attribute comes from the machine that builds.

What varies: attributes that the host's file system or security module adds: `security.selinux`, `security.ima`,
`user.overlay.*`, `trusted.overlay.*`, `user.fuseoverlayfs.*`, `com.apple.*`.

Why it matters: they get into the tar header of the layer (`SCHILY.xattr.…`) on one machine, and on another they do not.

How it is recognised: by name. `security.capability`, which lets a program do more, and access control lists are never
claimed. What the value should be is not known: hence this is never called proven.

Remedy: build on the same file system and with the same security module on both sides, or with a builder that leaves
these attributes out.

Source: xattr(7); Linux, Documentation/filesystems/overlayfs.rst; libarchive, tar(5), "SCHILY.xattr".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from verifier.causes.cause import HEADERS, Cause, Claim, Place, SideContext
from verifier.formats.field import Field

__all__ = ["cause"]

_OF_THE_HOST: Final = re.compile(
    r"xattr:(?:security\.(?:selinux|ima|evm|SMACK64\w*|apparmor)|(?:user|trusted)\.overlay\..+|user\.fuseoverlayfs\..+"
    r"|com\.apple\..+)"
)


def _normalise(field: Field, place: Place, side: SideContext) -> Iterator[Claim]:  # noqa: ARG001
    if place.part == "layer" and field.kind == "xattr" and _OF_THE_HOST.fullmatch(place.field):
        yield Claim(0, len(field.value), "attribute, there or not")


cause = Cause(
    slug="xattr",
    page=__doc__ or "",
    remedy="build on the same file system and with the same security module on both sides",
    severity="note",
    opaque=True,
    reach=HEADERS,
    normalise=_normalise,
)
