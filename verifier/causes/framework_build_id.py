"""A web framework gives every build an identity.

What varies: what a framework makes up where nobody sets it. Next.js: the build ID, 21 characters, in `BUILD_ID`, in the
name of a folder below `_next/static`, in every page; the keys of its preview mode; the key that encrypts server
actions. SvelteKit: the version, which is the time of the build, and a digest over it in the name of a global variable.
Nuxt: the build ID, a UUID, in the name of a file and in every page.

Why it matters: one such value changes every page and every bundle that holds it, and with bundles their names. Two
replicas that were built apart disagree: browsers load pages anew, and server actions fail.

How it is recognised: each side's own files tell what its framework made up: `BUILD_ID`, `prerender-manifest.json`,
`server-reference-manifest.json`, `version.json`, `builds/latest.json`, if it has the form of what is made up. That
value is claimed wherever it stands in a text or a name, on that side. A version must be a time of the build; its digest
is computed. The others are taken as given: hence these are never called proven.

Remedy: set them from the commit. Next.js: `generateBuildId` in next.config.js, NEXT_SERVER_ACTIONS_ENCRYPTION_KEY in
the build's environment; the keys of the preview mode are taken from `.next/cache/.previewinfo` if it is there, hold
no secret where that mode is not used, and are new in any image that is built without that file. SvelteKit:
`kit.version.name` in svelte.config.js. Nuxt: `buildId` in nuxt.config.ts, and `experimental.appManifest: false`.

Source: Next.js documentation, "generateBuildId", "Self-Hosting"; SvelteKit documentation, "Configuration", `version`;
Nuxt documentation, "Nuxt Configuration", `buildId`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from verifier.causes.cause import Cause, Claim, NewName, Place, SideContext
from verifier.formats.build_identity import Identity
from verifier.formats.field import Field

__all__ = ["cause"]


def _found(value: bytes, side: SideContext) -> list[tuple[int, int, Identity]]:
    """Find the side's identities, ascending; of two at one place, the longer one first."""
    found = [(*match.span(), one) for one in side.identities for match in re.finditer(one.pattern, value)]
    return sorted(found, key=lambda item: (item[0], -item[1]))


def _normalise(field: Field, place: Place, side: SideContext) -> Iterator[Claim]:
    is_plain = field.kind == "text" or (field.kind == "bytes" and not field.name)
    if side.identities and place.field == "content" and is_plain:
        end = 0
        for start, stop, identity in _found(field.value, side):
            if start >= end:
                end = stop
                yield Claim(start, stop, identity.form, opaque=identity.opaque)


def _rename(place: Place, side: SideContext) -> NewName | None:
    path, renamed, end = place.path or b"", b"", 0
    for start, stop, identity in _found(path, side):
        if start >= end:
            renamed += path[end:start] + f"<{identity.form}>".encode()
            end = stop
    return NewName(renamed + path[end:]) if end else None


cause = Cause(
    slug="framework-build-id",
    page=__doc__ or "",
    remedy="set it from the commit: generateBuildId (Next.js), kit.version.name (SvelteKit), buildId (Nuxt)",
    timed=True,
    normalise=_normalise,
    rename=_rename,
)
