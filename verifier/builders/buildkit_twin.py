"""A twin of a base image, above which BuildKit finds nothing cached.

`--no-cache` does not reach WORKDIR: above a base it is taken from the cache whenever anybody has built it before.
BuildKit knows a base by the chain of its layers, but by its config's own digest where `rootfs.type` is not `layers`.
The twin has the base's very layers and config with another word in that one field, which no image inherits: what is
built on it is what would be built on the base, WORKDIR included. No layer is copied: an engine that has the layers
takes an archive without them.
"""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from verifier.builders.docker_traces import PRIVATE_HOST, Traces
from verifier.errors import MalformedImageError
from verifier.model.plan import Plan
from verifier.oci.digest import digest_bytes, encoded_of
from verifier.oci.limits import MAX_CONFIG_BYTES, MAX_INDEX_DEPTH, MAX_JSON_BYTES
from verifier.oci.strict_json import parse_object

if TYPE_CHECKING:
    from verifier.clients.engine_client import Engine

_RUNS: Final = ("RUN", "COPY", "ADD", "WORKDIR")
_LIST_BYTES: Final = MAX_JSON_BYTES


@dataclass(frozen=True, slots=True, kw_only=True)
class BaseDocuments:
    """A base's own documents: its config, its manifest where the store has one, its layers' names in an archive."""

    config: Mapping[str, Any]
    manifest: Mapping[str, Any] | None
    layers: tuple[str, ...]


class TwinMaker:
    """Makes twins in an engine: one of each base for each build of a run."""

    def __init__(self, engine: Engine, traces: Traces, run: str, workspace: Path) -> None:
        self._engine = engine
        self._traces = traces
        self._run = run
        self._workspace = workspace

    def make(self, image: str, ordinal: int) -> str:
        """Make the twin of an image, by ID, for build `ordinal`, and give its private tag. Raises NoVerdictError."""
        short = image.removeprefix("sha256:")[:12]
        export = self._workspace / f"base-{short}.tar"
        if not export.exists():
            self._engine.save(image, export)
        tag = f"{PRIVATE_HOST}/{self._run}/twin:{short}-{ordinal}"
        archive = self._workspace / f"twin-{short}-{ordinal}.tar"
        if not archive.exists():
            write_twin(read_documents(export), tag, f"{self._run}-{ordinal}", archive)
            self._traces.add_tag(tag)
            self._engine.load(archive)
        return tag


def begins_with_workdir(plan: Plan) -> bool:
    """Whether some stage's first step is a WORKDIR, which may come from a cache."""
    first: dict[int, str] = {}
    for instruction in plan.instructions:
        keyword = instruction.text.split(maxsplit=1)[0].upper()
        if keyword in _RUNS:
            first.setdefault(instruction.stage.index, keyword)
    return "WORKDIR" in first.values()


def read_documents(archive: Path) -> BaseDocuments:
    """Read an engine's export of one image. Raises MalformedImageError."""
    try:
        with tarfile.open(archive, "r:") as tar:
            (image,) = json.loads(_read(tar, "manifest.json", _LIST_BYTES))
            config_name = str(image["Config"])
            config = _read(tar, config_name, MAX_CONFIG_BYTES)
            manifest = next(
                (item for item in _manifests(tar) if item["config"]["digest"] == digest_bytes(config)), None
            )
            return BaseDocuments(
                config=parse_object(config, "config", max_bytes=MAX_CONFIG_BYTES),
                manifest=manifest,
                layers=tuple(str(layer) for layer in image["Layers"]),
            )
    except (tarfile.TarError, OSError, ValueError, KeyError, TypeError) as error:
        raise MalformedImageError(f"the engine's export of a base image cannot be read: {error}") from None


def write_twin(documents: BaseDocuments, tag: str, marker: str, target: Path) -> None:
    """Write an archive that an engine with the base's layers loads as a twin, `tag`; each `marker` is another one."""
    config = _dump({**documents.config, "rootfs": {**documents.config["rootfs"], "type": f"layers {marker}"}})
    name = f"blobs/sha256/{encoded_of(digest_bytes(config))}"
    entries = {
        name: config,
        "manifest.json": _dump([{"Config": name, "RepoTags": [tag], "Layers": list(documents.layers)}]),
    }
    if documents.manifest is not None:
        descriptor = {**documents.manifest["config"], "digest": digest_bytes(config), "size": len(config)}
        manifest = _dump({**documents.manifest, "config": descriptor})
        entries[f"blobs/sha256/{encoded_of(digest_bytes(manifest))}"] = manifest
        entries["oci-layout"] = _dump({"imageLayoutVersion": "1.0.0"})
        entries["index.json"] = _dump(_index(documents, manifest, tag))
    with tarfile.open(target, "w", format=tarfile.PAX_FORMAT) as tar:
        for path, data in entries.items():
            header = tarfile.TarInfo(path)
            header.size = len(data)
            tar.addfile(header, io.BytesIO(data))


def _index(documents: BaseDocuments, manifest: bytes, tag: str) -> dict[str, Any]:
    platform = {key: documents.config[key] for key in ("architecture", "os", "variant") if documents.config.get(key)}
    media_type = (documents.manifest or {}).get("mediaType") or "application/vnd.oci.image.manifest.v1+json"
    entry = {
        "mediaType": media_type,
        "digest": digest_bytes(manifest),
        "size": len(manifest),
        "platform": platform,
        "annotations": {"io.containerd.image.name": tag},
    }
    return {"schemaVersion": 2, "manifests": [entry]}


def _manifests(tar: tarfile.TarFile) -> Iterator[dict[str, Any]]:
    """Yield the image manifests under `index.json`, as far as the export has them."""
    try:
        waiting = [(parse_object(_read(tar, "index.json", MAX_JSON_BYTES), "index.json"), 0)]
    except KeyError:
        return
    while waiting:
        document, depth = waiting.pop()
        if "config" in document:
            yield document
        children: Sequence[Mapping[str, Any]] = document.get("manifests") or ()
        for child in children if depth < MAX_INDEX_DEPTH else ():
            name = f"blobs/sha256/{str(child['digest']).partition(':')[2]}"
            try:
                waiting.append((parse_object(_read(tar, name, MAX_JSON_BYTES), name), depth + 1))
            except KeyError:
                continue  # another platform's manifest, which this engine has not pulled


def _read(tar: tarfile.TarFile, name: str, limit: int) -> bytes:
    member = tar.getmember(name)
    if not member.isreg() or member.size > limit:
        raise MalformedImageError(f"{name} of a base image's export is no file of at most {limit} bytes")
    file = tar.extractfile(member)
    return file.read() if file is not None else b""


def _dump(value: Any) -> bytes:
    return json.dumps(value).encode()
