"""The Buildah builder: no daemon, and the embedded default where no engine runs."""

from __future__ import annotations

from verifier.builders.containers_builder import ContainersBuilder
from verifier.builders.containers_options import ImageFormat
from verifier.clients.buildah import BuildahCli


class BuildahBuilder(ContainersBuilder):
    """`buildah build --layers --no-cache`, exported to an OCI layout."""

    name = "buildah"
    needs = (1, 26)

    def __init__(self, image_format: ImageFormat = "oci") -> None:
        super().__init__(BuildahCli(), image_format)
