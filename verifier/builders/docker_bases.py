"""Base images as an engine has them: found locally or pulled, resolved to one digest, and watched for a change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from verifier.builders.docker_traces import Traces
from verifier.errors import BaseNotHeldError, MalformedImageError, NoVerdictError, UsageError
from verifier.model.plan import BaseReference, DigestKind
from verifier.oci.digest import Digest, parse_digest
from verifier.oci.platform import Platform
from verifier.oci.reference import Reference, parse_reference

if TYPE_CHECKING:
    from verifier.clients.engine_client import Engine

_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolvedBase:
    """A base in the engine: `id` is the engine's image ID, `digest` what the run is held to.

    `reference` is what the Dockerfile names, whatever a lock holds it to.
    """

    base: BaseReference
    reference: Reference
    id: str
    digest: Digest
    digest_kind: DigestKind
    diff_ids: tuple[Digest, ...] | None
    pulled: bool

    @property
    def pinned(self) -> bool:
        """Whether the Dockerfile itself names the digest."""
        return self.reference.digest is not None


def resolve_base(engine: Engine, traces: Traces, base: BaseReference) -> ResolvedBase:
    """Find a base in the engine, else pull it (to be removed at the end). Raises BaseNotHeldError with both reasons."""
    where = f"{base.reference} (line {base.instruction.line})"
    try:
        reference = parse_reference(base.reference)
    except UsageError as error:
        raise BaseNotHeldError(f"base image {where} cannot be named: {error.message}") from None
    name = engine_name(reference if base.locked is None else replace(reference, tag=None, digest=base.locked))
    found = _find(engine, reference, base)
    pulled = False
    if found is None:
        traces.add_tag(name)
        try:
            engine.pull(name, str(base.platform) if base.platform else None)
            found, pulled = engine.inspect_image(name), True
        except NoVerdictError as error:
            raise BaseNotHeldError(
                f"base image {where} is not in the engine, and cannot be had: {error.message}",
                f"docker pull {name}, or docker load, makes it available",
            ) from None
    if found is None:
        raise BaseNotHeldError(f"base image {where} was pulled, and is not in the engine")
    _check_platform(found, base.platform, where, name)
    try:
        return _resolved(base, reference, found, pulled=pulled)
    except MalformedImageError as error:
        raise BaseNotHeldError(f"base image {where} is described wrongly by the engine: {error.message}") from None


def engine_name(reference: Reference) -> str:
    """Name an image as the engine's API wants it; a digest goes before a tag, as in a FROM that has both."""
    name = reference.name.removeprefix("docker.io/").removeprefix("library/")
    return f"{name}@{reference.digest}" if reference.digest else f"{name}:{reference.tag or 'latest'}"


def name_locked(engine: Engine, traces: Traces, bases: tuple[ResolvedBase, ...]) -> None:
    """Give each base of a lock the name that the Dockerfile has for it, where the engine has no image of that name.

    An image that has the name already keeps it, and the base is not held. Raises BaseNotHeldError.
    """
    locked = tuple(base for base in bases if base.base.locked is not None)
    for base in locked:
        name = engine_name(base.reference)
        if engine.inspect_image(name) is None:
            traces.add_tag(name)
            engine.tag(base.id, name)
    check_unmoved(engine, locked)


def check_unmoved(engine: Engine, bases: tuple[ResolvedBase, ...]) -> None:
    """Check that every name still means the image that it meant at first. Raises BaseNotHeldError."""
    for base in bases:
        found = engine.inspect_image(engine_name(base.reference))
        if found is None or found.get("Id") != base.id:
            now = "is gone" if found is None else f"is {str(found.get('Id'))[:19]} now"
            if base.base.locked is not None:
                raise BaseNotHeldError(
                    f"base image {base.base.reference} (line {base.base.instruction.line}) is locked to "
                    f"{base.base.locked[:19]}, and this builder takes what has its name in the engine, which {now}",
                    f"docker tag {base.id[:19]} {engine_name(base.reference)}, or use --builder buildkit",
                )
            raise BaseNotHeldError(
                f"base image {base.base.reference} (line {base.base.instruction.line}) changed during the run: "
                f"it was {base.id[:19]} and {now}",
                "verify again when nothing else pulls or tags it, or pin it by digest",
            )


def _find(engine: Engine, reference: Reference, base: BaseReference) -> Mapping[str, Any] | None:
    """Look for a base in the engine. One that is locked counts under its name, too, where it has the very digest.

    No engine finds all of its images by NAME@DIGEST: the old store knows digests of what came from a registry alone.
    """
    found = engine.inspect_image(engine_name(reference))
    if base.locked is None or (found is not None and base.locked in _digests_of(found, reference)):
        return found
    return engine.inspect_image(engine_name(replace(reference, tag=None, digest=base.locked)))


def _digests_of(found: Mapping[str, Any], reference: Reference) -> set[str]:
    return {str((found.get("Descriptor") or {}).get("digest", "")), _repository_digest(found, reference) or ""}


def _resolved(base: BaseReference, reference: Reference, found: Mapping[str, Any], *, pulled: bool) -> ResolvedBase:
    identifier = parse_digest(found.get("Id"), "Id")
    layers = (found.get("RootFS") or {}).get("Layers")
    digest, kind = reference.digest or base.locked, _kind_of(found)
    if digest is None:
        digest = _repository_digest(found, reference)
    if digest is None:
        digest, kind = identifier, "config"
    return ResolvedBase(
        base=base,
        reference=reference,
        id=identifier,
        digest=digest,
        digest_kind=kind,
        diff_ids=tuple(parse_digest(layer, "RootFS.Layers") for layer in layers) if layers is not None else None,
        pulled=pulled,
    )


def _kind_of(found: Mapping[str, Any]) -> DigestKind:
    """Tell an index from a manifest where the engine says; the old store does not, and keeps what the tag meant."""
    media_type = str((found.get("Descriptor") or {}).get("mediaType", ""))
    return "index" if "index" in media_type or "list" in media_type else "manifest"


def _repository_digest(found: Mapping[str, Any], reference: Reference) -> Digest | None:
    for text in found.get("RepoDigests") or ():
        name, _, digest = str(text).partition("@")
        try:
            if parse_reference(name).name == reference.name:
                return parse_digest(digest, "RepoDigests")
        except UsageError:
            continue
    return None


def _check_platform(found: Mapping[str, Any], wanted: Platform | None, where: str, name: str) -> None:
    """Refuse a local image of another platform: a pull of the right one would take the user's tag from it."""
    architecture = str(found.get("Architecture") or "")
    if wanted is None or not architecture or _kind_of(found) == "index":
        return
    there = Platform(
        os=str(found.get("Os") or "linux"),
        architecture=_ARCHITECTURES.get(architecture, architecture),
        variant=str(found.get("Variant") or "") or None,
    )
    if (there.os, there.architecture) != (wanted.os, wanted.architecture):
        raise BaseNotHeldError(
            f"base image {where} is in the engine for {there}, not for {wanted}",
            f"docker pull --platform {wanted} {name}",
        )
