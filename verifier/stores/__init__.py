"""Where images come from: one immutable view over layouts, archives, engines, the containers storage and registries.

`open_store` gives the store that a name means. A store reads nothing before `load`, and removes what it made at
`close`; blobs are read from it in between.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from verifier.oci.image import Store
from verifier.oci.reference import ImageName, parse_reference
from verifier.stores.containers_storage import ContainersStorageStore
from verifier.stores.engine import Engine, EngineStore
from verifier.stores.layout_writer import write_layout
from verifier.stores.local import ArchiveStore, FolderStore
from verifier.stores.registry import Access
from verifier.stores.registry_store import RegistryStore

__all__ = ["Engine", "open_store", "write_layout"]


def open_store(
    name: ImageName,
    workspace: Path,
    *,
    connect: Callable[[], Engine] | None = None,
    export: Callable[[str, Path], None] | None = None,
    access: Access | None = None,
) -> Store:
    """Give the store that holds the image `name`.

    `workspace` is a folder for what has to be copied before it can be read. `connect` gives the engine, `export` writes
    an image of the containers storage to a layout; by default these are this package's own clients. `access` says how
    registries are reached.
    """
    if name.transport == "oci":
        return FolderStore(name, name.path)
    if name.transport in ("oci-archive", "docker-archive"):
        return ArchiveStore(name, name.path, workspace)
    if name.transport == "docker-daemon":
        return EngineStore(name, workspace, connect or _connect)
    if name.transport == "containers-storage":
        return ContainersStorageStore(name, workspace, export or _export)
    reference = name.reference or parse_reference(name.location)
    return RegistryStore(name, reference, workspace, connect or _connect, access)


def _connect() -> Engine:
    from verifier.clients.engine import connect_engine  # noqa: PLC0415  # docker-py takes 150 ms to import

    return connect_engine()


def _export(name: str, layout: Path) -> None:
    from verifier.clients.containers import export_from_storage  # noqa: PLC0415  # for this transport alone

    export_from_storage(name, layout)
