"""Write images as an image layout (OCI image specification, "Image Layout"), every blob verified on its way."""

from __future__ import annotations

import errno
import json
import os
from collections import deque
from pathlib import Path
from typing import IO, Any, Final

from verifier.errors import MalformedImageError, ResourceError
from verifier.oci.blob import VerifiedReader, read_blob
from verifier.oci.descriptor import Descriptor
from verifier.oci.digest import Digest, digest_bytes
from verifier.oci.image import BlobSource, Image, ImageSet
from verifier.oci.limits import MAX_INDEX_DEPTH
from verifier.oci.manifest import Index, Manifest, parse_manifest_or_index
from verifier.oci.media_types import OCI_CONFIG, OCI_INDEX, OCI_LAYER, OCI_MANIFEST, layer_compression
from verifier.oci.platform import Platform
from verifier.stores.files import blob_name
from verifier.stores.layout import INDEX_FILE, LAYOUT_FILE, LAYOUT_VERSION

_WAITING_PIECES: Final = 4
"""Pieces that may wait to be written; they bound the memory."""

_COMPRESSED: Final = {"none": "", "gzip": "+gzip", "zstd": "+zstd", None: ""}


def write_layout(images: ImageSet, folder: Path) -> None:
    """Write everything that `images` names and its store holds to `folder`.

    Blobs are copied byte for byte. An image without a manifest gets one, made from its config and layers. The folder
    may be missing, empty, or a layout, to which blobs are added and whose `index.json` is replaced. Raises StoreError
    for a blob that is missing or damaged, ResourceError when the folder holds something else or cannot be written.
    """
    try:
        _claim(folder)
        writer = _Writer(folder)
        entries = [writer.index(images)] if images.index is not None else [writer.image(item) for item in images.images]
        contents = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": entries}
        _replace(folder / LAYOUT_FILE, _json({"imageLayoutVersion": LAYOUT_VERSION}))
        _replace(folder / INDEX_FILE, _json(contents))
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        raise ResourceError(
            f"{folder} cannot be written: {os.strerror(error.errno or 0)}", "make room on its disk" if full else None
        ) from None


def _claim(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()) and not (folder / LAYOUT_FILE).is_file():
        raise ResourceError(f"{folder} is not empty and no image layout", "name a new folder")


class _Writer:
    """One layout that is being written."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._written: set[Digest] = set()

    def index(self, images: ImageSet) -> dict[str, Any]:
        """Write an index and all that it names and the store holds."""
        index = images.index
        if index is None or not images.images:
            raise MalformedImageError(f"{images.reference} has no image")
        self._children(index, images.images[0].blobs, 0)
        return self._document(index.raw, index.media_type)

    def image(self, image: Image) -> dict[str, Any]:
        """Write one image."""
        if image.manifest is not None:
            self._copy(image.blobs, image.manifest.config)
            raw, media_type = image.manifest.raw, image.manifest.media_type
        else:
            self._document(image.config.raw, OCI_CONFIG)
            raw, media_type = _manifest_for(image), OCI_MANIFEST
        for layer in image.layers:
            self._copy(image.blobs, layer.descriptor)
        return {**self._document(raw, media_type), "platform": _platform_json(image.platform)}

    def _children(self, index: Index, blobs: BlobSource, depth: int) -> None:
        if depth > MAX_INDEX_DEPTH:
            raise MalformedImageError(f"index {index.digest} is nested in more than {MAX_INDEX_DEPTH} indexes")
        for child in index.manifests:
            if child.digest in self._written or blobs.size_of(child.digest) is None:
                continue
            document = parse_manifest_or_index(read_blob(blobs, child), child.media_type or None)
            if isinstance(document, Index):
                self._children(document, blobs, depth + 1)
            else:
                self._parts(document, blobs)
            self._document(document.raw, document.media_type)

    def _parts(self, manifest: Manifest, blobs: BlobSource) -> None:
        for part in (manifest.config, *manifest.layers):
            if blobs.size_of(part.digest) is not None:
                self._copy(blobs, part)

    def _document(self, raw: bytes, media_type: str) -> dict[str, Any]:
        digest = digest_bytes(raw)
        if digest not in self._written:
            self._written.add(digest)
            _replace(self._path(digest), raw)
        return {"mediaType": media_type, "digest": digest, "size": len(raw)}

    def _copy(self, blobs: BlobSource, descriptor: Descriptor) -> None:
        if descriptor.digest in self._written:
            return
        path = self._path(descriptor.digest)
        part = path.with_name(path.name + ".part")
        reader = VerifiedReader(blobs, descriptor)
        try:
            with part.open("wb") as target:
                _write_all(reader, target)
            part.replace(path)
        finally:
            reader.close()
            part.unlink(missing_ok=True)
        self._written.add(descriptor.digest)

    def _path(self, digest: Digest) -> Path:
        path = self._folder / blob_name(digest)
        path.parent.mkdir(parents=True, exist_ok=True)
        return path


def _write_all(reader: VerifiedReader, target: IO[bytes]) -> None:
    """Write what is read, on a thread of its own: reading digests, and both let go of the interpreter's lock."""
    from concurrent.futures import Future, ThreadPoolExecutor  # noqa: PLC0415 - not where nothing is written

    waiting: deque[Future[int]] = deque()
    with ThreadPoolExecutor(1, "layout-writer") as pool:
        while piece := reader.read():
            waiting.append(pool.submit(target.write, piece))
            if len(waiting) > _WAITING_PIECES:
                waiting.popleft().result()
        for written in waiting:
            written.result()


def _replace(path: Path, raw: bytes) -> None:
    part = path.with_name(path.name + ".part")
    try:
        part.write_bytes(raw)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _manifest_for(image: Image) -> bytes:
    """Make the manifest that an image without one would have in a layout."""
    config = {"mediaType": OCI_CONFIG, "digest": image.config.digest, "size": len(image.config.raw)}
    layers = [
        {
            "mediaType": OCI_LAYER + _COMPRESSED[layer_compression(layer.descriptor.media_type)],
            "digest": layer.descriptor.digest,
            "size": layer.descriptor.size,
        }
        for layer in image.layers
    ]
    return _json({"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": config, "layers": layers})


def _platform_json(platform: Platform) -> dict[str, str]:
    variant = {} if platform.variant is None else {"variant": platform.variant}
    return {"architecture": platform.architecture, "os": platform.os, **variant}


def _json(value: dict[str, Any]) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()
