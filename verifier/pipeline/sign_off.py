"""Sign a report off, and verify a sign-off."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC
from pathlib import Path
from typing import TYPE_CHECKING

from verifier import __version__
from verifier.clients.git import Checkout
from verifier.errors import MalformedImageError, NotFoundError, NoVerdictError, StoreError, UsageError
from verifier.model.report import Report
from verifier.model.request import DigestsRequest, Surroundings
from verifier.model.sign_off import (
    SIGN_OFF_TYPE,
    SUMMARY_TYPE,
    SignedFile,
    SignedOff,
    SignOff,
    SignOffRequest,
    Subject,
    VerifiedSignOff,
    VerifySignOffRequest,
)
from verifier.oci.descriptor import Descriptor
from verifier.oci.digest import Digest, digest_bytes
from verifier.oci.manifest import Manifest, parse_manifest_or_index
from verifier.pipeline.digests import digests
from verifier.pipeline.source import look_at_source
from verifier.reports.json_reader import MAX_REPORT_BYTES, read_report
from verifier.reports.sign_off_form import render_sign_off_html
from verifier.sign_off.attach import Attestation, attach
from verifier.sign_off.envelope import MAX_ENVELOPE_BYTES, bundle_of, parse_envelope, sign_payload
from verifier.sign_off.keys import Passphrase, PrivateKey, load_private_key, load_public_key
from verifier.sign_off.objections import find_objections
from verifier.sign_off.statement import sign_off_statement, summary_statement
from verifier.sign_off.subjects import choose_subjects, name_of, with_manifest
from verifier.sign_off.verify import SeenImage, verify_envelope

if TYPE_CHECKING:
    from verifier.stores.registry import Repository


def sign_off(request: SignOffRequest, surroundings: Surroundings, passphrase: Passphrase) -> SignedOff:
    """Judge what stands against it; make, sign and attach the statements where nothing does but what was allowed.

    Raises UsageError for a report, a key or an image that cannot be meant, StoreError for the registry.
    """
    if request.attach is not None and request.key is None:
        raise UsageError("--attach attaches what is signed", "give --key FILE, too")
    report = read_report(request.report)
    key = None if request.key is None else load_private_key(request.key, passphrase)
    made = _judge(request, report, surroundings, key)
    if made.exit_code:
        return SignedOff(sign_off=made)
    if request.attach is None or key is None:
        return SignedOff(sign_off=made, files=_files(made, request, key))
    from verifier.stores.registry import Repository  # noqa: PLC0415  # only where a registry is asked

    with Repository(request.attach) as repository:
        image = repository.resolve()
        if image is None:
            raise NotFoundError(f"{request.attach} is not in the registry", "push it: verify-build … --push NAME")
        made = replace(made, subjects=_pushed_subjects(report, repository, image))
        files = _files(made, request, key)
        return SignedOff(sign_off=made, files=files, attached=_attach(repository, image, made, files, key))


def verify_sign_off(request: VerifySignOffRequest) -> VerifiedSignOff:
    """Verify an envelope by a public key. Raises UsageError for what is none, NoVerdictError for an unseen image."""
    key = load_public_key(request.key)
    envelope = parse_envelope(_read(request.envelope, MAX_ENVELOPE_BYTES), str(request.envelope))
    report = None if request.report is None else digest_bytes(_read(request.report, MAX_REPORT_BYTES))
    image = None if request.image is None else _see(request.image)
    return verify_envelope(envelope, key, report, image)


def _judge(request: SignOffRequest, report: Report, surroundings: Surroundings, key: PrivateKey | None) -> SignOff:
    now = surroundings.now().astimezone(UTC).replace(microsecond=0)
    source = look_at_source(report, request.dockerfile, request.context, surroundings.environment)
    objections = find_objections(report, source, now.date())
    refused = any(item.name not in request.allowed for item in objections)
    return SignOff(
        tool_version=__version__,
        report=report,
        report_digest=digest_bytes(request.report),
        source=source,
        subjects=() if refused else _subjects(request, report),
        signer=request.signer or _signer(request, report, surroundings),
        signed=now,
        key=None if key is None else key.public.digest,
        objections=objections,
        allowed=request.allowed,
    )


def _subjects(request: SignOffRequest, report: Report) -> tuple[Subject, ...]:
    named = request.attach or request.image
    name = name_of(report) if named is None else named.name
    return choose_subjects(report, name, None if request.image is None else request.image.digest)


def _pushed_subjects(report: Report, repository: Repository, image: Descriptor) -> tuple[Subject, ...]:
    """Choose the digests of what the registry has. Raises UsageError where that is not the report's image."""
    try:
        return choose_subjects(report, repository.name, image.digest)
    except UsageError:
        config = _config_of(repository, image)
        if config is None:
            raise
        subjects = with_manifest(choose_subjects(report, repository.name, config), config, image.digest)
        if all(subject.digest != image.digest for subject in subjects):
            raise
        return subjects


def _config_of(repository: Repository, image: Descriptor) -> Digest | None:
    """Give the config digest of a pushed image: a builder that shows no manifest shows that."""
    document = repository.manifest(image.digest)
    try:
        manifest = parse_manifest_or_index(document.raw, document.media_type)
    except MalformedImageError:
        return None
    return manifest.config.digest if isinstance(manifest, Manifest) else None


def _signer(request: SignOffRequest, report: Report, surroundings: Surroundings) -> str:
    path = request.dockerfile or Path("." if report.inputs is None else report.inputs.dockerfile_path)
    signer = Checkout(path.parent if path.parent.is_dir() else Path(), surroundings.environment).user()
    if signer is None:
        raise UsageError("nobody is named who signs off", "give --signer NAME, or set git's user.name and user.email")
    return signer


def _files(made: SignOff, request: SignOffRequest, key: PrivateKey | None) -> tuple[SignedFile, ...]:
    ending = "intoto" if key is None else "dsse"
    statements = (("verification-summary", summary_statement(made)), ("sign-off", sign_off_statement(made)))
    return (
        SignedFile(name="sign-off.html", content=render_sign_off_html(made).encode()),
        SignedFile(name="report.json", content=request.report),
        *(
            SignedFile(name=f"{name}.{ending}.json", content=raw if key is None else sign_payload(raw, key))
            for name, raw in statements
        ),
    )


def _attach(
    repository: Repository, image: Descriptor, made: SignOff, files: tuple[SignedFile, ...], key: PrivateKey
) -> tuple[str, ...]:
    types = {"verification-summary.dsse.json": SUMMARY_TYPE, "sign-off.dsse.json": SIGN_OFF_TYPE}
    attestations = [
        Attestation(predicate_type=types[file.name], envelope=file.content, bundle=bundle_of(file.content, key.public))
        for file in files
        if file.name in types
    ]
    places = attach(repository, image, attestations, made.signed)
    return tuple(f"{repository.name}{'@' if ':' in place else ':'}{place}" for place in places)


def _see(image: str) -> SeenImage:
    """Look at the image's digests. Raises NoVerdictError where it cannot be looked at."""
    seen = digests(DigestsRequest(images=(image,)))
    for unread in seen.unread:
        raise StoreError(f"{unread.reference}: {unread.message}", unread.hint)
    if not seen.images:
        raise NoVerdictError(f"{image} has no image")
    top = tuple(dict.fromkeys(row.index for row in seen.images if row.index is not None))
    platforms = tuple(tuple(each for each in (row.manifest, row.config) if each is not None) for row in seen.images)
    return SeenImage(reference=image, top=top, platforms=platforms)


def _read(path: Path, limit: int) -> bytes:
    try:
        with path.open("rb") as file:
            raw = file.read(limit + 1)
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}") from None
    if len(raw) > limit:
        raise UsageError(f"{path}: has more than {limit} bytes")
    return raw
