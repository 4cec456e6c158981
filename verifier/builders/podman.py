"""The Podman builder: Buildah's engine, by Podman's command line and configuration."""

from __future__ import annotations

from verifier.builders.containers_builder import ContainersBuilder
from verifier.builders.containers_options import ImageFormat
from verifier.clients.podman import PodmanCli


class PodmanBuilder(ContainersBuilder):
    """`podman build --layers --no-cache`, exported to an OCI layout."""

    name = "podman"
    needs = (4, 1)

    def __init__(self, image_format: ImageFormat = "oci") -> None:
        super().__init__(PodmanCli(), image_format)
