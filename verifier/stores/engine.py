"""Images of a Docker engine (`docker-daemon:NAME`), saved into the workspace and read as an archive."""

from __future__ import annotations

import contextlib
import shutil
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, Protocol

from verifier.errors import StoreError
from verifier.oci.image import ImageSet
from verifier.oci.platform import Platform
from verifier.oci.reference import ImageName
from verifier.stores.local import ArchiveStore
from verifier.stores.workspace import new_folder, room_in

PATIENCE_SECONDS: Final = 3.0
"""How long a hint may take."""


class Engine(Protocol):
    """What is needed of an engine's client."""

    def inspect_image(self, name: str) -> Mapping[str, Any] | None:
        """Give the engine's description of an image, None when it has none of that name."""

    def save(self, name: str, destination: Path, limit_bytes: int | None = None) -> None:
        """Write what `docker save NAME` gives to a file that does not exist, at most `limit_bytes`."""

    def close(self) -> None:
        """Let go of every connection."""


class EngineStore:
    """One image of an engine; it is asked when the image is first loaded."""

    def __init__(self, name: ImageName, workspace: Path, connect: Callable[[], Engine]) -> None:
        self._name = name
        self._workspace = workspace
        self._connect = connect
        self._folder: Path | None = None
        self._archive: ArchiveStore | None = None

    def load(self, platform: Platform | None) -> ImageSet:
        """Save and read the image.

        Raises StoreError, ResourceError when it does not fit the disk, BuilderUnavailableError when no engine answers.
        """
        if self._archive is None:
            self._archive = self._saved()
        return self._archive.load(platform)

    def _saved(self) -> ArchiveStore:
        name = self._name.location
        with contextlib.closing(self._connect()) as engine:
            if engine.inspect_image(name) is None:
                raise StoreError(f"the Docker engine has no image {name}", "docker image ls shows what it has")
            self._folder = self._folder or new_folder(self._workspace, "engine-")
            path = self._folder / "saved.tar"
            engine.save(name, path, room_in(self._workspace))
        return ArchiveStore(self._name, path, self._workspace)

    def close(self) -> None:
        """Remove what was saved; safe to call twice."""
        if self._archive is not None:
            self._archive.close()
            self._archive = None
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None


def engine_has(name: str, connect: Callable[[], Engine]) -> bool:
    """Tell whether an engine answers within PATIENCE_SECONDS and has an image; whatever goes wrong means no."""
    found: list[bool] = []

    def ask() -> None:
        with contextlib.suppress(Exception), contextlib.closing(connect()) as engine:  # a hint is worth no failure
            found.append(engine.inspect_image(name) is not None)

    # The client's own time limit is long, and an engine may be at the other end of a dead network.
    asking = threading.Thread(target=ask, daemon=True)
    asking.start()
    asking.join(PATIENCE_SECONDS)
    return found == [True]
