"""What the Buildah builder and the Podman builder have in common: all but the program."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from verifier.builders.containers_options import ImageFormat
from verifier.builders.containers_refusals import has_reproducible_mode, version_tuple
from verifier.builders.containers_session import ContainersProgram, ContainersSession
from verifier.clients.containers import ContainersCli
from verifier.errors import BuilderUnavailableError
from verifier.model.build import BuilderIdentity, BuilderName


class ContainersBuilder:
    """A builder of the containers tools; `image_format` is the manifest's and the config's media types."""

    name: ClassVar[BuilderName]
    needs: ClassVar[tuple[int, ...]]

    def __init__(self, cli: ContainersCli, image_format: ImageFormat = "oci") -> None:
        self._cli = cli
        self._format = image_format
        self._program: ContainersProgram | None = None

    def identify(self) -> BuilderIdentity:
        """Ask for the version and the options of `build`. Raises BuilderUnavailableError, with the remedy as hint."""
        return self._known().identity

    def open(self, workspace: Path) -> ContainersSession:
        """Begin a run. Raises BuilderUnavailableError."""
        return ContainersSession(self._known(), workspace, self._format)

    def _known(self) -> ContainersProgram:
        if self._program is None:
            self._program = self._ask()
        return self._program

    def _ask(self) -> ContainersProgram:
        install = f"apt-get install --no-install-recommends {self.name} runc"
        try:
            version = self._cli.version()
            user = self._cli.user_storage()
        except BuilderUnavailableError as error:
            raise BuilderUnavailableError(error.message, error.hint or install) from None
        if version_tuple(version) < self.needs:
            needed = ".".join(map(str, self.needs))
            raise BuilderUnavailableError(f"{self.name} {version} is too old: {needed} is needed", install)
        flags = self._cli.build_flags()
        engine = user.buildah_version or version
        identity = BuilderIdentity(
            name=self.name,
            version=version if engine == version else f"{version}, Buildah {engine}",
            reproducible=has_reproducible_mode(flags),
            shows_manifest=True,
            limits=tuple(self._limits(flags, engine)),
            varies=("cpus",),
        )
        return ContainersProgram(cli=self._cli, identity=identity, engine_version=engine, flags=flags, user=user)

    def _limits(self, flags: frozenset[str], engine: str) -> list[str]:
        said = ["an image has no manifest before it is pushed: the manifest compared is that of its export"]
        if self._format == "oci":
            said.append("HEALTHCHECK, ONBUILD and SHELL are left out of images in OCI format, with a warning")
        if version_tuple(engine) < (1, 33):
            said.append("here-documents are refused: Buildah knows them from 1.33 on")
        if not has_reproducible_mode(flags):
            said.append("there is no reproducible mode: neither --timestamp nor --source-date-epoch")
        elif "rewrite-timestamp" not in flags:
            said.append("--reproducible sets every new file's time to the epoch (--timestamp), earlier times too")
            if self._format == "docker":
                said.append("--reproducible does not hold a config in Docker's format: it names containers by chance")
        return said
