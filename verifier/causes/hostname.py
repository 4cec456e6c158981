"""The build container's name is recorded.

What varies: the host name that the builder gives its container: 12 hexadecimal digits of the container's ID on the
classic engine and on Buildah, `buildkitsandbox` on BuildKit.

Why it matters: the name is another one in every build, and a configuration that holds it is wrong at run time.

How it is recognised: in text, as a word that is a name which this side's containers are known to have had: the
classic engine's log tells, BuildKit's is a constant or a build argument. Where the names are not known, as 12
hexadecimal digits that are the whole of it or stand behind `@`, `hostname=`, `"hostname": `, `myhostname = `,
printcap's `:rm=`, uname's `Linux ` or Debian's "FQDN, using", on a builder that names its containers so. That the
host's name was meant cannot be checked: hence this is never called proven. In the Dockerfile, by `hostname`,
`uname -n`, `$HOSTNAME` and `/etc/hostname` whose value is kept.

Remedy: do not record the name: ask for it when the container starts.

Source: docker run reference, `--hostname`; BuildKit, "frontend option hostname".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from verifier.causes.cause import Cause, Claim, Place, SideContext
from verifier.causes.rules.build_facts import host_name_risks
from verifier.formats.field import Field

__all__ = ["cause"]

_BUILDERS: Final = ("docker", "buildah", "podman")
_NAME: Final = re.compile(
    rb"(?:(?<=@)|(?<=(?i:hostname)=)|(?<=\"(?i:hostname)\": \")|(?<=\"(?i:hostname)\":\")"
    rb"|(?<=:rm=)|(?<=^myhostname = )|(?<=^Linux )|(?<=FQDN, using '))([0-9a-f]{12})(?![0-9A-Za-z])"
    rb"|\A([0-9a-f]{12})\n?\Z",
    re.MULTILINE,
)


def _normalise(field: Field, place: Place, side: SideContext) -> Iterator[Claim]:
    if place.field != "content" or field.kind != "text":
        return
    spans = _known(field.value, side)
    if side.builder in _BUILDERS:
        spans |= {match.span(1 if match[1] is not None else 2) for match in _NAME.finditer(field.value)}
    for start, end in sorted(spans):
        yield Claim(start, end, "container's name")


def _known(text: bytes, side: SideContext) -> set[tuple[int, int]]:
    """Find the names that this side's containers had, as whole words."""
    if not side.host_names:
        return set()
    names = b"|".join(re.escape(name.encode()) for name in sorted(side.host_names))
    return {match.span() for match in re.finditer(rb"(?<![\w.-])(?:" + names + rb")(?![\w-])", text)}


cause = Cause(
    slug="hostname",
    page=__doc__ or "",
    remedy="ask for the host's name when the container starts, not when the image is built",
    opaque=True,
    normalise=_normalise,
    risk=host_name_risks,
)
