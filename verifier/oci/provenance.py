"""Read what a builder says of its own build: BuildKit's SLSA provenance, v0.2 and v1, in an in-toto statement.

It is unsigned where it comes beside an image (BuildKit, "Provenance attestations"): whoever pushed the image wrote it.
So it is a hint at how to build alike, and no evidence.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import unquote

from verifier.errors import MalformedImageError, UsageError
from verifier.oci.descriptor import Descriptor
from verifier.oci.digest import Digest, parse_digest
from verifier.oci.image import Attestation
from verifier.oci.reference import parse_reference
from verifier.oci.strict_json import parse_object

MAX_PROVENANCE_BYTES: Final = 16 * 1024 * 1024
"""Of one statement, in bytes: with mode=max the Dockerfile and every step are in it."""

PREDICATE_TYPE: Final = "in-toto.io/predicate-type"
"""The annotation of an attestation's layer that says what is stated there."""

_V02: Final = "https://slsa.dev/provenance/v0.2"
_V1: Final = "https://slsa.dev/provenance/v1"
_IMAGE: Final = "pkg:docker/"


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """What a build was made from.

    `images` are canonical references without a digest and what they meant; one that meant two things is left out.
    `complete` says that every argument is told (`mode=max`).
    """

    build_args: tuple[tuple[str, str], ...]
    labels: tuple[tuple[str, str], ...]
    target: str | None
    images: tuple[tuple[str, Digest], ...]
    complete: bool


def provenance_of(attestation: Attestation) -> Descriptor | None:
    """Find the provenance among an attestation manifest's layers."""
    kinds = {_V02, _V1}
    return next((layer for layer in attestation.manifest.layers if layer.annotation(PREDICATE_TYPE) in kinds), None)


def read_provenance(raw: bytes) -> Provenance:
    """Read an in-toto statement. Raises MalformedImageError for what is no SLSA provenance of v0.2 or v1."""
    statement = parse_object(raw, "provenance", max_bytes=MAX_PROVENANCE_BYTES)
    predicate = _object(statement, "predicate")
    kind = statement.get("predicateType")
    if kind == _V02:
        arguments = _object(_object(_object(predicate, "invocation"), "parameters"), "args")
        materials = predicate.get("materials")
        complete = _object(_object(predicate, "metadata"), "completeness").get("parameters")
    elif kind == _V1:
        definition = _object(predicate, "buildDefinition")
        arguments = _object(_object(_object(definition, "externalParameters"), "request"), "args")
        materials = definition.get("resolvedDependencies")
        metadata = _object(_object(predicate, "runDetails"), "metadata")
        complete = _object(metadata, "buildkit_completeness").get("request")
    else:
        raise MalformedImageError(f"provenance of the type {str(kind)[:80]!r} is not known")
    words = {key: value for key, value in arguments.items() if isinstance(value, str)}
    return Provenance(
        build_args=_under("build-arg:", words),
        labels=_under("label:", words),
        target=words.get("target") or None,
        images=tuple(_unambiguous(_images(materials if isinstance(materials, list) else []))),
        complete=complete is True,
    )


def _object(value: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = value.get(key)
    if found is None:
        return {}
    if not isinstance(found, dict):
        raise MalformedImageError(f"provenance: {key} is not an object")
    return found


def _under(prefix: str, words: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    found = ((key.removeprefix(prefix), value) for key, value in words.items() if key.startswith(prefix))
    return tuple(sorted((key, value) for key, value in found if key))


def _images(materials: Iterable[Any]) -> Iterator[tuple[str, Digest]]:
    """Yield the images among the materials, by what they are called (package URLs, type `docker`)."""
    for material in materials:
        if not isinstance(material, dict) or not isinstance(material.get("digest"), dict):
            continue
        name, digest = _name_of(material.get("uri")), material["digest"].get("sha256")
        if name is None or not isinstance(digest, str):
            continue
        try:
            yield parse_reference(name).canonical, parse_digest(f"sha256:{digest}")
        except (UsageError, MalformedImageError):
            continue


def _name_of(uri: object) -> str | None:
    """Read `pkg:docker/NAMESPACE/NAME@TAG?…`, each part percent-encoded; None for what is named by its digest."""
    if not isinstance(uri, str) or not uri.startswith(_IMAGE):
        return None
    path = uri.removeprefix(_IMAGE).partition("#")[0].partition("?")[0]
    name, at, version = path.rpartition("@")
    name, version = unquote(name if at else path), unquote(version if at else "latest")
    return None if ":" in version else f"{name}:{version}"


def _unambiguous(images: Iterable[tuple[str, Digest]]) -> Iterator[tuple[str, Digest]]:
    meanings: dict[str, set[Digest]] = {}
    for name, digest in images:
        meanings.setdefault(name, set()).add(digest)
    for name, digests in sorted(meanings.items()):
        if len(digests) == 1:
            yield name, next(iter(digests))
