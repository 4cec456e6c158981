"""Content descriptors (OCI image specification, "Content Descriptors")."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from verifier.errors import MalformedImageError
from verifier.oci.digest import Digest, parse_digest
from verifier.oci.fields import object_at, optional_string_at, size_at, strings_at
from verifier.oci.platform import Platform, platform_from


@dataclass(frozen=True, slots=True, kw_only=True)
class Descriptor:
    """A blob's media type, digest and size in bytes."""

    media_type: str
    digest: Digest
    size: int
    platform: Platform | None = None
    artifact_type: str | None = None
    annotations: tuple[tuple[str, str], ...] = ()

    def annotation(self, key: str) -> str | None:
        """Give one annotation's value."""
        return dict(self.annotations).get(key)


def descriptor_from(value: Any, where: str) -> Descriptor:
    """Read a descriptor out of parsed JSON. Raises MalformedImageError with the path of what is wrong."""
    if not isinstance(value, dict):
        raise MalformedImageError(f"{where}: a descriptor is needed")
    platform = None
    if value.get("platform") is not None:
        platform = platform_from(object_at(value, "platform", where), f"{where}.platform")
    return Descriptor(
        media_type=optional_string_at(value, "mediaType", where) or "",
        digest=parse_digest(value.get("digest"), f"{where}.digest"),
        size=size_at(value, "size", where),
        platform=platform,
        artifact_type=optional_string_at(value, "artifactType", where),
        annotations=strings_at(value, "annotations", where),
    )
