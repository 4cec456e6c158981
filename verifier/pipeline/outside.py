"""What `pin` asks of the world, answered by registries, downloads and git; each question is asked once."""

from __future__ import annotations

import contextlib
import shlex
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from verifier.clients.downloads import download_digest
from verifier.clients.git import remote_commit
from verifier.compare.content import read_contents
from verifier.dockerfile.arguments import host_platform
from verifier.errors import NotFoundError, StoreError
from verifier.model.pin import ImageFacts
from verifier.oci.digest import Digest
from verifier.oci.image import Image, ImageSet
from verifier.oci.platform import Platform
from verifier.oci.reference import Reference, parse_image_name
from verifier.oci.strict_json import parse_object
from verifier.stores import open_store
from verifier.stores.registry import Repository

OS_RELEASE: Final = (b"/usr/lib/os-release", b"/etc/os-release")
MAX_OS_RELEASE_BYTES: Final = 64 * 1024
MAX_LOOKED_AT_BYTES: Final = 512 * 1024 * 1024
"""Of layers that are read for an os-release, compressed, in bytes; it stands in the first one nearly always."""


class World:
    """Answers `verifier.pin.outside.Outside`; a context manager that closes what it opened."""

    def __init__(self, workspace: Path) -> None:
        self._workspace = workspace
        self._stores = contextlib.ExitStack()
        self._digests: dict[str, Digest | StoreError | None] = {}
        self._facts: dict[tuple[str, Digest, str], ImageFacts] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stores.close()

    def digest_of(self, reference: Reference) -> Digest | None:
        """Ask the registry what a tag or a digest is in this repository. Raises StoreError."""
        key = reference.canonical
        if key not in self._digests:
            self._digests[key] = self._ask(reference)
        answer = self._digests[key]
        if isinstance(answer, StoreError):
            raise answer
        return answer

    def _ask(self, reference: Reference) -> Digest | StoreError | None:
        try:
            with Repository(reference) as repository:
                found = repository.resolve()
        except NotFoundError:
            return None
        except StoreError as error:
            return error
        return None if found is None else found.digest

    def facts(self, reference: Reference, digest: Digest, platform: Platform | None) -> ImageFacts:
        """Read an image's documents, and its os-release out of its layers. Raises StoreError."""
        wanted = platform or host_platform()
        key = reference.name, digest, str(wanted)
        if key not in self._facts:
            self._facts[key] = self._read(replace(reference, tag=None, digest=digest), wanted)
        return self._facts[key]

    def _read(self, reference: Reference, platform: Platform) -> ImageFacts:
        folder = self._workspace / str(len(self._facts))
        folder.mkdir(parents=True, exist_ok=True)
        store = open_store(parse_image_name(f"docker://{reference.canonical}"), folder)
        self._stores.callback(store.close)
        images = store.load(None)
        return facts_of(images, platform)

    def download_digest(self, url: str) -> Digest | None:
        """Download a URL for its digest. Raises UnreachableError."""
        return download_digest(url)

    def commit_of(self, url: str, name: str | None) -> str | None:
        """Ask a git repository for a commit. Raises UnreachableError."""
        return remote_commit(url, name)


def facts_of(images: ImageSet, platform: Platform) -> ImageFacts:
    """Say what an image is: of an index, the image of `platform`, else its first. Raises StoreError."""
    if not images.images:
        raise NotFoundError(f"{images.reference}: its index names no image")
    image = next((each for each in images.images if each.platform == platform), images.images[0])
    config = parse_object(image.config.raw, "config").get("config") or {}
    labels = config.get("Labels") or {}
    manifest = image.manifest
    top = images.index or manifest
    return ImageFacts(
        digest=image.config.digest if top is None else top.digest,
        kind="index" if images.index is not None else "manifest",
        platforms=tuple(sorted({str(each.platform) for each in images.images})),
        created=image.config.created,
        labels=tuple(sorted((str(key), str(value)) for key, value in labels.items())),
        environment=tuple(str(each) for each in config.get("Env") or ()),
        os_release=os_release_of(image),
        layers=image.config.diff_ids,
        size=sum(layer.descriptor.size for layer in image.layers),
    )


def os_release_of(image: Image) -> tuple[tuple[str, str], ...]:
    """Read the os-release out of an image's layers, the topmost that has one of the first few hundred megabytes."""
    left = MAX_LOOKED_AT_BYTES
    found: tuple[tuple[str, str], ...] = ()
    for number, layer in enumerate(image.layers):
        left -= layer.descriptor.size
        if left < 0 or found:
            break
        contents = read_contents(image, number, {(path, 0) for path in OS_RELEASE}, MAX_OS_RELEASE_BYTES)
        raw = next((contents[path, 0] for path in OS_RELEASE if (path, 0) in contents), b"")
        found = tuple(sorted(_pairs(raw.decode("utf-8", "replace").splitlines())))
    return found


def _pairs(lines: Iterable[str]) -> Iterable[tuple[str, str]]:
    """Read os-release's shell-like lines (os-release(5))."""
    for line in lines:
        name, equals, value = line.partition("=")
        if equals and name.isidentifier():
            with contextlib.suppress(ValueError):
                words = shlex.split(value)
                yield name, words[0] if words else ""
