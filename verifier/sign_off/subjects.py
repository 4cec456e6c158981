"""Choose what is signed for: the digests of the image that was verified."""

from __future__ import annotations

from collections.abc import Iterator

from verifier.errors import UsageError
from verifier.model.report import PlatformPair, Report, ReportedImage, Side
from verifier.model.sign_off import Subject
from verifier.oci.digest import Digest

_NAMELESS = "image"


def choose_subjects(report: Report, name: str | None, wanted: Digest | None) -> tuple[Subject, ...]:
    """Give the digests of one side: the side that has the digest `wanted`, else the first that has images.

    The first build is the one that is loaded and pushed. `wanted` is an index's, a manifest's or a config's digest.
    Raises UsageError where no side has it, or where there is no image at all.
    """
    sides = [subjects for number in (0, 1) if (subjects := tuple(_of_side(report, number, name or _NAMELESS)))]
    if not sides:
        raise UsageError("the report has no image: there is nothing to sign for", "sign a report that has a verdict")
    if wanted is None:
        return sides[0]
    for subjects in sides:
        if any(subject.digest == wanted for subject in subjects):
            return subjects
    known = ", ".join(dict.fromkeys(subject.digest for subjects in sides for subject in subjects))
    raise UsageError(f"{wanted} is no image of this report", f"its images: {known}")


def with_manifest(subjects: tuple[Subject, ...], config: Digest, manifest: Digest) -> tuple[Subject, ...]:
    """Sign for a pushed manifest in place of the config digest that it has, where the report had no manifest."""
    return tuple(
        Subject(name=item.name, digest=manifest, kind="manifest", platform=item.platform)
        if item.kind == "config" and item.digest == config
        else item
        for item in subjects
    )


def _of_side(report: Report, number: int, name: str) -> Iterator[Subject]:
    side = (report.first, report.second)[number]
    index = None if side is None else side.index_digest
    images = [(pair.platform, image) for pair in report.platforms if (image := _image(pair, number)) is not None]
    if not images:
        return
    if index is not None and not any(image.manifest_digest == index for _, image in images):
        yield Subject(name=name, digest=index, kind="index", platform=None)
    for platform, image in images:
        if image.manifest_digest is not None:
            yield Subject(name=name, digest=image.manifest_digest, kind="manifest", platform=platform)
        else:
            yield Subject(name=name, digest=image.config_digest, kind="config", platform=platform)


def _image(pair: PlatformPair, number: int) -> ReportedImage | None:
    return (pair.first, pair.second)[number]


def name_of(report: Report) -> str:
    """Name the image where nobody does: the side that existed, else the Dockerfile."""
    side: Side | None = report.first
    if report.inputs is not None and (side is None or side.builder is not None):
        return report.inputs.dockerfile_path
    return _NAMELESS if side is None else side.reference
