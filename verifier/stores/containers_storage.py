"""Images of Buildah and Podman (`containers-storage:NAME`), exported to a layout in the workspace."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from verifier.oci.image import ImageSet
from verifier.oci.platform import Platform
from verifier.oci.reference import ImageName
from verifier.stores.local import FolderStore
from verifier.stores.workspace import new_folder


class ContainersStorageStore:
    """One image of the containers storage; it is exported when the image is first loaded."""

    def __init__(self, name: ImageName, workspace: Path, export: Callable[[str, Path], None]) -> None:
        self._name = name
        self._workspace = workspace
        self._export = export
        self._folder: Path | None = None

    def load(self, platform: Platform | None) -> ImageSet:
        """Export and read the image. Raises StoreError, BuilderUnavailableError when no program can export it."""
        if self._folder is None:
            folder = new_folder(self._workspace, "storage-")
            try:
                self._export(self._name.location, folder / "layout")
            except BaseException:
                shutil.rmtree(folder, ignore_errors=True)
                raise
            self._folder = folder
        return FolderStore(self._name, self._folder / "layout").load(platform)

    def close(self) -> None:
        """Remove what was exported; safe to call twice."""
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None
