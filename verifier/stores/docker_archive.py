"""Docker's own archive (`manifest.json` beside a config and layers), as written before the engine wrote layouts.

Written by `docker save` up to engine 24, and by skopeo, Buildah and Podman as `docker-archive:`; by kaniko, Jib, Bazel
and others with layers that are compressed. There is no image manifest in it. The k-th layer file is the k-th `diff_id`;
whether it really is shows when it is read.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import IO, Any, Final

from verifier.errors import DigestMismatchError, MalformedImageError, StoreError
from verifier.oci.config import ImageConfig, parse_config
from verifier.oci.descriptor import Descriptor
from verifier.oci.digest import Digest, encoded_of
from verifier.oci.fields import list_at, string_at
from verifier.oci.image import Image, ImageSet, make_image
from verifier.oci.limits import MAX_CONFIG_BYTES, MAX_JSON_BYTES, MAX_LAYERS, MAX_MANIFESTS, MIB
from verifier.oci.media_types import DOCKER_LAYER
from verifier.oci.platform import Platform
from verifier.oci.reference import ImageName
from verifier.oci.strict_json import parse_list
from verifier.stores.archive import Archive
from verifier.stores.members import Member
from verifier.stores.selection import Candidate, named, not_found, printable, several
from verifier.stores.spool import compression_of

MANIFEST_FILE: Final = "manifest.json"

_CONFIG_NAME: Final = re.compile(r"(?:.*/)?(?:sha256:)?([0-9a-f]{64})(?:\.json)?")


@dataclass(frozen=True, slots=True)
class _Entry:
    """One element of `manifest.json`."""

    config: str
    tags: tuple[str, ...]
    layers: tuple[str, ...]


class _LayerFiles:
    """The layers of one image by digest."""

    def __init__(self, archive: Archive, members: Mapping[Digest, Member]) -> None:
        self._archive = archive
        self._members = members

    def size_of(self, digest: Digest) -> int | None:
        """Give a layer file's size in bytes."""
        member = self._members.get(digest)
        return None if member is None else member.size

    def open(self, digest: Digest) -> IO[bytes]:
        """Open a layer file. Raises StoreError when it is not there."""
        member = self._members.get(digest)
        if member is None:
            raise StoreError(f"{self._archive.path}: layer {digest} is missing")
        return self._archive.open_member(member)


def load_docker_archive(name: ImageName, archive: Archive, platform: Platform | None) -> ImageSet:
    """Read the image that `name` means from an archive without a layout; its `manifest` is None.

    The config is verified where its file's name is its digest. Raises StoreError.
    """
    entries = _entries_of(archive)
    configs: dict[Digest, tuple[ImageConfig, _Entry]] = {}
    tags: dict[Digest, list[str]] = {}
    read = 0
    for entry in entries:
        config = _config_of(archive, entry)
        read += len(config.raw)
        if read > 8 * MAX_CONFIG_BYTES:
            raise MalformedImageError(f"the configs are larger than {8 * MAX_CONFIG_BYTES} bytes together")
        configs.setdefault(config.digest, (config, entry))
        tags.setdefault(config.digest, []).extend(entry.tags)
    candidates = [Candidate(digest=digest, names=tuple(tags[digest])) for digest in configs]
    config, entry = configs[_choose(name, candidates, configs, platform)]
    image = _image_of(name.text, archive, config, entry)
    return ImageSet(reference=name.text, index=None, images=(image,))


def _choose(
    name: ImageName,
    candidates: list[Candidate],
    configs: Mapping[Digest, tuple[ImageConfig, _Entry]],
    platform: Platform | None,
) -> Digest:
    if not candidates:
        raise StoreError(f"{name.location} holds no image")
    chosen = candidates
    if name.tag is not None:
        chosen = named(chosen, name.tag)
    if name.digest is not None:
        chosen = [candidate for candidate in chosen if candidate.digest == name.digest]
    if not chosen:
        raise not_found(name, candidates)
    if platform is not None:
        have = ", ".join(sorted({str(configs[candidate.digest][0].platform) for candidate in chosen})[:20])
        chosen = [item for item in chosen if configs[item.digest][0].platform.matches(platform)]
        if not chosen:
            raise StoreError(f"{name.text} has no image for {platform}", f"it has: {printable(have)}")
    if len(chosen) > 1:
        raise several(name, chosen)
    return chosen[0].digest


def _entries_of(archive: Archive) -> list[_Entry]:
    raw = archive.read(MANIFEST_FILE, MAX_JSON_BYTES)
    if raw is None:
        raise StoreError(f"{archive.path} is no image archive: it has neither {MANIFEST_FILE} nor an image layout")
    elements = parse_list(raw, MANIFEST_FILE)
    if len(elements) > MAX_MANIFESTS:
        raise MalformedImageError(f"{MANIFEST_FILE} has {len(elements)} images, over the limit of {MAX_MANIFESTS}")
    return [_entry_from(element, f"{MANIFEST_FILE}[{number}]") for number, element in enumerate(elements)]


def _entry_from(value: Any, where: str) -> _Entry:
    if not isinstance(value, dict):
        raise MalformedImageError(f"{where}: an object is needed")
    return _Entry(
        config=string_at(value, "Config", where),
        tags=_strings_at(value, "RepoTags", where, MAX_MANIFESTS),
        layers=_strings_at(value, "Layers", where, MAX_LAYERS),
    )


def _strings_at(value: dict[str, Any], key: str, where: str, limit: int) -> tuple[str, ...]:
    found = [] if value.get(key) is None else list_at(value, key, where, limit=limit)
    if not all(isinstance(item, str) for item in found):
        raise MalformedImageError(f"{where}.{key}: a list of strings is needed")
    return tuple(found)


def _config_of(archive: Archive, entry: _Entry) -> ImageConfig:
    raw = archive.read(entry.config, MAX_CONFIG_BYTES)
    if raw is None:
        raise StoreError(f"{archive.path}: the config {printable(entry.config)} is missing")
    config = parse_config(raw)
    claimed = _CONFIG_NAME.fullmatch(entry.config)
    if claimed is not None and claimed[1] != encoded_of(config.digest):
        raise DigestMismatchError(f"config {printable(entry.config)} has the digest {config.digest}")
    return config


def _image_of(reference: str, archive: Archive, config: ImageConfig, entry: _Entry) -> Image:
    if len(entry.layers) != len(config.diff_ids):
        raise MalformedImageError(
            f"{MANIFEST_FILE} names {len(entry.layers)} layers, the config has {len(config.diff_ids)} diff_ids"
        )
    members: dict[Digest, Member] = {}
    descriptors = []
    for path, diff_id in zip(entry.layers, config.diff_ids, strict=True):
        member = archive.find(path)
        if member is None:
            raise StoreError(f"{archive.path}: the layer {printable(path)} is missing")
        descriptor = _describe(archive, member, diff_id)
        known = members.setdefault(descriptor.digest, member)
        if known.size != member.size:
            raise MalformedImageError(
                f"layer {diff_id} is in the archive with {known.size} and with {member.size} bytes"
            )
        descriptors.append(descriptor)
    return make_image(reference, _LayerFiles(archive, members), None, config, descriptors=descriptors)


def _describe(archive: Archive, member: Member, diff_id: Digest) -> Descriptor:
    """Describe a layer's file: by its `diff_id` when it is a plain tar, unread.

    Of a compressed file nobody says the digest: file names differ by tool and promise nothing. So it is read here,
    once, and verified like any blob's when it is read again.
    """
    compression = compression_of(archive.descriptor, member.offset) if member.size > 6 else "none"
    if compression == "none":
        return Descriptor(media_type=DOCKER_LAYER, digest=diff_id, size=member.size)
    computed = hashlib.sha256()
    with archive.open_member(member) as content:
        while piece := content.read(MIB):
            computed.update(piece)
    return Descriptor(
        media_type=f"{DOCKER_LAYER}.{compression}", digest=Digest(f"sha256:{computed.hexdigest()}"), size=member.size
    )
