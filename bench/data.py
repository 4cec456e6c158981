"""Make the benchmark's image pairs: OCI layouts with gzip layers, the same bytes on every machine with one zlib."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import random
import shutil
import tarfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final

MIB: Final = 1024 * 1024
_POOL_BYTES: Final = 48 * MIB
_EPOCH: Final = 1_700_000_000
_FORMAT: Final = "4"
"""Raise this when the data changes: a cached pair of another format is made again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SyntheticFile:
    """One file of a made-up layer: a stretch of the pool, its mtime, and bytes to change in it."""

    path: str
    offset: int
    size: int
    mtime: int
    patch: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """Two OCI layouts; sizes are of one side, in bytes."""

    name: str
    first: Path
    second: Path
    tar_bytes: int
    blob_bytes: int
    entries: int


def make_pool() -> bytes:
    """Make the bytes that all contents are cut from; gzip leaves about two thirds of them, as of a real image."""
    source = random.Random(20_240_501)
    skewed = bytes(min(255, int((symbol / 255) ** 2.1 * 255)) for symbol in range(256))
    words = [source.randbytes(source.randint(4, 24)).translate(skewed) for _ in range(4_000)]
    pieces: list[bytes] = []
    made = 0
    while made < _POOL_BYTES:
        piece = source.randbytes(source.randint(64, 900)).translate(skewed)
        copies = b"".join(source.choices(words[:400], k=source.randint(8, 48)))
        pieces += (piece, copies)
        made += len(piece) + len(copies)
    return b"".join(pieces)[:_POOL_BYTES]


def synthetic_files(count: int, total: int, seed: int) -> list[SyntheticFile]:
    """Lay out `count` files of `total` bytes together, many small and a few large, as in a real root."""
    source = random.Random(seed)
    weights = [source.lognormvariate(0, 1.8) for _ in range(count)]
    scale = total / sum(weights)
    files = []
    for number, weight in enumerate(weights):
        size = min(int(weight * scale) + 1, _POOL_BYTES // 2)
        files.append(
            SyntheticFile(
                path=f"usr/share/package-{number // 200:04d}/part-{number // 20 % 10}/file-{number:06d}.dat",
                offset=source.randrange(_POOL_BYTES - size),
                size=size,
                mtime=_EPOCH - source.randrange(100_000_000),
            )
        )
    return files


def with_changed_contents(files: Iterable[SyntheticFile], every: int) -> list[SyntheticFile]:
    """Change eight bytes in the middle of each `every`-th file."""
    return [
        SyntheticFile(path=file.path, offset=file.offset, size=file.size, mtime=file.mtime, patch=b"\0CHANGED")
        if number % every == every // 2
        else file
        for number, file in enumerate(files)
    ]


def with_changed_mtimes(files: Iterable[SyntheticFile]) -> list[SyntheticFile]:
    """Move every mtime by one minute."""
    return [SyntheticFile(path=file.path, offset=file.offset, size=file.size, mtime=file.mtime + 60) for file in files]


class _Counted(io.RawIOBase):
    """Digest and count what passes through on its way to `below`."""

    def __init__(self, below: IO[bytes] | gzip.GzipFile) -> None:
        self.below = below
        self.digest = hashlib.sha256()
        self.size = 0

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self.digest.update(data)
        self.size += len(data)
        self.below.write(data)
        return len(data)


def write_layout(folder: Path, fill: Callable[[IO[bytes]], int], created: str) -> tuple[int, int, int]:
    """Write an OCI layout of one gzip layer; give the layer's tar bytes, its blob bytes and its entries."""
    blobs = folder / "blobs" / "sha256"
    blobs.mkdir(parents=True)
    temporary = folder / "layer"
    with temporary.open("wb") as handle:
        blob = _Counted(handle)
        with gzip.GzipFile(filename="", mode="wb", fileobj=blob, compresslevel=6, mtime=0) as packed:  # type: ignore[arg-type]
            tar = _Counted(packed)
            entries = fill(io.BufferedWriter(tar, MIB))  # type: ignore[type-var, assignment, arg-type]
    temporary.rename(blobs / blob.digest.hexdigest())
    config = _put(
        blobs,
        {
            "architecture": "amd64",
            "os": "linux",
            "created": created,
            "config": {"Env": ["PATH=/usr/bin"], "Cmd": ["/bin/sh"]},
            "rootfs": {"type": "layers", "diff_ids": [f"sha256:{tar.digest.hexdigest()}"]},
            "history": [{"created": created, "created_by": "COPY . /"}],
        },
    )
    layer = {"digest": f"sha256:{blob.digest.hexdigest()}", "size": blob.size}
    manifest = _put(
        blobs,
        {
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": {"mediaType": "application/vnd.oci.image.config.v1+json", **config},
            "layers": [{"mediaType": "application/vnd.oci.image.layer.v1.tar+gzip", **layer}],
        },
    )
    described = {"mediaType": "application/vnd.oci.image.manifest.v1+json", **manifest}
    (folder / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [described]}))
    (folder / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
    return tar.size, blob.size, entries


def _put(blobs: Path, value: dict[str, Any]) -> dict[str, Any]:
    raw = json.dumps(value).encode()
    encoded = hashlib.sha256(raw).hexdigest()
    (blobs / encoded).write_bytes(raw)
    return {"digest": f"sha256:{encoded}", "size": len(raw)}


def layer_of(files: Iterable[SyntheticFile], pool: bytes) -> Callable[[IO[bytes]], int]:
    """Give the function that writes `files` as a layer, each folder before what is in it."""

    def fill(handle: IO[bytes]) -> int:
        entries = 0
        with tarfile.open(fileobj=handle, mode="w|", format=tarfile.PAX_FORMAT, bufsize=MIB) as archive:
            for member, content in _members(files, pool):
                archive.addfile(member, None if content is None else io.BytesIO(content))
                entries += 1
        handle.flush()
        return entries

    return fill


def _members(files: Iterable[SyntheticFile], pool: bytes) -> Iterator[tuple[tarfile.TarInfo, bytes | None]]:
    folders: set[str] = set()
    for file in files:
        parts = file.path.split("/")[:-1]
        for depth in range(1, len(parts) + 1):
            folder = "/".join(parts[:depth])
            if folder not in folders:
                folders.add(folder)
                made = tarfile.TarInfo(folder)
                made.type, made.mode, made.mtime = tarfile.DIRTYPE, 0o755, file.mtime
                yield made, None
        content = pool[file.offset : file.offset + file.size]
        if file.patch:
            middle = file.size // 2
            content = (content[:middle] + file.patch + content[middle + len(file.patch) :])[: file.size]
        member = tarfile.TarInfo(file.path)
        member.size, member.mode, member.mtime = len(content), 0o644, file.mtime
        yield member, content


def find_pair(cache: Path, name: str) -> Pair | None:
    """Give a pair that the cache holds."""
    folder = cache / name
    facts = folder / "pair.json"
    if facts.exists():
        known = json.loads(facts.read_text())
        if known.pop("format") == _FORMAT:
            return Pair(name=name, first=folder / "first", second=folder / "second", **known)
    return None


def make_pair(cache: Path, name: str, write: Callable[[Path, Path], tuple[int, int, int]]) -> Pair:
    """Give the pair called `name`, made by `write(first, second)` unless the cache holds it already."""
    folder = cache / name
    facts = folder / "pair.json"
    if pair := find_pair(cache, name):
        return pair
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    tar_bytes, blob_bytes, entries = write(folder / "first", folder / "second")
    known = {"tar_bytes": tar_bytes, "blob_bytes": blob_bytes, "entries": entries}
    facts.write_text(json.dumps({"format": _FORMAT, **known}))
    return Pair(name=name, first=folder / "first", second=folder / "second", **known)


def write_synthetic(
    first: Path, second: Path, files: list[SyntheticFile], others: list[SyntheticFile], pool: bytes
) -> tuple[int, int, int]:
    """Write both layouts of a synthetic pair."""
    facts = write_layout(first, layer_of(files, pool), "2024-01-01T00:00:00Z")
    write_layout(second, layer_of(others, pool), "2024-01-01T00:00:00Z")
    return facts
