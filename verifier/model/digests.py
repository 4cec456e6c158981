"""The digests of images, side by side."""

from __future__ import annotations

from dataclasses import dataclass

from verifier.oci.digest import Digest


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageDigests:
    """One platform's image of one reference.

    `tag_digest` is what the reference's tag points to now, None where there is no tag or no registry to ask. `size` is
    the sum of the layers as the store has them, in bytes. `manifest` and `index` are None where the store has none.
    """

    reference: str
    tag_digest: Digest | None
    index: Digest | None
    manifest: Digest | None
    config: Digest
    platform: str
    size: int
    layers: int
    created: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Unread:
    """A reference that could not be looked at, in the words of the two lines on stderr."""

    reference: str
    message: str
    hint: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Same:
    """References of one image: `by` says what is equal, `manifest` or (the same image in another form) `config`."""

    by: str
    digest: Digest
    references: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestReport:
    """Every reference's digests, in the order asked; `same` are the images that have several references."""

    tool_version: str
    images: tuple[ImageDigests, ...]
    unread: tuple[Unread, ...]
    same: tuple[Same, ...]

    @property
    def exit_code(self) -> int:
        """3 where a reference could not be looked at, else 0."""
        return 3 if self.unread else 0


def same_images(images: tuple[ImageDigests, ...]) -> tuple[Same, ...]:
    """Find references that mean one image: by their manifest, and beyond that by their config."""
    found = []
    by_manifest: dict[Digest, list[str]] = {}
    by_config: dict[Digest, dict[str, Digest | None]] = {}
    for image in images:
        if image.manifest is not None:
            by_manifest.setdefault(image.manifest, []).append(image.reference)
        by_config.setdefault(image.config, {})[image.reference] = image.manifest
    for digest, references in by_manifest.items():
        if len(set(references)) > 1:
            found.append(Same(by="manifest", digest=digest, references=tuple(dict.fromkeys(references))))
    for digest, manifests in by_config.items():
        if len(manifests) > 1 and (None in manifests.values() or len(set(manifests.values())) > 1):
            found.append(Same(by="config", digest=digest, references=tuple(manifests)))
    return tuple(found)
