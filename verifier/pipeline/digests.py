"""List the digests of images, wherever they are."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from pathlib import Path

from verifier import __version__
from verifier.errors import NoVerdictError
from verifier.model.digests import DigestReport, ImageDigests, Unread, same_images
from verifier.model.request import DigestsRequest
from verifier.oci.digest import Digest
from verifier.oci.image import ImageSet
from verifier.oci.reference import ImageName, parse_image_name
from verifier.stores import open_store
from verifier.workspace import open_workspace


def digests(request: DigestsRequest) -> DigestReport:
    """Read every image's documents, no layer. What could not be looked at is in the report. Raises UsageError."""
    images: list[ImageDigests] = []
    unread: list[Unread] = []
    names = [parse_image_name(text) for text in request.images]
    with open_workspace() as workspace:
        for number, name in enumerate(names):
            try:
                images += _read(name, request, workspace / str(number))
            except NoVerdictError as error:
                unread.append(Unread(reference=name.text, message=error.message, hint=error.hint))
    found = tuple(images)
    return DigestReport(tool_version=__version__, images=found, unread=tuple(unread), same=same_images(found))


def _read(name: ImageName, request: DigestsRequest, workspace: Path) -> list[ImageDigests]:
    workspace.mkdir()
    tag_digest = _tag_digest(name)
    with contextlib.ExitStack() as stores:
        store = open_store(name, workspace)
        stores.callback(store.close)
        images = store.load(request.platform)
        return _rows(name, images, tag_digest)


def _rows(name: ImageName, images: ImageSet, tag_digest: Digest | None) -> list[ImageDigests]:
    return [
        ImageDigests(
            reference=name.text,
            tag_digest=tag_digest,
            index=None if images.index is None else images.index.digest,
            manifest=None if image.manifest is None else image.manifest.digest,
            config=image.config.digest,
            platform=str(image.platform),
            size=sum(layer.descriptor.size for layer in image.layers),
            layers=len(image.layers),
            created=image.config.created,
        )
        for image in images.images
    ]


def _tag_digest(name: ImageName) -> Digest | None:
    """Ask the registry what the tag points to now, whatever digest stands beside it. Raises StoreError."""
    reference = name.reference
    if name.transport != "registry" or reference is None or reference.tag is None:
        return None
    from verifier.stores.registry import Repository  # noqa: PLC0415  # only where a registry is asked

    with Repository(replace(reference, digest=None)) as repository:
        found = repository.resolve()
    return None if found is None else found.digest
