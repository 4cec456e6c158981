"""Images in files: layouts in folders, and archives of every shape."""

from __future__ import annotations

from pathlib import Path

from verifier.errors import StoreError
from verifier.oci.image import ImageSet
from verifier.oci.platform import Platform
from verifier.oci.reference import ImageName
from verifier.stores.archive import Archive
from verifier.stores.docker_archive import MANIFEST_FILE, load_docker_archive
from verifier.stores.files import errors_about
from verifier.stores.folder import Folder
from verifier.stores.layout import INDEX_FILE, LAYOUT_FILE, load_layout


class FolderStore:
    """A layout in a folder (`oci:DIR`)."""

    def __init__(self, name: ImageName, path: Path) -> None:
        self._name = name
        self._path = path

    def load(self, platform: Platform | None) -> ImageSet:
        """Read what the name means. Raises StoreError."""
        with errors_about(str(self._path), self._name.text, self._name.location):
            return load_layout(self._name, Folder(self._path), platform)

    def close(self) -> None:
        """Do nothing: no file stays open."""


class ArchiveStore:
    """An archive (`oci-archive:PATH`, `docker-archive:PATH`), opened when it is first loaded.

    A Docker archive that is a layout as well (engine 25 and later) is read as the layout, which has the manifests.
    """

    def __init__(self, name: ImageName, path: Path, workspace: Path) -> None:
        self._name = name
        self._path = path
        self._workspace = workspace
        self._archive: Archive | None = None

    def load(self, platform: Platform | None) -> ImageSet:
        """Read what the name means. Raises StoreError, ResourceError when an inflated archive does not fit the disk."""
        with errors_about(str(self._path), self._name.text, self._name.location):
            if self._archive is None:
                self._archive = self._opened()
            if self._is_layout(self._archive):
                return load_layout(self._name, self._archive, platform)
            return load_docker_archive(self._name, self._archive, platform)

    def _opened(self) -> Archive:
        if self._path.is_dir():
            raise StoreError("it is a folder, not an archive", f"for a layout in a folder: oci:{self._path}")
        return Archive(self._path, self._workspace)

    def _is_layout(self, archive: Archive) -> bool:
        if self._name.transport != "oci-archive":
            return LAYOUT_FILE in archive and INDEX_FILE in archive
        if LAYOUT_FILE not in archive and MANIFEST_FILE in archive:
            raise StoreError("it is a Docker archive, not an OCI one", f"docker-archive:{self._path}")
        return True

    def close(self) -> None:
        """Close the file, and remove what was inflated; safe to call twice."""
        if self._archive is not None:
            self._archive.close()
            self._archive = None
