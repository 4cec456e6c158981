"""Images built in memory, and written as layouts and archives of every shape."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from verifier.oci.image import ImageSet
from verifier.oci.media_types import OCI_CONFIG, OCI_INDEX, OCI_LAYER, OCI_MANIFEST
from verifier.oci.platform import Platform
from verifier.oci.reference import parse_image_name
from verifier.stores import open_store

AMD64 = Platform(os="linux", architecture="amd64")
ARM64 = Platform(os="linux", architecture="arm64")

REF_NAME = "org.opencontainers.image.ref.name"
CONTAINERD_NAME = "io.containerd.image.name"

Json = dict[str, Any]


def digest_of(data: bytes) -> str:
    return "sha256:" + hashlib.sha256(data).hexdigest()


def to_json(value: Any) -> bytes:
    return json.dumps(value).encode()


def tar_of(files: Mapping[str, bytes], **options: Any) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", **options) as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return stream.getvalue()


def config_json(layers: Iterable[bytes], platform: Platform = AMD64, **more: Any) -> bytes:
    value: Json = {
        "architecture": platform.architecture,
        "os": platform.os,
        "rootfs": {"type": "layers", "diff_ids": [digest_of(layer) for layer in layers]},
        **more,
    }
    return to_json(value)


class Layout:
    """A layout that grows; `entries` is what `index.json` lists."""

    def __init__(self) -> None:
        self.blobs: dict[str, bytes] = {}
        self.entries: list[Json] = []

    def blob(self, data: bytes, media_type: str, **more: Any) -> Json:
        self.blobs[digest_of(data)] = data
        return {"mediaType": media_type, "digest": digest_of(data), "size": len(data), **more}

    def image(self, content: str = "hello", platform: Platform = AMD64, **more: Any) -> Json:
        """Add an image of one layer; `more` goes into its manifest."""
        layer = tar_of({"file": content.encode()})
        config = self.blob(config_json([layer], platform), OCI_CONFIG)
        manifest = {
            "schemaVersion": 2,
            "mediaType": OCI_MANIFEST,
            "config": config,
            "layers": [self.blob(layer, OCI_LAYER)],
            **more,
        }
        return self.blob(to_json(manifest), OCI_MANIFEST)

    def index(self, *entries: Json, **more: Any) -> Json:
        value = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": list(entries), **more}
        return self.blob(to_json(value), OCI_INDEX)

    def enter(self, descriptor: Json, name: str | None = None, **annotations: str) -> Json:
        """List a descriptor in `index.json`."""
        given = {**({REF_NAME: name} if name else {}), **annotations}
        self.entries.append({**descriptor, **({"annotations": given} if given else {})})
        return descriptor

    def files(self) -> dict[str, bytes]:
        blobs = {f"blobs/{digest.replace(':', '/')}": data for digest, data in self.blobs.items()}
        return {
            "oci-layout": to_json({"imageLayoutVersion": "1.0.0"}),
            "index.json": to_json({"schemaVersion": 2, "manifests": self.entries}),
            **blobs,
        }

    def write_folder(self, path: Path) -> Path:
        for name, data in self.files().items():
            (path / name).parent.mkdir(parents=True, exist_ok=True)
            (path / name).write_bytes(data)
        return path

    def write_archive(self, path: Path) -> Path:
        path.write_bytes(tar_of(self.files()))
        return path


def with_platform(descriptor: Json, platform: Platform) -> Json:
    value = {"os": platform.os, "architecture": platform.architecture}
    if platform.variant:
        value["variant"] = platform.variant
    return {**descriptor, "platform": value}


def as_attestation(descriptor: Json, subject: Json) -> Json:
    annotations = {
        "vnd.docker.reference.type": "attestation-manifest",
        "vnd.docker.reference.digest": subject["digest"],
    }
    platform = Platform(os="unknown", architecture="unknown")
    return with_platform({**descriptor, "annotations": annotations}, platform)


def blob_path(layout: Path, descriptor: Json) -> Path:
    return layout / "blobs" / descriptor["digest"].replace(":", "/")


def load(name: str, workspace: Path, platform: Platform | None = None) -> ImageSet:
    """Load and close: what a store gives of manifests and configs outlives it."""
    store = open_store(parse_image_name(name), workspace)
    try:
        return store.load(platform)
    finally:
        store.close()


def open_files() -> int:
    """Count this process's open file descriptors."""
    return len(list(Path("/proc/self/fd").iterdir()))
