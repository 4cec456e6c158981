"""Push the builds of a run, so that the registry says what their manifest digests are.

Every build is pushed by its digest; the name that the user gave is moved to the verified one at the end, or not at all.
The classic engine compresses while it pushes, and takes no push without a tag: there the tags are our own, and removed.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from verifier.errors import StoreError
from verifier.model.build import Build
from verifier.oci.digest import Digest
from verifier.oci.image import ImageSet
from verifier.oci.reference import DEFAULT_TAG, Reference
from verifier.pipeline.images import load_images
from verifier.stores.registry import Repository
from verifier.stores.registry_push import push_image


class Pushes:
    """The pushes of one run to one repository; `say` is told what the user should know of."""

    def __init__(self, reference: Reference, say: Callable[[str], None]) -> None:
        """Take the name that the verified image is to have; it has a tag and no digest."""
        self._reference = reference
        self._say = say
        self._digests: list[Digest] = []

    def check(self) -> None:
        """Ask the registry, before anything is built, whether we may push there. Raises StoreError."""
        with Repository(self._reference) as repository:
            repository.check_push()

    def push(
        self, build: Build, images: ImageSet, workspace: Path, stores: contextlib.ExitStack
    ) -> tuple[Build, ImageSet]:
        """Push one build; give it with the manifest that the registry has. Raises NoVerdictError."""
        with Repository(self._reference) as repository:
            if all(image.manifest is not None for image in images.images):
                digest = push_image(images, repository)
                self._digests.append(digest)
                return replace(build, manifest_source="registry"), images
            digest = self._push_by_engine(build, repository)
        self._digests.append(digest)
        location = f"docker://{self._reference.name}@{digest}"
        return replace(build, manifest_source="registry"), load_images(location, None, workspace, stores)

    def give_name(self, *, verified: bool) -> None:
        """Move the tag to the first build that was pushed, where the required level holds. Raises StoreError."""
        if not verified:
            digests = ", ".join(dict.fromkeys(self._digests))
            self._say(f"pushed to {self._reference.name} without a tag, as the required level does not hold: {digests}")
            return
        with Repository(self._reference) as repository:
            document = repository.manifest(self._digests[0])
            repository.push_manifest(document.raw, document.media_type, self._reference.tag)
        self._say(f"pushed: {self._reference}@{self._digests[0]}")

    def _push_by_engine(self, build: Build, repository: Repository) -> Digest:
        from verifier.clients.engine import connect_engine  # noqa: PLC0415  # docker-py takes 150 ms to import

        if build.image_id is None:
            raise StoreError(f"build {build.ordinal} has no manifest, and is in no engine that could push it")
        tag = f"{(self._reference.tag or DEFAULT_TAG)[:90]}.verify-build.{build.ordinal}"
        name = f"{self._reference.name}:{tag}"
        with connect_engine() as engine:
            engine.tag(build.image_id, name)
            try:
                digest = engine.push(name)
            finally:
                engine.remove_image(name)
        found = repository.resolve(tag)
        if found is None or found.digest != digest:
            raise StoreError(f"{name} is not what the Docker engine pushed", "somebody else pushes there at this time")
        if not repository.delete_tag(tag):
            self._say(f"the registry {self._reference.registry} removes no tags: {name} is left there")
        return digest
