"""Look for content that will differ tomorrow, in what was built today and did not differ."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from verifier.assemble import Source, side_context
from verifier.model.difference import Difference
from verifier.model.finding import Risk
from verifier.model.instruction import Instruction
from verifier.model.report import PlatformPair, ReportedImage
from verifier.oci.image import Image, ImageSet

MAX_SCANNED_BYTES: Final = 2 * 1024**3
"""Of layers, as their blobs are; what comes after is not looked into."""

_CHUNK: Final = 1024 * 1024


def find_latent(
    images: ImageSet, source: Source | None, platforms: Sequence[PlatformPair], differences: Sequence[Difference]
) -> tuple[Risk, ...]:
    """Find the dates of the build's day in files of the second side that are the same on the first.

    Raises StoreError, MalformedImageError, DigestMismatchError.
    """
    if source is None:
        return ()
    from verifier.latent import LatentDate, find_latent_dates, latent_risks, without_inputs  # noqa: PLC0415

    side = side_context(source)
    dates: list[LatentDate] = []
    for image, reported in _pairs(images, platforms):
        for number, instruction in _built(reported):
            differing = {
                item.path
                for item in differences
                if item.layer is not None and item.layer.second == number and item.field in ("content", "entry")
            }
            files = (item for item in _files(image, number) if item[0] not in differing)
            dates += find_latent_dates(files, side, instruction)
        if dates:
            dates = list(without_inputs(tuple(dates), _inputs(image, reported, source)))
    return latent_risks(dates)


def _pairs(images: ImageSet, platforms: Sequence[PlatformPair]) -> Iterator[tuple[Image, ReportedImage]]:
    for pair in platforms:
        found = [image for image in images.images if str(image.platform) == pair.platform]
        if len(found) == 1 and pair.second is not None:
            yield found[0], pair.second


def _built(reported: ReportedImage) -> Iterator[tuple[int, Instruction]]:
    """Yield the layers that a RUN made, or a COPY from a stage: what ADD and COPY take from outside is input."""
    left = MAX_SCANNED_BYTES
    for number, layer in enumerate(reported.layers):
        if layer.instruction is None or layer.origin == "base" or layer.size > left:
            continue
        text = layer.instruction.text.upper()
        if text.startswith("RUN") or (text.startswith("COPY") and "--FROM=" in text):
            left -= layer.size
            yield number, layer.instruction


def _files(image: Image, number: int) -> Iterator[tuple[bytes, bytes]]:
    from verifier.compare.scan import scan_layer  # noqa: PLC0415  # only where something was built
    from verifier.latent import MAX_FILE_BYTES  # noqa: PLC0415

    return scan_layer(image, number, MAX_FILE_BYTES)


def _inputs(image: Image, reported: ReportedImage, source: Source) -> Iterator[Iterator[bytes]]:
    """Give the inputs to look through: Dockerfile and context, then the base's layers."""
    from verifier.compare.scan import stream_of  # noqa: PLC0415  # only where a date was found

    yield iter((source.plan.dockerfile.raw,))
    yield _read(source)
    for number, layer in enumerate(reported.layers):
        if layer.origin == "base":
            yield stream_of(image, number)


def _read(source: Source) -> Iterator[bytes]:
    with source.plan.context.archive.open("rb") as archive:
        while piece := archive.read(_CHUNK):
            yield piece
