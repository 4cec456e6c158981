"""The names of images as users write them: references by the distribution grammar, and names with a transport.

A name without a transport, or with `docker://`, is a registry's. The others are those of the containers tools:
`docker-daemon:NAME:TAG`, `docker-archive:PATH`, `oci:DIR`, `oci-archive:PATH`, `containers-storage:NAME`; after a PATH
or a DIR may stand `:TAG` or `@DIGEST`, which say which of several images is meant.
"""

from __future__ import annotations

import ipaddress
import os.path
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from verifier.errors import MalformedImageError, UsageError
from verifier.oci.digest import Digest, parse_digest

Transport = Literal["registry", "docker-daemon", "docker-archive", "oci", "oci-archive", "containers-storage"]

DEFAULT_REGISTRY: Final = "docker.io"
DEFAULT_TAG: Final = "latest"
MAX_REPOSITORY: Final = 255
"""Characters in a repository's name, registry included (distribution specification)."""
MAX_NAME: Final = 8192
"""Characters in all that a user writes for an image: a path of Linux and a selector."""

_FILE_TRANSPORTS: Final[tuple[Transport, ...]] = ("docker-archive", "oci-archive", "oci")
_HOST: Final = re.compile(
    r"(?:[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)*|\[(?P<ipv6>[0-9a-fA-F:]+)\])"
    r"(?::(?P<port>[0-9]+))?"
)
_PATH: Final = re.compile(r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)*")
_TAG: Final = re.compile(r"\w[\w.-]{0,127}", re.ASCII)
_SELECTOR: Final = re.compile(r"[!-?A-~]{1,512}")
"""Printable ASCII but `@`: the names in a layout's annotations may be whole references."""
_IMAGE_ID: Final = re.compile(r"(?:sha256:)?[0-9a-f]{12,64}")
_ARCHIVE_SUFFIXES: Final = (".tar", ".tar.gz", ".tgz", ".tar.zst", ".oci")
_EXAMPLES: Final = (
    "images are named NAME:TAG, docker-daemon:NAME:TAG, docker-archive:PATH, oci:DIR, oci-archive:PATH or "
    "containers-storage:NAME"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """A registry reference, complete: at least one of `tag` and `digest` is set.

    `str()` gives the form that people write (`ubuntu:22.04`), `canonical` the one that names its registry.
    """

    registry: str
    repository: str
    tag: str | None = None
    digest: Digest | None = None

    @property
    def name(self) -> str:
        """Registry and repository."""
        return f"{self.registry}/{self.repository}"

    @property
    def canonical(self) -> str:
        """The whole reference: `docker.io/library/ubuntu:22.04`."""
        return self.name + self._suffix

    def __str__(self) -> str:
        if self.registry != DEFAULT_REGISTRY:
            return self.canonical
        namespace, _, name = self.repository.partition("/")
        return (name if namespace == "library" and "/" not in name else self.repository) + self._suffix

    @property
    def _suffix(self) -> str:
        return (f":{self.tag}" if self.tag else "") + (f"@{self.digest}" if self.digest else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageName:
    """An image as the user named it; `text` is what was written.

    `location` is a path for `oci`, `oci-archive` and `docker-archive`, else what the engine, the containers-storage or
    the registry is asked for. `tag` and `digest` choose among several images at a path. `reference` is set for a
    registry, and for an engine unless it was given an image ID.
    """

    text: str
    transport: Transport
    location: str
    tag: str | None = None
    digest: Digest | None = None
    reference: Reference | None = None

    def __str__(self) -> str:
        return self.text

    @property
    def path(self) -> Path:
        """The location as a path; meaningful for the transports that have one."""
        return Path(self.location)


def parse_reference(text: str) -> Reference:
    """Parse a registry reference by the distribution grammar, with Docker's defaults for registry and tag.

    Raises UsageError.
    """
    rest, at, digest_text = text.partition("@")
    digest = _digest_of(digest_text, text) if at else None
    name, tag = _split_tag(rest)
    if tag is not None and not _TAG.fullmatch(tag):
        raise UsageError(f"image name {_shown(text)}: {_shown(tag)} is not a tag", _tag_hint(tag))
    if not name:
        raise UsageError(f"image name {_shown(text)} does not say which image", _EXAMPLES)
    registry, repository = _split_registry(name)
    _check_registry(registry, text)
    _check_repository(registry, repository, text)
    if tag is None and digest is None:
        tag = DEFAULT_TAG
    return Reference(registry=registry, repository=repository, tag=tag, digest=digest)


def parse_image_name(text: str, exists: Callable[[str], bool] = os.path.lexists) -> ImageName:
    """Parse what the user writes for an image.

    `exists` tells whether a path is there: a path may hold colons, and the longest one that exists wins over `:TAG`.
    Nothing else is looked at. Raises UsageError.
    """
    if len(text) > MAX_NAME:
        raise UsageError(f"an image name of {len(text)} characters is too long", f"at most {MAX_NAME}")
    if not text or text != text.strip() or any(ord(character) < 32 or character == "\x7f" for character in text):
        raise UsageError(f"image name {_shown(text)} is empty or has blanks or control characters around it", _EXAMPLES)
    transport, colon, rest = text.partition(":")
    if colon:
        if transport in _FILE_TRANSPORTS:
            return _file_name(text, transport, rest, exists)
        if transport == "docker-daemon":
            return _engine_name(text, rest)
        if transport == "containers-storage":
            if not rest or any(character.isspace() for character in rest):
                raise UsageError(f"image name {_shown(text)} does not say which image", "containers-storage:NAME:TAG")
            return ImageName(text=text, transport="containers-storage", location=rest)
    return _registry_name(text, exists)


def _registry_name(text: str, exists: Callable[[str], bool]) -> ImageName:
    name = text.removeprefix("docker://")
    try:
        reference = parse_reference(name)
    except UsageError as error:
        raise UsageError(error.message, _hint_for(text, exists) or error.hint) from None
    return ImageName(
        text=text,
        transport="registry",
        location=name,
        tag=reference.tag,
        digest=reference.digest,
        reference=reference,
    )


def _engine_name(text: str, rest: str) -> ImageName:
    if _IMAGE_ID.fullmatch(rest):
        return ImageName(text=text, transport="docker-daemon", location=rest)
    if rest.startswith("sha256:"):
        raise UsageError(
            f"image name {_shown(text)}: that is not an image ID", "sha256: and 12 to 64 hexadecimal digits"
        )
    try:
        reference = parse_reference(rest)
    except UsageError as error:
        raise UsageError(error.message, error.hint if rest else "docker-daemon:NAME:TAG or docker-daemon:ID") from None
    # The engine takes a name without a tag for all the tags that it has of it; we mean one image.
    return ImageName(text=text, transport="docker-daemon", location=str(reference), reference=reference)


def _file_name(text: str, transport: str, rest: str, exists: Callable[[str], bool]) -> ImageName:
    path, tag, digest = _split_selector(rest, text, exists)
    if not path:
        raise UsageError(f"image name {_shown(text)} has no path", f"{transport}:PATH, {transport}:PATH:TAG")
    if tag is not None and not _SELECTOR.fullmatch(tag):
        raise UsageError(f"image name {_shown(text)}: {_shown(tag)} is not a tag", _tag_hint(tag))
    known = next(item for item in _FILE_TRANSPORTS if item == transport)
    return ImageName(text=text, transport=known, location=path, tag=tag, digest=digest)


def _split_selector(rest: str, text: str, exists: Callable[[str], bool]) -> tuple[str, str | None, Digest | None]:
    """Cut `PATH[:TAG][@DIGEST]`: the longest path that exists wins, else the first colon ends it."""
    if exists(rest):
        return rest, None, None
    digest = None
    before, at, after = rest.rpartition("@")
    if at and after.startswith(("sha256:", "sha512:")):
        digest = _digest_of(after, text)
        rest = before
        if exists(rest):
            return rest, None, digest
    colons = [match.start() for match in re.finditer(":", rest)]
    for colon in reversed(colons):
        if exists(rest[:colon]):
            return rest[:colon], rest[colon + 1 :], digest
    if colons:
        # Nothing is there, so this is for the message alone: a tag may be a whole reference, a path rarely has colons.
        return rest[: colons[0]], rest[colons[0] + 1 :], digest
    return rest, None, digest


def _split_tag(name: str) -> tuple[str, str | None]:
    before, colon, after = name.rpartition(":")
    if not colon or "/" in after or after.endswith("]"):
        return name, None
    return before, after


def _split_registry(name: str) -> tuple[str, str]:
    """Tell a registry from the first part of a path, as Docker does."""
    first, slash, rest = name.partition("/")
    if slash and (first == "localhost" or any(sign in first for sign in ".:[") or first != first.lower()):
        registry = DEFAULT_REGISTRY if first == "index.docker.io" else first
        repository = rest
    else:
        registry, repository = DEFAULT_REGISTRY, name
    if registry == DEFAULT_REGISTRY and "/" not in repository:
        repository = f"library/{repository}"
    return registry, repository


def _check_registry(registry: str, text: str) -> None:
    match = _HOST.fullmatch(registry)
    if match is None:
        raise UsageError(f"image name {_shown(text)}: {_shown(registry)} is not a registry's host[:port]", _EXAMPLES)
    if match["port"] and not 0 < int(match["port"][:6]) < 65536:
        raise UsageError(f"image name {_shown(text)}: there is no port {match['port'][:20]}")
    if match["ipv6"]:
        try:
            ipaddress.IPv6Address(match["ipv6"])
        except ValueError:
            raise UsageError(f"image name {_shown(text)}: {_shown(registry)} is not an IPv6 address") from None


def _check_repository(registry: str, repository: str, text: str) -> None:
    if not _PATH.fullmatch(repository):
        hint = "repository names are lower-case" if _PATH.fullmatch(repository.lower()) else _EXAMPLES
        raise UsageError(f"image name {_shown(text)}: {_shown(repository)} is not a repository's name", hint)
    if len(registry) + 1 + len(repository) > MAX_REPOSITORY:
        raise UsageError(f"image name {_shown(text)} is longer than {MAX_REPOSITORY} characters")
    if re.fullmatch(r"library/[0-9a-f]{64}", repository):
        digits = repository.removeprefix("library/")
        raise UsageError(f"image name {_shown(text)} is an image ID, not a name", f"docker-daemon:sha256:{digits}")


def _digest_of(value: str, text: str) -> Digest:
    try:
        return parse_digest(value)
    except MalformedImageError:
        raise UsageError(
            f"image name {_shown(text)}: {_shown(value)} is not a digest",
            "sha256: and 64 hexadecimal digits",
        ) from None


def _tag_hint(tag: str) -> str:
    if not tag:
        return "leave out the colon, or write a tag after it"
    return "a tag has at most 128 letters, digits, '_', '.' and '-', and begins with a letter, a digit or '_'"


def _hint_for(text: str, exists: Callable[[str], bool]) -> str | None:
    """Guess what was meant by a name that is no reference."""
    scheme, separator, rest = text.partition("://")
    if separator and scheme in ("http", "https", "oci", "docker-daemon"):
        return f"leave out {scheme}://" if scheme.startswith("http") else f"write {scheme}:{rest}"
    if exists(text) or text.startswith(("/", "./", "../")):
        if text.endswith(_ARCHIVE_SUFFIXES):
            return f"for a file: docker-archive:{text} or oci-archive:{text}"
        return f"for a file or a folder: oci:{text}, oci-archive:{text} or docker-archive:{text}"
    if re.match(r"[a-z-]+:[./]", text):
        return _EXAMPLES
    return None


def _shown(text: str) -> str:
    return repr(text if len(text) <= 200 else text[:200] + "…")
