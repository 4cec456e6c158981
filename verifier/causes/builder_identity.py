"""The builder signs its work.

What varies: what the builder writes of itself and of its passing containers into the config: `container`,
`container_config.Hostname` and `docker_version` of the classic engine, its parents' IDs in `config.Image`; Buildah's
label `io.buildah.version`, the parent's ID in a history comment, and its digest in an annotation; both write the
digest of what a COPY or ADD took into its history entry, where it follows from the files.

Why it matters: the config's digest never comes out the same on the classic engine.

How it is recognised: by key and grammar (64 hexadecimal digits, 12 of them, a digest, a version number); where one side
lacks such a value, writes out an empty one (`"Tty": false`) or notes on a layer that BuildKit rewrote its times, the
other builder left it out.

Remedy: build with BuildKit; with Buildah `--identity-label=false`, and without `--layers` there is no parent's ID.

Source: moby, image/v1; buildah-build(1), `--identity-label`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from verifier.causes.cause import DOCUMENTS, Cause, Claim, Place, SideContext
from verifier.formats.field import Field

__all__ = ["cause"]

_COPIED: Final = rb'"[^"\\]*#\(nop\) (?:ADD|COPY) (?:--\S+ )*(?:archive|dir|file|multi):()[0-9a-f]{64}() in [^"\\]*"'

_GRAMMARS: Final = tuple(
    (re.compile(pointer), re.compile(value), form)
    for pointer, value, form in (
        (r"/container", rb'"()[0-9a-f]{64}()"', "container ID"),
        (r"/container_config/Hostname", rb'"()[0-9a-f]{12}()"', "container's short ID"),
        (r"/config/Hostname", rb'"()[0-9a-f]{12}()"', "container's short ID"),
        (r"/(?:container_)?config/Image", rb'"()sha256:[0-9a-f]{64}()"', "parent's ID"),
        (r"/docker_version", rb'"()[0-9][0-9A-Za-z.+~-]*()"', "version"),
        (r"/(?:container_)?config/Labels/io\.buildah\.version", rb'"()[0-9][0-9A-Za-z.+~-]*()"', "version"),
        (r"/history/\d+/comment", rb'"FROM ()[0-9a-f]{12}() *"', "parent's short ID"),
        (r"/history/\d+/created_by", _COPIED, "digest of what was copied"),
    )
)


_BASE: Final = "/annotations/org.opencontainers.image.base.digest"
_BASE_NAME: Final = "/annotations/org.opencontainers.image.base.name"
_REWRITTEN: Final = re.compile(r"/layers/\d+/annotations/buildkit~1rewritten-timestamp")
_SECONDS: Final = re.compile(rb'"\d{1,15}"')
_KEY: Final = re.compile(r"/(?:container_)?config/[A-Z][A-Za-z]*")
_NOTHING: Final = frozenset({b'""', b"false", b"null"})
"""What a key of the config may have where nothing was said; leaving it out means the same."""

_DIGEST: Final = re.compile(rb'"(?:sha256:[0-9a-f]{64})?"')


def _normalise(field: Field, place: Place, side: SideContext) -> Iterator[Claim]:
    if field.kind != "json":
        return
    if place.part == "manifest" and field.name == _BASE and side.builder in ("buildah", "podman"):
        # here it is the image of the step before, which follows from what that step made
        if _DIGEST.fullmatch(field.value):
            yield Claim(1, len(field.value) - 1, "parent's digest")
        return
    if place.part != "config":
        return
    for pointer, value, form in _GRAMMARS:
        found = value.fullmatch(field.value) if pointer.fullmatch(field.name) else None
        if found is not None:
            yield Claim(found.start(1), found.start(2), form)


def _optional(field: Field, place: Place, side: SideContext) -> bool:
    if place.part == "manifest":
        is_said = field.name in (_BASE, _BASE_NAME) and field.value == b'""'
        is_said = is_said or (
            _REWRITTEN.fullmatch(field.name) is not None and _SECONDS.fullmatch(field.value) is not None
        )
        return is_said or any(True for _ in _normalise(field, place, side))
    if place.part != "config":
        return False
    is_nothing = _KEY.fullmatch(field.name) is not None and field.value in _NOTHING
    is_nothing = is_nothing or (field.name == "/config/WorkingDir" and field.value == b'"/"')
    return is_nothing or any(True for _ in _normalise(field, place, side))


cause = Cause(
    slug="builder-identity",
    page=__doc__ or "",
    remedy="build with BuildKit, or with Buildah's --identity-label=false, in one version",
    severity="note",
    reach=DOCUMENTS,
    normalise=_normalise,
    optional=_optional,
)
