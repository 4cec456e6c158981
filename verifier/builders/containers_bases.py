"""Hold base images for Buildah and Podman: under their own names, in a storage that nobody else writes to."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from verifier.clients.containers import ContainersCli, PrivateStorage, StoredImage, is_stored_index
from verifier.errors import BaseNotHeldError, MalformedImageError
from verifier.model.plan import BaseReference, HeldBase
from verifier.oci.digest import parse_digest
from verifier.oci.platform import Platform
from verifier.oci.reference import parse_reference

_UNREACHABLE: Final = (
    "the registry cannot be reached: bring the image here first, by `{program} pull` where there is a network and "
    "`{program} pull docker-archive:FILE` here"
)
_HINTS: Final = (
    ("no such host", _UNREACHABLE),
    ("connection refused", _UNREACHABLE),
    ("i/o timeout", _UNREACHABLE),
    ("network is unreachable", _UNREACHABLE),
    ("temporary failure in name resolution", _UNREACHABLE),
    ("server gave http response", "this registry speaks plain http: say `insecure = true` for it in registries.conf"),
    ("unauthorized", "log in first: `{program} login REGISTRY`"),
    ("authentication required", "log in first: `{program} login REGISTRY`"),
    ("access to the resource is denied", "log in first: `{program} login REGISTRY`"),
)
"""What a pull says when it fails, in lower case, and what would mend it."""


def hold_base(cli: ContainersCli, storage: PrivateStorage, base: BaseReference) -> tuple[HeldBase, str | None]:
    """Resolve one reference, pulling where it is missing, and give `storage` the name for itself.

    The second value is a warning, where the reference was resolved otherwise than the user's configuration says. Raises
    BaseNotHeldError.
    """
    image = _find(cli, storage, base)
    warning = None
    if image is None or not _suits(image, base.platform):
        warning = _pull(cli, storage, base)
        image = cli.inspect(_wanted(base), storage)
    if image is None or not _suits(image, base.platform):
        raise _not_held(base, "it was pulled and still is not there")
    pinned = _pinned_digest(base.reference)
    names = image.names if base.locked is None else (parse_reference(base.reference).canonical,)
    if pinned is None and names:
        cli.tag(image.id, names, storage)
        if cli.resolve(base.reference, storage) != image.id:
            raise _not_held(
                base,
                "its name moved while it was being resolved"
                if base.locked is None
                else f"another image has its name, and the lock holds it to {base.locked[:19]}",
            )
    digest = parse_digest(pinned) if pinned else base.locked or image.digest
    held = HeldBase(
        base=base,
        digest=digest,
        digest_kind="index" if is_stored_index(storage, image.id, digest) else "manifest",
        pinned=pinned is not None,
        diff_ids=image.diff_ids,
        holder=image.id,
    )
    return held, warning


def check_held(cli: ContainersCli, storage: PrivateStorage, held: HeldBase) -> None:
    """Compare what a build's storage calls by a base's name with what was held. Raises BaseNotHeldError."""
    if cli.resolve(held.base.reference, storage) != held.holder:
        raise _not_held(held.base, "another image came under its name while the build ran")


def _find(cli: ContainersCli, storage: PrivateStorage, base: BaseReference) -> StoredImage | None:
    """Look for a base in the storage. One that is locked counts under its name, too, where it has the very digest."""
    image = cli.inspect(base.reference, storage)
    if base.locked is None or (image is not None and image.digest == base.locked):
        return image
    return cli.inspect(_wanted(base), storage)


def _wanted(base: BaseReference) -> str:
    """Give the reference to ask for: by digest alone where it is locked, since these tools take no tag beside one."""
    if base.locked is None:
        return base.reference
    return replace(parse_reference(base.reference), tag=None, digest=base.locked).canonical


def _pull(cli: ContainersCli, storage: PrivateStorage, base: BaseReference) -> str | None:
    finished = cli.pull(_wanted(base), storage, base.platform)
    if finished.status == 0:
        return None
    if "short-name" in finished.complaint.lower():
        whole = _on_docker_hub(base.reference)
        finished = cli.pull(whole, storage, base.platform)
        if finished.status == 0:
            return (
                f"{base.reference} was taken to mean {whole}: {cli.program} itself is not configured to resolve it "
                "(unqualified-search-registries in registries.conf)"
            )
    said = finished.complaint.removeprefix("Error: ")
    hint = next((hint for words, hint in _HINTS if words in said.lower()), None)
    raise _not_held(base, said, hint.format(program=cli.program) if hint else None)


def _not_held(base: BaseReference, why: str, hint: str | None = None) -> BaseNotHeldError:
    return BaseNotHeldError(f"base {base.reference} (line {base.instruction.line}) could not be held: {why}", hint)


def _suits(image: StoredImage, platform: Platform | None) -> bool:
    return platform is None or image.platform.matches(platform)


def _on_docker_hub(reference: str) -> str:
    return f"docker.io/{reference}" if "/" in reference else f"docker.io/library/{reference}"


def _pinned_digest(reference: str) -> str | None:
    name, at, digest = reference.rpartition("@")
    if not at or not name:
        return None
    try:
        return parse_digest(digest)
    except MalformedImageError:
        return None
