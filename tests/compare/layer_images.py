"""Images built in memory out of tar layers, for the comparison's tests."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO, Any

from verifier.compare import compare
from verifier.model.difference import Comparison, Difference
from verifier.oci.config import parse_config
from verifier.oci.digest import Digest
from verifier.oci.image import Attestation, Image, ImageSet, make_image
from verifier.oci.manifest import Index, Manifest, parse_manifest_or_index
from verifier.stores import write_layout

GZIP = "application/vnd.oci.image.layer.v1.tar+gzip"
PLAIN = "application/vnd.oci.image.layer.v1.tar"


def digest_of(data: bytes) -> Digest:
    return Digest("sha256:" + hashlib.sha256(data).hexdigest())


@dataclass
class Blobs:
    """Blobs by digest; `put_as` lies about one."""

    held: dict[Digest, bytes] = field(default_factory=dict)
    opened: list[Digest] = field(default_factory=list)

    def put(self, data: bytes) -> Digest:
        self.held[digest_of(data)] = data
        return digest_of(data)

    def size_of(self, digest: Digest) -> int | None:
        return len(self.held[digest]) if digest in self.held else None

    def open(self, digest: Digest) -> IO[bytes]:
        self.opened.append(digest)
        return io.BytesIO(self.held[digest])


@dataclass(frozen=True)
class Entry:
    """One entry to write; what is None is tarfile's default."""

    name: str
    content: bytes | None = None
    type: bytes = tarfile.REGTYPE
    mode: int = 0o644
    uid: int = 0
    gid: int = 0
    uname: str = ""
    gname: str = ""
    mtime: float = 1_700_000_000
    linkname: str = ""
    device: tuple[int, int] = (0, 0)
    pax: tuple[tuple[str, str], ...] = ()


def folder(name: str, **more: Any) -> Entry:
    return Entry(name, type=tarfile.DIRTYPE, mode=more.pop("mode", 0o755), **more)


def file(name: str, content: bytes = b"", **more: Any) -> Entry:
    return Entry(name, content, **more)


def symlink(name: str, target: str, **more: Any) -> Entry:
    return Entry(name, type=tarfile.SYMTYPE, linkname=target, mode=more.pop("mode", 0o777), **more)


def hardlink(name: str, target: str, **more: Any) -> Entry:
    return Entry(name, type=tarfile.LNKTYPE, linkname=target, **more)


def tar(entries: Iterable[Entry], form: int = tarfile.PAX_FORMAT) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form, encoding="utf-8", errors="surrogateescape") as archive:
        for entry in entries:
            info = tarfile.TarInfo(entry.name)
            info.type, info.mode, info.uid, info.gid = entry.type, entry.mode, entry.uid, entry.gid
            info.uname, info.gname, info.mtime, info.linkname = entry.uname, entry.gname, entry.mtime, entry.linkname
            info.devmajor, info.devminor = entry.device
            info.pax_headers = dict(entry.pax)
            info.size = len(entry.content or b"")
            archive.addfile(info, io.BytesIO(entry.content or b""))
        end = archive.offset
    # tarfile fills up to 10,240 bytes, by the archive's length; builders end with two blocks
    return out.getvalue()[:end] + bytes(1024)


def image(
    *layers: bytes,
    blobs: Blobs | None = None,
    compress: Any = gzip.compress,
    created_by: Sequence[str] | None = None,
    config: dict[str, Any] | None = None,
    manifest: dict[str, Any] | None = None,
    reference: str = "image",
    media_type: str = GZIP,
    architecture: str = "amd64",
) -> Image:
    """Make an image of tar layers; `compress` makes each layer's blob."""
    blobs = Blobs() if blobs is None else blobs
    made = [compress(layer, mtime=0) if compress is gzip.compress else compress(layer) for layer in layers]
    by = created_by or [f"RUN step {number}" for number in range(len(layers))]
    value = {
        "architecture": architecture,
        "os": "linux",
        "config": {"Env": ["PATH=/bin"]},
        "rootfs": {"type": "layers", "diff_ids": [digest_of(layer) for layer in layers]},
        "history": [{"created": "2024-01-01T00:00:00Z", "created_by": text} for text in by],
        **(config or {}),
    }
    raw_config = json.dumps(value).encode()
    described = {
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": {
            "mediaType": "application/vnd.oci.image.config.v1+json",
            "digest": blobs.put(raw_config),
            "size": len(raw_config),
        },
        "layers": [{"mediaType": media_type, "digest": blobs.put(blob), "size": len(blob)} for blob in made],
        **(manifest or {}),
    }
    parsed = parse_manifest_or_index(json.dumps(described).encode())
    assert isinstance(parsed, Manifest)
    blobs.put(parsed.raw)
    return make_image(reference, blobs, parsed, parse_config(raw_config))


def without_manifest(made: Image) -> Image:
    return replace(made, manifest=None)


def single(made: Image) -> ImageSet:
    return ImageSet(reference=made.reference, index=None, images=(made,))


def indexed(*images: Image, attestations: Sequence[Attestation] = (), more: dict[str, Any] | None = None) -> ImageSet:
    entries = [
        {
            "mediaType": item.manifest.media_type,
            "digest": item.manifest.digest,
            "size": len(item.manifest.raw),
            "platform": {"os": item.platform.os, "architecture": item.platform.architecture},
        }
        for item in images
        if item.manifest is not None
    ]
    raw = json.dumps({"schemaVersion": 2, "manifests": entries, **(more or {})}).encode()
    index = parse_manifest_or_index(raw)
    assert isinstance(index, Index)
    return ImageSet(reference="index", index=index, images=images, attestations=tuple(attestations))


def compare_layers_of(first: Sequence[bytes], second: Sequence[bytes], workspace: Path, **more: Any) -> Comparison:
    return compare(single(image(*first, **more)), single(image(*second, **more)), workspace=workspace)


def layer_facts(comparison: Comparison) -> list[tuple[str | None, str, Any, Any]]:
    """List path, field and values of the differences below the config."""
    return [
        (
            None if item.path is None else item.path.decode("utf-8", "backslashreplace"),
            item.field,
            item.first,
            item.second,
        )
        for item in comparison.all_differences
        if item.part == "layer"
    ]


def fields(comparison: Comparison) -> set[tuple[str | None, str]]:
    return {(path, name) for path, name, _, _ in layer_facts(comparison)}


def mirrored(item: Difference) -> tuple[Any, ...]:
    """What a difference becomes with its sides exchanged, as far as it is symmetric."""
    layer = None if item.layer is None else (item.layer.second, item.layer.first)
    return item.part, layer, item.path, item.occurrence, item.visible, item.field, item.second, item.first


def write_pair(folder: Path, first: ImageSet | Image, second: ImageSet | Image) -> tuple[str, str]:
    """Write two images as OCI layouts into a folder, and give their names."""
    names = []
    for name, made in (("first", first), ("second", second)):
        write_layout(single(made) if isinstance(made, Image) else made, folder / name)
        names.append(f"oci:{folder / name}")
    return names[0], names[1]
