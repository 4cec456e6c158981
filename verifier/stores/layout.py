"""Image layouts (OCI image specification, "Image Layout"), in a folder or in an archive.

`index.json` is the layout's table of contents, not an image index: what an image is called is said there, and an index
that belongs to the image is one of its entries.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol

from verifier.errors import MalformedImageError, StoreError
from verifier.oci.blob import check_presence
from verifier.oci.descriptor import Descriptor
from verifier.oci.digest import Digest, parse_digest
from verifier.oci.image import Attestation, BlobSource, Image, ImageSet, make_image
from verifier.oci.limits import MAX_INDEX_DEPTH, MAX_JSON_BYTES
from verifier.oci.manifest import ATTESTATION_SUBJECT_KEY, Index, Manifest, is_attestation, parse_manifest_or_index
from verifier.oci.media_types import CONFIGS, INDEXES
from verifier.oci.platform import Platform
from verifier.oci.reference import ImageName
from verifier.oci.strict_json import parse_object
from verifier.stores.documents import Documents
from verifier.stores.selection import Candidate, named, not_found, printable, several

LAYOUT_FILE: Final = "oci-layout"
LAYOUT_VERSION: Final = "1.0.0"
INDEX_FILE: Final = "index.json"
NAME_KEYS: Final = ("org.opencontainers.image.ref.name", "io.containerd.image.name")
"""Annotations of an entry of `index.json` that name it; the first is the specification's, the second containerd's."""

_MAX_LAYOUT_FILE: Final = 4096


class LayoutFiles(BlobSource, Protocol):
    """Where the files of a layout are."""

    @property
    def path(self) -> Path:
        """The folder or the archive, for messages."""

    def read(self, name: str, limit: int) -> bytes | None:
        """Read a whole file of at most `limit` bytes, None when there is none of that name."""


@dataclass(frozen=True, slots=True)
class _Root:
    """One thing that a layout names."""

    descriptor: Descriptor
    names: tuple[str, ...]


@dataclass(slots=True)
class _Found:
    """What a walk over an index has found so far."""

    images: list[Image] = field(default_factory=list)
    attestations: list[Attestation] = field(default_factory=list)
    absent: list[Descriptor] = field(default_factory=list)
    platforms: list[str] = field(default_factory=list)
    seen: set[Digest] = field(default_factory=set)


def load_layout(name: ImageName, files: LayoutFiles, platform: Platform | None) -> ImageSet:
    """Read the image or the index that `name` means: manifests and configs, verified, and the presence of layers.

    With a `platform`, only what belongs to it is read of an index. Raises StoreError.
    """
    return _Layout(name, files).load(_contents_of(files), platform)


def load_root(name: ImageName, blobs: BlobSource, descriptor: Descriptor, platform: Platform | None) -> ImageSet:
    """Read the image or the index that a descriptor stands for, out of any source of blobs, as `load_layout` does."""
    return _Layout(name, blobs).load_root(descriptor, platform)


def _contents_of(files: LayoutFiles) -> Index:
    """Read the table of contents."""
    raw = files.read(LAYOUT_FILE, _MAX_LAYOUT_FILE)
    if raw is None:
        raise StoreError(f"{files.path} is no OCI image layout: it has no {LAYOUT_FILE} file")
    version = parse_object(raw, LAYOUT_FILE).get("imageLayoutVersion")
    if version != LAYOUT_VERSION:
        raise MalformedImageError(f"{LAYOUT_FILE}.imageLayoutVersion: {LAYOUT_VERSION!r} is needed")
    raw = files.read(INDEX_FILE, MAX_JSON_BYTES)
    if raw is None:
        raise MalformedImageError(f"{files.path} is no OCI image layout: it has no {INDEX_FILE}")
    contents = parse_manifest_or_index(raw)
    if not isinstance(contents, Index):
        raise MalformedImageError(f"{INDEX_FILE} is an image manifest, not an index")
    return contents


class _Layout:
    """One load of one layout."""

    def __init__(self, name: ImageName, files: BlobSource) -> None:
        self._name = name
        self._files = files
        self._documents = Documents(files)

    def load(self, contents: Index, platform: Platform | None) -> ImageSet:
        roots = self._chosen(_roots_of(contents))
        if len(roots) > 1 and platform is not None:
            roots = [root for root in roots if self._offers(root, platform)]
            if not roots:
                raise StoreError(f"{self._name.text} has no image for {platform}")
        if len(roots) == 1:
            return self.load_root(roots[0].descriptor, platform)
        if _is_one_image(roots):
            images = tuple(image for root in roots for image in self.load_root(root.descriptor, None).images)
            return ImageSet(reference=self._name.text, index=None, images=images)
        raise several(self._name, _candidates(roots))

    def _chosen(self, roots: list[_Root]) -> list[_Root]:
        """Keep what the user's tag and digest mean; without them, what no other entry contains."""
        if not roots:
            raise StoreError(f"{self._name.location} holds no image")
        chosen = roots
        if self._name.tag is not None:
            digests = {candidate.digest for candidate in named(_candidates(roots), self._name.tag)}
            chosen = [root for root in roots if root.descriptor.digest in digests]
        if self._name.digest is not None:
            chosen = self._with_digest(chosen, self._name.digest)
        if not chosen:
            raise not_found(self._name, _candidates(roots))
        if self._name.tag is None and self._name.digest is None and len(chosen) > 1:
            chosen = self._outermost(chosen)
        return chosen

    def _with_digest(self, roots: list[_Root], digest: Digest) -> list[_Root]:
        """Find an entry by its digest, else by digest what an entry's index contains, else an image by its config's."""
        found = [root for root in roots if root.descriptor.digest == digest]
        if found:
            return found
        inside = {
            child.digest: child
            for root in roots
            for child in self._descendants(root.descriptor)
            if child.digest == digest or self._has_config(child, digest)
        }
        return [_Root(child, ()) for child in inside.values()]

    def _has_config(self, descriptor: Descriptor, digest: Digest) -> bool:
        document = self._documents.manifest_or_index(descriptor)
        return isinstance(document, Manifest) and document.config.digest == digest

    def _outermost(self, roots: list[_Root]) -> list[_Root]:
        """Leave out what another entry's index contains, and what is no image: attestations, artifacts, referrers."""
        contained = {child.digest for root in roots for child in self._descendants(root.descriptor)[1:]}
        kept = [root for root in roots if root.descriptor.digest not in contained and self._is_image(root.descriptor)]
        return kept or roots

    def _is_image(self, descriptor: Descriptor) -> bool:
        if is_attestation(descriptor):
            return False
        document = self._documents.manifest_or_index(descriptor)
        return isinstance(document, Index) or document.config.media_type in CONFIGS

    def _descendants(self, descriptor: Descriptor) -> list[Descriptor]:
        """Give `descriptor` and, where it is an index, all that it contains and this store holds, each once."""
        found: dict[Digest, Descriptor] = {}
        level = [descriptor]
        for depth in range(MAX_INDEX_DEPTH + 2):
            self._check_depth(level, depth)
            fresh = {item.digest: item for item in level if item.digest not in found}
            found.update(fresh)
            documents = [self._documents.manifest_or_index(item) for item in fresh.values()]
            level = [
                child
                for document in documents
                if isinstance(document, Index)
                for child in document.manifests
                if self._files.size_of(child.digest) is not None
            ]
        return list(found.values())

    def _offers(self, root: _Root, platform: Platform) -> bool:
        for descriptor in self._descendants(root.descriptor):
            document = self._documents.manifest_or_index(descriptor)
            if isinstance(document, Manifest) and document.config.media_type in CONFIGS:
                claimed = _claimed(descriptor) or self._documents.config(document).platform
                if claimed.matches(platform):
                    return True
        return False

    def load_root(self, descriptor: Descriptor, platform: Platform | None) -> ImageSet:
        """Read one image or index."""
        document = self._documents.manifest_or_index(descriptor)
        if isinstance(document, Index):
            return self._load_index(document, descriptor, platform)
        if document.config.media_type not in CONFIGS:
            kind = printable(document.artifact_type or document.config.media_type)
            raise StoreError(f"{self._name.text} is an artifact of the type {kind}, not an image")
        image = self._image_of(document, descriptor)
        if platform is not None and not image.platform.matches(platform):
            raise StoreError(f"{self._name.text} has no image for {platform}", f"it has: {image.platform}")
        return ImageSet(reference=self._name.text, index=None, images=(image,))

    def _load_index(self, index: Index, descriptor: Descriptor, platform: Platform | None) -> ImageSet:
        found = _Found()
        self._walk(index, descriptor, platform, found)
        if not found.images:
            raise self._no_image(found, platform)
        attestations = found.attestations
        if platform is not None:
            subjects = {image.manifest.digest for image in found.images if image.manifest is not None}
            attestations = [item for item in attestations if item.subject is None or item.subject in subjects]
        return ImageSet(
            reference=self._name.text,
            index=index,
            images=tuple(found.images),
            attestations=tuple(attestations),
            absent=tuple(found.absent),
        )

    def _walk(
        self, index: Index, descriptor: Descriptor, platform: Platform | None, found: _Found, depth: int = 0
    ) -> None:
        self._check_depth([descriptor], depth)
        for child in index.manifests:
            if child.digest in found.seen:
                continue
            found.seen.add(child.digest)
            claimed = _claimed(child)
            if claimed is not None:
                found.platforms.append(str(claimed))
            if platform is not None and claimed is not None and not claimed.matches(platform):
                continue
            if self._files.size_of(child.digest) is None:
                found.absent.append(child)
                continue
            document = self._documents.manifest_or_index(child)
            if isinstance(document, Index):
                self._walk(document, child, platform, found, depth + 1)
            elif is_attestation(child):
                found.attestations.append(self._attestation_of(document, child))
            elif document.config.media_type in CONFIGS:
                image = self._image_of(document, child)
                if platform is None or image.platform.matches(platform):
                    found.images.append(image)

    def _image_of(self, manifest: Manifest, descriptor: Descriptor) -> Image:
        for layer in manifest.layers:
            check_presence(self._files, layer)
        config = self._documents.config(manifest)
        return make_image(self._name.text, self._files, manifest, config, index_platform=_claimed(descriptor))

    def _attestation_of(self, manifest: Manifest, descriptor: Descriptor) -> Attestation:
        subject = descriptor.annotation(ATTESTATION_SUBJECT_KEY)
        return Attestation(
            subject=None
            if subject is None
            else parse_digest(subject, f"manifest.annotations.{ATTESTATION_SUBJECT_KEY}"),
            manifest=manifest,
            blobs=self._files,
        )

    def _no_image(self, found: _Found, platform: Platform | None) -> StoreError:
        have = (
            "its index names: " + ", ".join(printable(item) for item in found.platforms[:20])
            if found.platforms
            else None
        )
        if found.absent:
            of = "" if platform is None else f" for {platform}"
            return StoreError(f"{self._name.text}: the store has no manifest that its index names{of}", have)
        wanted = "no image" if platform is None else f"no image for {platform}"
        return StoreError(f"{self._name.text} has {wanted}", have)

    def _check_depth(self, level: list[Descriptor], depth: int) -> None:
        if level and depth > MAX_INDEX_DEPTH:
            raise MalformedImageError(f"{level[0].digest} is nested in more than {MAX_INDEX_DEPTH} indexes")


def _roots_of(contents: Index) -> list[_Root]:
    """Join the entries of one digest: an image may have several names."""
    names: dict[Digest, list[str]] = {}
    descriptors: dict[Digest, Descriptor] = {}
    for descriptor in contents.manifests:
        descriptors.setdefault(descriptor.digest, descriptor)
        given = names.setdefault(descriptor.digest, [])
        given += [text for key in NAME_KEYS if (text := descriptor.annotation(key))]
    return [_Root(descriptor, tuple(names[digest])) for digest, descriptor in descriptors.items()]


def _candidates(roots: list[_Root]) -> list[Candidate]:
    return [Candidate(digest=root.descriptor.digest, names=root.names) for root in roots]


def _is_one_image(roots: list[_Root]) -> bool:
    """Tell whether entries are the platforms of one image: the same names, and platforms that differ."""
    platforms = [_claimed(root.descriptor) for root in roots]
    return (
        len({root.names for root in roots}) == 1
        and None not in platforms
        and len(set(platforms)) == len(platforms)
        and all(root.descriptor.media_type not in INDEXES for root in roots)
    )


def _claimed(descriptor: Descriptor) -> Platform | None:
    """Give the platform that an index says; `unknown` is said of what runs nowhere, and of what nobody knows."""
    platform = descriptor.platform
    return None if platform is None or "unknown" in (platform.os, platform.architecture) else platform
