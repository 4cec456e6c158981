"""`--against`: take from a published image what it tells of how it was built, so that the rebuild is built alike.

Whatever the user says wins. What the image itself shows (platform, `created`, labels) is as good as the image; what its
provenance says is unsigned, hence a hint, and called that in the notes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from verifier.builders.protocol import BuilderSession
from verifier.clients.timestamps import parse_timestamp
from verifier.dockerfile import Dockerfile
from verifier.dockerfile.arguments import host_platform
from verifier.errors import BaseNotHeldError, StoreError, UsageError
from verifier.model.build import BuilderName
from verifier.model.plan import BaseReference, HeldBase
from verifier.model.request import VerifyRequest
from verifier.oci.blob import read_blob
from verifier.oci.digest import Digest
from verifier.oci.image import Image, ImageSet
from verifier.oci.provenance import MAX_PROVENANCE_BYTES, Provenance, provenance_of, read_provenance
from verifier.oci.reference import parse_reference
from verifier.oci.strict_json import parse_object
from verifier.plan.epoch import MAX_EPOCH

_LABELS: Final = "org.opencontainers.image."
_EPOCH: Final = "SOURCE_DATE_EPOCH"
_OF_THE_MACHINE: Final = re.compile(r"BUILDKIT_.*|(?:https?|ftp|no|all)_proxy", re.IGNORECASE)
"""Build arguments that steer the builder or its network, and say nothing of what is built."""

_CREATED: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.(\d+))?(?:Z|[+-]\d\d:\d\d)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """The request with what was taken, labels to set, and digests of bases by canonical reference; `notes` tell all."""

    request: VerifyRequest
    labels: tuple[tuple[str, str], ...] = ()
    bases: tuple[tuple[str, Digest], ...] = ()
    notes: tuple[str, ...] = ()


def take(
    published: ImageSet,
    request: VerifyRequest,
    dockerfile: Dockerfile,
    builder: BuilderName,
    environment: Mapping[str, str],
) -> Taken:
    """Read how `published` was built, as far as it says. Raises StoreError where its provenance cannot be had."""
    notes: list[str] = []
    image = _image(published, request)
    if image is None:
        return Taken(request=request)
    if request.platform is None and not image.platform.matches(host_platform()):
        request = replace(request, platform=image.platform)
        notes.append(f"taken from {published.reference}: platform {image.platform}")
    provenance, told = _provenance(published, image)
    notes += told
    labels: tuple[tuple[str, str], ...] = ()
    if provenance is not None:
        request, labels, told = _follow(provenance, request, dockerfile, published.reference)
        notes += told
    if request.reproducible and request.source_date_epoch is None and not environment.get(_EPOCH):
        seconds, told_of_epoch = _epoch_of(image, published.reference)
        request = request if seconds is None else replace(request, source_date_epoch=str(seconds))
        notes.append(told_of_epoch)
    if provenance is None or not provenance.complete:
        labels = tuple(_labels(image, dockerfile, builder))
        names = ", ".join(key for key, _ in labels)
        notes += [f"taken from {published.reference}: labels that no LABEL here sets: {names}"] if labels else []
    bases = () if provenance is None else provenance.images
    return Taken(request=request, labels=labels, bases=bases, notes=tuple(notes))


def hinted(
    references: Sequence[BaseReference], bases: Sequence[tuple[str, Digest]], dockerfile: Dockerfile
) -> tuple[BaseReference, ...]:
    """Give each base the digest that it had by provenance, where nothing else says which one it is to be."""
    digests, stages = dict(bases), {stage.name for stage in dockerfile.stages}

    def digest_of(base: BaseReference) -> Digest | None:
        try:
            reference = parse_reference(base.reference)
        except UsageError:
            return None
        if reference.digest is not None or str(reference).removesuffix(":latest") in stages:
            return None  # a stage of that name stands in the way of any other image
        return digests.get(reference.canonical)

    return tuple(
        replace(base, locked=digest) if base.locked is None and (digest := digest_of(base)) is not None else base
        for base in references
    )


def hold_bases(
    session: BuilderSession,
    references: Sequence[BaseReference],
    with_hints: Sequence[BaseReference],
    note: Callable[[str], None],
) -> tuple[HeldBase, ...]:
    """Hold the bases at the digests of a provenance, else as they are named: a hint ends no run.

    Raises BaseNotHeldError.
    """
    wanted = [base for before, base in zip(references, with_hints, strict=True) if before != base]
    if wanted:
        try:
            held = session.hold(with_hints)
        except BaseNotHeldError as error:
            note(f"the bases are not what the provenance names, which cannot be had: {error.message}")
        else:
            for base in wanted:
                note(f"taken from the provenance, a hint: base {base.reference} is {base.locked}")
            return held
    return session.hold(references)


def _image(published: ImageSet, request: VerifyRequest) -> Image | None:
    """Choose the image that the rebuild will stand beside; None where several could be meant."""
    wanted = request.platform or host_platform()
    fitting = [image for image in published.images if image.platform.matches(wanted)]
    if len(fitting) == 1:
        return fitting[0]
    return published.images[0] if len(published.images) == 1 and request.platform is None else None


def _epoch_of(image: Image, name: str) -> tuple[int | None, str]:
    """Read `created` as seconds since 1970, and say what was done; None where it is no such time."""
    created = image.config.created
    match = None if created is None else _CREATED.fullmatch(created)
    moment = None if match is None else parse_timestamp(created)
    if match is None or moment is None:
        return None, f"SOURCE_DATE_EPOCH is not taken from {name}: it has no `created` that is a time"
    seconds = int(moment.timestamp() // 1)
    if not 0 <= seconds <= MAX_EPOCH:
        return None, f"SOURCE_DATE_EPOCH is not taken from {name}: its `created`, {created}, is before 1970"
    cut = " (without its fraction of a second, which no epoch gives)" if (match[1] or "").strip("0") else ""
    return seconds, f"taken from {name}: SOURCE_DATE_EPOCH {seconds}, from `created`{cut}"


def _provenance(published: ImageSet, image: Image) -> tuple[Provenance | None, list[str]]:
    for attestation in published.attestations:
        if image.manifest is None or attestation.subject != image.manifest.digest:
            continue
        layer = provenance_of(attestation)
        if layer is None:
            continue
        try:
            raw = read_blob(attestation.blobs, layer, limit=MAX_PROVENANCE_BYTES)
            return read_provenance(raw), []
        except StoreError as error:
            return None, [f"the provenance of {published.reference} cannot be used: {error.message}"]
    return None, []


def _follow(
    provenance: Provenance, request: VerifyRequest, dockerfile: Dockerfile, name: str
) -> tuple[VerifyRequest, tuple[tuple[str, str], ...], list[str]]:
    """Take build arguments, target and labels that the user gave no other of."""
    given = {key for key, _ in request.build_args}
    arguments = [
        (key, value)
        for key, value in provenance.build_args
        if key not in given and key != _EPOCH and not _OF_THE_MACHINE.fullmatch(key)
    ]
    taken = [f"build argument {key}" for key, _ in arguments]
    request = replace(request, build_args=(*request.build_args, *arguments))
    target = provenance.target
    if request.target is None and target is not None and target in {stage.name for stage in dockerfile.stages}:
        request = replace(request, target=target)
        taken.append(f"target {target}")
    labels = provenance.labels if provenance.complete else ()
    taken += [f"label {key}" for key, _ in labels]
    notes = []
    if taken:
        notes.append(f"taken from the provenance of {name}, which is unsigned and a hint: {', '.join(taken)}")
    if not provenance.complete:
        notes.append(f"the provenance of {name} is not of mode=max: it may not tell every build argument")
    return request, labels, notes


def _labels(image: Image, dockerfile: Dockerfile, builder: BuilderName) -> Iterator[tuple[str, str]]:
    """Yield the labels of the specification's own that the Dockerfile does not set.

    BuildKit sets a label without a trace, and one that the base has already stays as it is. The other builders write
    `--label` into the history, as the last LABEL there is: only what stands there was set so.
    """
    keys = [key.strip("\"'") for key in _label_keys(dockerfile)]
    if any("$" in key for key in keys):
        return
    config = parse_object(image.config.raw, "config", max_bytes=len(image.config.raw)).get("config")
    labels = config.get("Labels") if isinstance(config, dict) else None
    last = image.config.history[-1].created_by if image.config.history else ""
    for key, value in sorted((labels if isinstance(labels, dict) else {}).items()):
        if not key.startswith(_LABELS) or key in keys or not isinstance(value, str):
            continue
        if builder == "buildkit" or ("LABEL " in last and f"{key}=" in last.replace('"', "")):
            yield key, value


def _label_keys(dockerfile: Dockerfile) -> Iterator[str]:
    for statement in dockerfile.statements():
        for each in (statement, statement.trigger):
            if each is not None and each.keyword == "LABEL":
                yield from each.arguments[::2]
