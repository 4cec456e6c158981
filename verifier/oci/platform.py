"""Platforms (OCI image specification, "Image Index", `platform`): `os/architecture[/variant]`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from verifier.errors import UsageError
from verifier.oci.fields import optional_string_at


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Platform:
    """What an image runs on; an attestation manifest claims `unknown/unknown`."""

    os: str
    architecture: str
    variant: str | None = None

    def __str__(self) -> str:
        return "/".join(part for part in (self.os, self.architecture, self.variant) if part)

    def matches(self, wanted: Platform) -> bool:
        """Tell whether this platform is what `wanted` asks for; a variant that is not asked for does not matter."""
        return (
            self.os == wanted.os
            and self.architecture == wanted.architecture
            and (wanted.variant is None or wanted.variant == self.variant)
        )


def parse_platform(text: str) -> Platform:
    """Parse `os/architecture[/variant]` as the user writes it. Raises UsageError."""
    parts = text.split("/")
    if len(parts) not in (2, 3) or not all(parts):
        raise UsageError(f"platform {text!r} is not os/architecture[/variant]", "for example: linux/amd64")
    return Platform(os=parts[0], architecture=parts[1], variant=parts[2] if len(parts) == 3 else None)


def platform_from(value: Mapping[str, Any], where: str) -> Platform:
    """Read a platform out of a descriptor's `platform` or an image config. Raises MalformedImageError."""
    return Platform(
        os=optional_string_at(value, "os", where) or "unknown",
        architecture=optional_string_at(value, "architecture", where) or "unknown",
        variant=optional_string_at(value, "variant", where) or None,
    )
